import { expect, it } from 'vitest';
import { setup } from './client.ts';

const list = 'GET /v1/webhook/registrations?start=0&limit=1';
const unknown = '0'.repeat(40);
const missingKey = 'Missing API key header value';
const wrongKey = 'Invalid API key';
it.each([
  [17, {}, missingKey],
  [18, { 'api-key': unknown }, 'Missing username header value'],
  [19, { username: 'joe' }, missingKey],
  [20, { username: 'nobody', 'api-key': unknown }, 'Invalid API key or Username'],
  [21, { username: 'joe', 'api-key': unknown }, wrongKey],
  [22, { username: 'joe', 'api-key': '' }, wrongKey],
  [24, { username: 'JOE', 'api-key': unknown }, 'Invalid API key or Username'],
  [25, { username: 'joe', 'api-key': 'JANE' }, wrongKey],
])('%i: %j is told: %s', async (_number, headers: Record<string, string>, text) => {
  const { call, jane } = await setup();
  const key = headers['api-key'] === 'JANE' ? { 'api-key': jane.apiKey } : {};
  const answer = await call(list, { headers: { ...headers, ...key } });
  expect(answer).toMatchObject({ status: 401, body: { Error: text } });
  expect(answer.headers).not.toHaveProperty('www-authenticate');
});

it('takes header names in any letter case', async () => {
  const { call, joe, register } = await setup();
  register();
  const { status } = await call(list, { headers: { USERNAME: 'joe', 'API-KEY': joe.apiKey } });
  expect(status).toBe(200);
});

it('reads names as Latin-1', async () => {
  const { call, simulator, endpoint, register } = await setup();
  register();
  const as = simulator.addAccount({ username: 'zoé', endpoint: endpoint.ok });
  expect((await call(list, { as })).status).toBe(200);
});

it.each([
  [26, 'GET /v1/accounts?start=0&limit=10'],
  [26, 'GET /v1/accounts'],
  [27, 'DELETE /v1/accounts'],
  [28, 'DELETE /v1/webhook/registrations'],
  [29, 'DELETE /v1/webhook/subscriptions'],
])('%i: %s is for admins', async (_number, request) => {
  const { call, simulator, joe, admin, register, subscribe } = await setup();
  await subscribe(joe, register());
  expect(await call(request, { as: joe })).toMatchObject({ status: 401, body: { Error: 'Not an Admin' } });
  expect(await call(request)).toMatchObject({ status: 401, body: { Error: missingKey } });
  expect(simulator.accounts.size).toBe(4);
  expect((await call(list, { as: joe })).status).toBe(200);
  expect((await call('GET /v1/webhook/subscription?start=0&limit=1', { as: joe })).status).toBe(200);
  expect((await call('GET /v1/accounts?start=0&limit=10', { as: admin })).status).toBe(200);
});
