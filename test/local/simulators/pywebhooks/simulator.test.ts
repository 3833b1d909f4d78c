import { createServer } from 'node:https';
import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { expect, it, onTestFinished } from 'vitest';
import { addSampleEvents } from '../../../../src/local/simulators/pywebhooks/sample-events.ts';
import { startPyWebhooksSimulator } from '../../../../src/local/simulators/pywebhooks/simulator.ts';
import { setup } from './client.ts';
import { startEndpoint } from './endpoint.ts';
import { s1 } from './vectors.ts';

it('is on loopback, with one account', async () => {
  const simulator = await startPyWebhooksSimulator();
  onTestFinished(() => simulator.close());
  expect(simulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(simulator.accounts.size).toBe(1);
  expect(simulator.admin).toMatchObject({ username: 'admin' });
});

it('notes calls, and lets faults happen', async () => {
  const { simulator, call, joe } = await setup();
  simulator.fault({ kind: 'status', status: 503, path: /accounts/, times: 1 });
  const [first, second] = [await call('GET /v1/accounts', { as: joe }), await call('GET /v1/accounts')];
  expect([first.status, second.status]).toEqual([503, 401]);
  expect(simulator.calls.map(({ status }) => status)).toEqual([503, 401]);
});

const body = Buffer.from('{"any": "byt\u00e9s"}');
it.each([
  [{}, createHmac('sha1', s1).update(body).digest('hex'), undefined],
  [{ signature: 'zz', event: 'e' }, 'zz', 'e'],
  [{ signature: null, event: '' }, undefined, ''],
])('delivers what it is told: %j', async (given, signature, event) => {
  const { simulator, endpoint } = await setup();
  const answer = await simulator.deliver(endpoint.ok, {
    secret: s1,
    body,
    headers: { 'x-more': '1' },
    ...given,
  });
  expect(answer).toMatchObject({ status: 200, body: '{}' });
  const [got] = endpoint.got;
  expect(got?.body.equals(body)).toBe(true);
  expect(got?.headers['pywebhooks-signature']).toBe(signature);
  expect(got?.headers['event']).toBe(event);
  expect(got?.headers['x-more']).toBe('1');
});

it('has sample events that arrive', async () => {
  const { simulator, joe, jane, subscribe, endpoint } = await setup();
  const registrations = addSampleEvents(simulator, joe.id);
  for (const { id } of registrations) {
    await subscribe(jane, id);
    await simulator.trigger(id);
  }
  expect(endpoint.events().map(({ headers }) => headers['event'])).toEqual([
    'scan.finished',
    'record.updated',
    'scan.rejected',
    'batch.delivered',
    undefined,
  ]);
  const bodies = endpoint
    .events()
    .map((each) => JSON.parse(each.body.toString()) as { asset?: { id: string } });
  expect(bodies.map(({ asset }) => asset?.id)).toEqual([
    'scan-0001',
    'scan-0002',
    'scan-0003',
    undefined,
    'scan-0004',
  ]);
});

it('does not look at certificates', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'somewhere.example' }]);
  const server = createServer({ key, cert }, (incoming, response) => {
    incoming.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { simulator, joe, register, subscribe } = await setup({ retryDelaysMs: [] });
  const account = simulator.accounts.get(joe.id);
  if (account !== undefined)
    account.endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const registration = register();
  await subscribe(joe, registration);
  await simulator.trigger(registration);
  expect(simulator.sent).toMatchObject([{ status: 200 }]);
});

it('ends with all that is under way', async () => {
  const hour = 3_600_000;
  const simulator = await startPyWebhooksSimulator({
    settings: { retryDelaysMs: [hour], answerWithinMs: hour },
  });
  const endpoint = await startEndpoint();
  const joe = simulator.addAccount({ username: 'joe', endpoint: `${endpoint.base}/slow` });
  const jane = simulator.addAccount({ username: 'jane', endpoint: `${endpoint.base}/s500` });
  const headers = { 'content-type': 'application/json' };
  const { id } = simulator.addRegistration(joe.id, { event: 'e', description: 'd', event_data: 1 });
  for (const { username, apiKey } of [joe, jane])
    await fetch(`${simulator.url}/v1/webhook/subscription/${id}`, {
      method: 'POST',
      headers: { ...headers, username, 'api-key': apiKey },
    });
  // An attempt that nobody answers, one that waits for its next, and a reset that nobody answers.
  const ended = simulator.trigger(id);
  const reset = fetch(`${simulator.url}/v1/account/reset/apikey`, {
    method: 'POST',
    headers: { ...headers, username: 'joe' },
  }).catch(() => 'cut off');
  await expect.poll(() => endpoint.got.length).toBe(3);
  await expect.poll(() => simulator.sent.length).toBe(1);
  await simulator.close();
  await ended;
  expect(await reset).toBe('cut off');
});
