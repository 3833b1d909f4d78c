import { expect, it } from 'vitest';
import { setup } from './client.ts';

const [apiKeys, secretKeys] = ['POST /v1/account/reset/apikey', 'POST /v1/account/reset/secretkey'];
const sent = { status: 200, body: { Message: 'New key sent to endpoint' } };
const failed = {
  status: 400,
  body: { Error: 'Failed to contact the endpoint or wrong HTTP status code returned' },
};

it('sends a new API key to the endpoint alone', async () => {
  const { call, joe, endpoint, simulator } = await setup();
  expect(await call(apiKeys, { headers: { username: 'joe' } })).toMatchObject(sent);
  expect(endpoint.got).toHaveLength(1);
  expect(endpoint.got[0]?.target).toMatch(/^\/ok\?api_key=[0-9a-f]{40}$/);
  const apiKey = endpoint.got[0]?.query.get('api_key') ?? '';
  const own = `GET /v1/account/${joe.id}`;
  expect((await call(own, { as: { username: 'joe', apiKey } })).status).toBe(200);
  expect((await call(own, { as: joe })).status).toBe(401);
  expect(simulator.sent).toMatchObject([{ kind: 'api_key', status: 200, answer: '{}', attempt: 1 }]);
});

it.each([
  [75, undefined, 400, 'Missing the username header value'],
  [76, 'nobody', 404, 'Username not found'],
  [77, 'admin', 404, 'Endpoint not found'],
])('%i: for %s it is refused', async (_number, username, status, text) => {
  const { call } = await setup();
  const answer = await call(apiKeys, { headers: { username } });
  expect(answer).toMatchObject({ status, body: { Error: text } });
});

it.each(['s500', 's201', 'empty', 'text', 'slow'])('old keys stay where the endpoint is %s', async (path) => {
  const { call, joe, endpoint, simulator } = await setup({ answerWithinMs: path === 'slow' ? 100 : 5_000 });
  const account = simulator.accounts.get(joe.id);
  if (account !== undefined) account.endpoint = `${endpoint.base}/${path}`;
  for (const reset of [apiKeys, secretKeys]) expect(await call(reset, { as: joe })).toMatchObject(failed);
  expect((await call(`GET /v1/account/${joe.id}`, { as: joe })).body).toMatchObject({
    secret_key: joe.secretKey,
  });
});

it.each(['{}', 'null', '[1]', '"x"'])('takes %s for a yes', async (body) => {
  const { call, joe, endpoint } = await setup();
  endpoint.behave(() => ({ body }));
  expect(await call(secretKeys, { as: joe })).toMatchObject(sent);
});

it('does not look at the API key that it replaces', async () => {
  const { call } = await setup();
  expect(await call(apiKeys, { as: { username: 'joe', apiKey: 'old' } })).toMatchObject(sent);
});

it('sends a new secret to whoever logs in', async () => {
  const { call, joe, endpoint, simulator } = await setup();
  expect(await call(secretKeys, { headers: { username: 'joe' } })).toMatchObject({
    status: 401,
    body: { Error: 'Missing API key header value' },
  });
  expect(await call(secretKeys, { as: joe })).toMatchObject(sent);
  expect(endpoint.got[0]?.target).toMatch(/^\/ok\?secret_key=[0-9a-f]{40}$/);
  expect(simulator.accounts.get(joe.id)?.secret_key).toBe(endpoint.got[0]?.query.get('secret_key'));
});

it.each(['', '"{}"', '{}', '{'])('does not read the body %j', async (raw) => {
  const { call, joe } = await setup();
  expect(await call(secretKeys, { as: joe, raw })).toMatchObject(sent);
  expect(await call(apiKeys, { as: joe, raw })).toMatchObject(sent);
});

it('keeps the query of the endpoint', async () => {
  const { call, joe, endpoint, simulator } = await setup();
  const account = simulator.accounts.get(joe.id);
  if (account !== undefined) account.endpoint = `${endpoint.ok}?token=t`;
  await call(secretKeys, { as: joe });
  expect(endpoint.got[0]?.target).toMatch(/^\/ok\?token=t&secret_key=[0-9a-f]{40}$/);
});

it.each([
  ['before-sending', 400, 0],
  ['after-sending', 500, 1],
] as const)('can fail %s', async (failingResets, status, told) => {
  const { call, joe, endpoint, simulator } = await setup({ failingResets });
  expect(await call(secretKeys, { as: joe })).toMatchObject({ status });
  expect(endpoint.got).toHaveLength(told);
  expect(simulator.accounts.get(joe.id)?.secret_key).toBe(joe.secretKey);
});
