import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pywebhooks, type PyWebhooks } from '../../../../src/sources/pywebhooks/manage/account.ts';

interface Given {
  readonly status: number;
  readonly body?: unknown;
}

/** The client of a service that answers its calls with these in turn, the last of them again and again. */
async function asking(
  answers: readonly Given[],
  { username = 'desk', apiKey = 'thekey' }: { username?: string; apiKey?: string } = {},
) {
  const calls: { target: string; headers: Record<string, unknown>; body: string }[] = [];
  const server = createServer((request, response) => {
    const { status, body = '' } = answers[Math.min(calls.length, answers.length - 1)] ?? { status: 500 };
    const call = { target: `${request.method} ${request.url}`, headers: request.headers, body: '' };
    calls.push(call);
    request.on('data', (chunk: Buffer) => (call.body += chunk.toString()));
    request.on('end', () =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body)),
    );
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const service = pywebhooks({
    base: `http://127.0.0.1:${port}/hooks`,
    username,
    apiKey: async () => apiKey,
    now: Date.now,
  });
  return { calls, service };
}

const subscription = (id: number) => ({ id: String(id), account_id: 'a', registration_id: 'r', epoch: 1.5 });

describe('a call', () => {
  const withKey = { username: 'desk', 'api-key': 'thekey' };
  it.each<[string, (service: PyWebhooks) => Promise<unknown>, string, object]>([
    ['of an account', async (service) => await service.account('a1'), 'GET /hooks/v1/account/a1', withKey],
    [
      'of a reset of the secret',
      async (service) => await service.resetSecretKey(),
      'POST /hooks/v1/account/reset/secretkey',
      withKey,
    ],
    [
      'of a reset of the API key',
      async (service) => await service.resetApiKey(),
      'POST /hooks/v1/account/reset/apikey',
      { username: 'desk', 'api-key': undefined },
    ],
    [
      'of a new account',
      async (service) => await service.createAccount({ endpoint: 'e', username: 'u' }),
      'POST /hooks/v1/account',
      { username: undefined, 'api-key': undefined },
    ],
    [
      'of the end of a subscription',
      async (service) => await service.unsubscribe('s1'),
      'DELETE /hooks/v1/webhook/subscription/s1',
      withKey,
    ],
  ])('%s says that it is JSON, and who asks as far as that is wanted', async (_what, call, target, who) => {
    const { calls, service } = await asking([{ status: 401, body: { Error: 'Not authorized' } }]);
    await call(service).catch(() => undefined);
    const { headers = {} } = calls[0] ?? {};
    expect(calls).toMatchObject([{ target, headers: { 'content-type': 'application/json' } }]);
    for (const [name, value] of Object.entries(who)) expect(headers[name]).toBe(value);
  });
});

describe('who cannot log in', () => {
  it.each([
    ['a name that no header holds', { username: 'caf\u0113' }],
    ['a name with a line end', { username: 'a\r\nb: c' }],
    ['a key that no header holds', { apiKey: 'k\u0113y' }],
    ['a key with a line end', { apiKey: 'key\n' }],
  ])('makes no call: %s', async (_what, who) => {
    const { calls, service } = await asking([{ status: 204 }], who);
    await expect(service.subscriptions()).rejects.toMatchObject({ code: 'UPSTREAM_LOGIN_REFUSED' });
    expect(calls).toEqual([]);
  });

  it('is sent as Latin-1, which is what the service reads', async () => {
    const { calls, service } = await asking([{ status: 204 }], { username: 'Zo\u00eb' });
    await service.subscriptions();
    expect(calls[0]?.headers['username']).toBe('Zo\u00eb');
  });
});

describe('a list', () => {
  it('goes on where the service says, to the last page', async () => {
    const { calls, service } = await asking([
      { status: 200, body: { subscriptions: [subscription(1), subscription(2)], next_start: 100 } },
      { status: 200, body: { subscriptions: [subscription(3)], next_start: 200 } },
      { status: 204 },
    ]);
    const progress: number[] = [];
    const found = await service.subscriptions((count) => progress.push(count));
    expect(found.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(found[0]).toMatchObject({
      accountId: 'a',
      registrationId: 'r',
      since: '1970-01-01T00:00:01.500Z',
    });
    expect(progress).toEqual([2, 3]);
    expect(calls.map(({ target }) => target.split('?')[1])).toEqual([
      'start=0&limit=100',
      'start=100&limit=100',
      'start=200&limit=100',
    ]);
  });

  it.each([0, -1, 100])('that goes on at %i for ever is given up', async (next_start) => {
    const body = { subscriptions: [subscription(1)], next_start };
    const { calls, service } = await asking([{ status: 200, body }]);
    await expect(service.subscriptions()).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
    expect(calls.length).toBeLessThan(3);
  });

  it.each([
    ['of another name', { accounts: [] }],
    ['that is none', { subscriptions: {} }],
    ['of records of another shape', { subscriptions: [{ id: 1 }] }],
    ['that is no JSON', 'OK'],
  ])('%s is not taken for an empty one', async (_what, body) => {
    const { service } = await asking([{ status: 200, body }]);
    await expect(service.subscriptions()).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
    await expect(service.ownAccountId()).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
  });

  it('takes registrations of any JSON, and keeps their payload', async () => {
    const odd = { id: 'r', account_id: 'a', event: 5, description: null, event_data: { a: [1] } };
    const { service } = await asking([{ status: 200, body: { registrations: [odd] } }]);
    expect(await service.registrations()).toEqual([
      { id: 'r', accountId: 'a', event: 5, description: null, eventData: { a: [1] } },
    ]);
  });
});

describe('an answer that nobody asked for', () => {
  const key = 'a1'.repeat(20);
  it.each<[string, Given, string, string]>([
    [
      'a login refused',
      { status: 401, body: { Error: 'Invalid API key' } },
      'UPSTREAM_LOGIN_REFUSED',
      'PyWebhooks refused the login (Invalid API key): user name or API key is not right.',
    ],
    [
      "somebody else's page",
      { status: 404, body: '<h1>Not Found</h1>' },
      'UPSTREAM_STATUS',
      'PyWebhooks is not at this address: it answered 404.',
    ],
    [
      'a key in its text',
      { status: 500, body: { Error: `no ${key}` } },
      'UPSTREAM_STATUS',
      'PyWebhooks answered 500 (no …).',
    ],
    [
      'what no terminal should see',
      { status: 500, body: { message: 'a\u001b[2Jb' } },
      'UPSTREAM_STATUS',
      'PyWebhooks answered 500 (a\ufffd[2Jb).',
    ],
    ['a redirect', { status: 302 }, 'UPSTREAM_STATUS', 'PyWebhooks answered 302.'],
  ])('is told in words: %s', async (_what, answer, code, message) => {
    const { service } = await asking([answer]);
    const calls = [
      async () => await service.subscriptions(),
      async () => await service.registrations(),
      async () => await service.account('a'),
      async () => await service.resetSecretKey(),
      async () => await service.subscribe('r'),
      async () => await service.unsubscribe('s'),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code, message });
  });

  it('of great length is cut', async () => {
    const { service } = await asking([{ status: 500, body: { Error: 'x'.repeat(10_000) } }]);
    const failure: unknown = await service.subscriptions().catch((error: unknown) => error);
    expect(String(failure).length).toBeLessThan(400);
  });

  it.each([
    ['an account without keys', { id: 'a' }],
    ['keys that are none', { id: 'a', api_key: '', secret_key: 'two\nlines' }],
  ])('instead of a new account is not taken for one: %s', async (_what, body) => {
    const { service } = await asking([{ status: 201, body }]);
    await expect(service.createAccount({ endpoint: 'e', username: 'u' })).rejects.toMatchObject({
      code: 'UPSTREAM_UNREADABLE',
    });
  });
});

describe('what the service says no to', () => {
  it.each<[string, Given, (service: PyWebhooks) => Promise<unknown>, unknown]>([
    [
      'a name that is taken',
      { status: 409, body: { Error: 'Username already exists' } },
      async (service) => await service.createAccount({ endpoint: 'e', username: 'u' }),
      { kind: 'name-taken' },
    ],
    [
      'an endpoint without an echo',
      { status: 400, body: { Error: 'Echo response failed' } },
      async (service) => await service.createAccount({ endpoint: 'e', username: 'u' }),
      { kind: 'echo-failed' },
    ],
    [
      "somebody else's account",
      { status: 401, body: { Error: 'Not authorized' } },
      async (service) => await service.account('a'),
      undefined,
    ],
    [
      'a key that the endpoint did not take',
      { status: 400, body: { Error: 'Failed to contact the endpoint' } },
      async (service) => await service.resetSecretKey(),
      { kind: 'refused', status: 400, said: 'Failed to contact the endpoint' },
    ],
    [
      'a registration that is not there',
      { status: 404, body: { Error: 'The registration id does not exist' } },
      async (service) => await service.subscribe('r'),
      undefined,
    ],
    [
      "somebody else's subscription",
      { status: 401, body: { Error: 'Not authorized' } },
      async (service) => await service.unsubscribe('s'),
      false,
    ],
    [
      'a subscription that an administrator does not find',
      { status: 200, body: { deleted: 0, skipped: 1 } },
      async (service) => await service.unsubscribe('s'),
      false,
    ],
  ])('is a value: %s', async (_what, answer, call, outcome) => {
    const { service } = await asking([answer]);
    expect(await call(service)).toEqual(outcome);
  });

  it.each(['', '.', '..', 'a/b', 'a?b', '%2e%2e', 'a'.repeat(128)])(
    'makes no call for an id that is none: %j',
    async (id) => {
      const { calls, service } = await asking([{ status: 200, body: { deleted: 1 } }]);
      expect(await service.account(id)).toBeUndefined();
      expect(await service.subscribe(id)).toBeUndefined();
      expect(await service.unsubscribe(id)).toBe(false);
      expect(calls).toEqual([]);
    },
  );
});

describe('an answer of two megabytes', () => {
  const event_data = 'x'.repeat(2_000_000);

  it('is read where it is a page of a list, whose payloads may be of any size', async () => {
    const registration = { id: '1', account_id: 'a', event: 'e', description: 'd', event_data };
    const { service } = await asking([{ status: 200, body: { registrations: [registration] } }]);
    expect(await service.registrations()).toHaveLength(1);
    expect(await service.ownAccountId().catch((error: unknown) => error)).toMatchObject({
      code: 'UPSTREAM_UNREADABLE',
    });
  });

  it('is not read where it is an account', async () => {
    const { service } = await asking([{ status: 200, body: { id: 'a1', event_data } }]);
    await expect(service.account('a1')).rejects.toMatchObject({ code: 'UPSTREAM_TOO_LARGE' });
  });
});
