import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { setup } from './client.ts';
import { closedPort, type Reply } from './endpoint.ts';
import { vectors } from './vectors.ts';

const quick = { retryDelaysMs: [1, 1, 1] };
const hmac = (secret: string, body: Buffer): string => createHmac('sha1', secret).update(body).digest('hex');

/** joe's registration, and jane subscribed to it. */
async function scene(settings: Parameters<typeof setup>[0] = {}) {
  const all = await setup({ ...quick, ...settings });
  const registration = all.register();
  const subscription = await all.subscribe(all.jane, registration);
  const account = all.simulator.accounts.get(all.jane.id);
  if (account === undefined) throw new Error('jane has no account');
  return { ...all, registration, subscription, account, fire: () => all.simulator.trigger(registration) };
}

describe('one delivery', () => {
  it('is one signed POST', async () => {
    const { fire, endpoint, jane, account, simulator } = await scene();
    await fire();
    expect(endpoint.got).toHaveLength(1);
    const [event] = endpoint.got;
    expect(event).toMatchObject({ method: 'POST', target: '/ok' });
    expect(event?.body.toString()).toBe('{"message": "stock low"}');
    expect(event?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': '24',
      event: 'stock.low',
      'pywebhooks-signature': hmac(jane.secretKey, Buffer.from('{"message": "stock low"}')),
    });
    expect(account.failed_count).toBe(0);
    expect(simulator.sent).toEqual([
      {
        kind: 'event',
        url: endpoint.ok,
        status: 200,
        body: '{"message": "stock low"}',
        answer: '{}',
        attempt: 1,
      },
    ]);
  });

  it.each(vectors)(
    '%s goes with the body and the signature of the original',
    async (_name, secret, registered, body, signature) => {
      const { call, simulator, joe, jane, subscribe, endpoint, account } = await scene();
      account.secret_key = secret;
      const { body: made } = await call('POST /v1/webhook/registration', {
        as: joe,
        raw: `{"event":"e","description":"d","event_data":${registered}}`,
      });
      const { id } = made as { id: string };
      await subscribe(jane, id);
      await simulator.trigger(id);
      expect(endpoint.events().map((each) => each.body.toString())).toEqual([body]);
      expect(endpoint.events()[0]?.headers['pywebhooks-signature']).toBe(signature);
    },
  );

  it.each(['', null])('has no event header for %j', async (event) => {
    const { simulator, joe, jane, subscribe, endpoint } = await scene();
    const { id } = simulator.addRegistration(joe.id, { event, description: 'd', event_data: 1 });
    await subscribe(jane, id);
    await simulator.trigger(id);
    expect(endpoint.events()).toHaveLength(1);
    expect(endpoint.events()[0]?.headers).not.toHaveProperty('event');
  });

  it('sends an event’s name as Latin-1', async () => {
    const { simulator, joe, jane, subscribe, endpoint } = await scene();
    const { id } = simulator.addRegistration(joe.id, { event: 'numérisé', description: 'd', event_data: 1 });
    await subscribe(jane, id);
    await simulator.trigger(id);
    expect(endpoint.events()[0]?.headers['event']).toBe('numérisé');
  });

  it.each(['a\nb', ' a', '東京'])('cannot send an event named %j, and counts that', async (event) => {
    const { simulator, joe, jane, subscribe, endpoint, account } = await scene();
    const { id } = simulator.addRegistration(joe.id, { event, description: 'd', event_data: 1 });
    await subscribe(jane, id);
    await simulator.trigger(id);
    expect(endpoint.got).toEqual([]);
    expect(account.failed_count).toBe(4);
  });

  it('keeps the query of the endpoint', async () => {
    const { fire, endpoint, account } = await scene();
    account.endpoint = `${endpoint.ok}?token=t`;
    await fire();
    expect(endpoint.got[0]?.target).toBe('/ok?token=t');
  });

  it.each([
    ['content-length', '24', undefined],
    ['chunked', undefined, 'chunked'],
    ['pieces', undefined, 'chunked'],
  ] as const)('may be framed as %s', async (framing, length, encoding) => {
    const { fire, endpoint } = await scene({ framing });
    await fire();
    expect(endpoint.got[0]?.body.toString()).toBe('{"message": "stock low"}');
    expect(endpoint.got[0]?.headers['content-length']).toBe(length);
    expect(endpoint.got[0]?.headers['transfer-encoding']).toBe(encoding);
  });

  it.each([
    ['missing', () => undefined],
    ['upper-case', (right: string) => right.toUpperCase()],
    ['wrong-secret', () => expect.stringMatching(/^[0-9a-f]{40}$/) as unknown],
  ] as const)('may have a signature that is %s', async (signature, expected) => {
    const { fire, endpoint, jane } = await scene({ signature });
    await fire();
    const [event] = endpoint.got;
    const right = hmac(jane.secretKey, event?.body ?? Buffer.alloc(0));
    expect(event?.headers['pywebhooks-signature']).toEqual(expected(right));
    expect(event?.headers['pywebhooks-signature']).not.toBe(right);
  });
});

describe('to several', () => {
  it('each has a signature of its own, the owner too', async () => {
    const { fire, endpoint, joe, jane, registration, subscribe } = await scene();
    await subscribe(joe, registration);
    await fire();
    const [one, other] = endpoint.events();
    expect(one?.body).toEqual(other?.body);
    const signatures = endpoint.events().map(({ headers }) => headers['pywebhooks-signature']);
    const expected = [joe, jane].map(({ secretKey }) => hmac(secretKey, one?.body ?? Buffer.alloc(0)));
    expect(new Set(signatures)).toEqual(new Set(expected));
    expect(signatures).toHaveLength(2);
  });

  it('who subscribed twice gets two', async () => {
    const { fire, endpoint, jane, registration, subscribe } = await scene();
    await subscribe(jane, registration);
    await fire();
    expect(endpoint.events()).toHaveLength(2);
  });

  it('one that fails holds nobody up', async () => {
    const { simulator, endpoint, registration, subscribe, joe, sam, account, fire } = await scene({
      retryDelaysMs: [3_600_000],
    });
    account.endpoint = `${endpoint.base}/s500`;
    for (const each of [joe, sam]) await subscribe(each, registration);
    const ended = fire();
    await expect.poll(() => simulator.sent.length).toBe(3);
    expect(simulator.sent.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200, 200, 500,
    ]);
    await simulator.close();
    await ended;
    expect(simulator.sent).toHaveLength(3);
  });

  it('may come one after the other', async () => {
    const { fire, endpoint, joe, jane, sam, registration, subscribe } = await scene({ deliveriesAtOnce: 1 });
    for (const each of [joe, sam]) await subscribe(each, registration);
    let [atOnce, most] = [0, 0];
    endpoint.behave(async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      for (let permit = 0; permit < 50; permit += 1) await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return undefined;
    });
    await fire();
    expect(most).toBe(1);
    expect(endpoint.events().map(({ body, headers }) => [body, headers['pywebhooks-signature']])).toEqual(
      [jane, joe, sam].map(({ secretKey }) => {
        const body = Buffer.from('{"message": "stock low"}');
        return [body, hmac(secretKey, body)];
      }),
    );
  });

  it('may come in copies, shuffled', async () => {
    const { fire, endpoint, registration, subscribe, joe, sam } = await scene({
      copies: 3,
      shuffled: true,
      deliveriesAtOnce: 1,
    });
    for (const each of [joe, sam]) await subscribe(each, registration);
    const order = (): unknown[] =>
      endpoint.got.splice(0).map(({ headers }) => headers['pywebhooks-signature']);
    const orders = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      await fire();
      const got = order();
      expect(new Set(got).size).toBe(3);
      expect(got).toHaveLength(9);
      orders.add(got.join(' '));
    }
    expect(orders.size).toBeGreaterThan(1);
  });
});

describe('a delivery that fails', () => {
  it('is tried four times, however many waits there are', async () => {
    const { fire, endpoint, simulator, account } = await scene({ retryDelaysMs: [1, 1, 1, 1, 1] });
    account.endpoint = `${endpoint.base}/s500`;
    await fire();
    expect(endpoint.got).toHaveLength(4);
    expect(new Set(endpoint.got.map(({ body }) => body.toString())).size).toBe(1);
    expect(simulator.sent.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 500],
      [3, 500],
      [4, 500],
    ]);
    expect(account.failed_count).toBe(4);
  });

  it('is forgotten with the first that succeeds', async () => {
    const { fire, endpoint, account } = await scene();
    endpoint.behave(() => (endpoint.got.length < 3 ? { status: 503, body: '{}' } : undefined));
    await fire();
    expect(endpoint.got).toHaveLength(3);
    expect(account.failed_count).toBe(0);
  });

  it.each([
    [160, { status: 201, body: '{}' }],
    [160, { status: 204 }],
    [160, { status: 200, body: '' }],
    [160, { status: 200, body: 'OK' }],
    [159, 'never'],
  ] satisfies [number, Reply | 'never'][])('%i: fails by the answer %j', async (_number, reply) => {
    const { fire, endpoint, account } = await scene({
      retryDelaysMs: [],
      answerWithinMs: reply === 'never' ? 100 : 5_000,
    });
    endpoint.behave(() => reply);
    await fire();
    expect(endpoint.got).toHaveLength(1);
    expect(account.failed_count).toBe(1);
  });

  it.each([
    ['a closed port', closedPort],
    ['no address', () => 'nowhere'],
    ['null', () => null],
  ])('fails at %s', async (_name, endpoint) => {
    const { fire, account, simulator } = await scene({ retryDelaysMs: [] });
    account.endpoint = await endpoint();
    await fire();
    expect(account.failed_count).toBe(1);
    expect(simulator.sent).toMatchObject([{ status: 0, answer: '' }]);
  });

  it.each([
    ['redirect', true, 'GET', 0],
    ['repeat', true, 'POST', 0],
    ['loop', true, 'GET', 1],
    ['redirect', false, 'POST', 1],
    ['repeat', false, 'POST', 1],
  ])('at %s, followed: %s', async (path, followRedirects, method, count) => {
    const { fire, endpoint, account, jane } = await scene({ followRedirects, retryDelaysMs: [] });
    account.endpoint = `${endpoint.base}/${path}`;
    await fire();
    expect(account.failed_count).toBe(count);
    const last = endpoint.got.at(-1);
    expect(last?.method).toBe(method);
    expect(last?.headers['event']).toBe('stock.low');
    const body = Buffer.from('{"message": "stock low"}');
    expect(last?.headers['pywebhooks-signature']).toBe(hmac(jane.secretKey, body));
    expect(last?.body.toString()).toBe(method === 'POST' ? body.toString() : '');
    expect(last?.headers['content-type']).toBe(method === 'POST' ? 'application/json' : undefined);
  });
});

describe('an account that failed too often', () => {
  it.each([
    [162, 249, 1],
    [163, 250, 0],
  ])('%i: with %i failures gets %i', async (_number, failures, deliveries) => {
    const { call, joe, registration, account, simulator, fire } = await scene();
    account.failed_count = failures;
    await fire();
    expect(simulator.sent).toHaveLength(deliveries);
    expect((await call(`POST /v1/webhook/triggered/${registration}`, { as: joe })).status).toBe(201);
  });

  it('gets something again once it has said where', async () => {
    const { call, jane, account, endpoint, fire } = await scene({ maxFailedCount: 3 });
    account.failed_count = 3;
    await fire();
    expect(endpoint.got).toEqual([]);
    await call('PATCH /v1/account', { as: jane, json: { endpoint: endpoint.ok } });
    await fire();
    expect(endpoint.got).toHaveLength(1);
  });
});

describe('between two attempts', () => {
  /** The second attempt, after something has changed while the first one waited for its answer. */
  async function retried(
    snapshot: boolean,
    change: (all: Awaited<ReturnType<typeof scene>>) => Promise<unknown> | void,
  ) {
    const all = await scene({ snapshot });
    const { endpoint, fire } = all;
    let events = 0;
    endpoint.behave(async ({ method }) => {
      if (method !== 'POST') return undefined;
      events += 1;
      if (events > 1) return undefined;
      await change(all);
      return { status: 500, body: '{}' };
    });
    await fire();
    return { ...all, second: endpoint.events()[1] };
  }
  const body = Buffer.from('{"message": "stock low"}');

  it.each([true, false])('a new secret, with the old one kept: %s', async (snapshot) => {
    const { second, jane, account } = await retried(snapshot, (all) =>
      all.call('POST /v1/account/reset/secretkey', { as: all.jane }),
    );
    expect(account.secret_key).not.toBe(jane.secretKey);
    const secret = snapshot ? jane.secretKey : account.secret_key;
    expect(second?.headers['pywebhooks-signature']).toBe(hmac(secret, body));
  });

  it.each([true, false])('the end of the subscription, ignored: %s', async (snapshot) => {
    const { second } = await retried(snapshot, ({ call, jane, subscription }) =>
      call(`DELETE /v1/webhook/subscription/${subscription}`, { as: jane }),
    );
    expect(second !== undefined).toBe(snapshot);
  });

  it.each([true, false])('the end of the account, ignored: %s', async (snapshot) => {
    const { second } = await retried(snapshot, ({ call, jane }) =>
      call(`DELETE /v1/account/${jane.id}`, { as: jane }),
    );
    expect(second !== undefined).toBe(snapshot);
  });

  it.each([true, false])('another endpoint, ignored: %s', async (snapshot) => {
    const { second } = await retried(snapshot, ({ account, endpoint }) => {
      account.endpoint = `${endpoint.ok}?new`;
    });
    expect(second?.target).toBe(snapshot ? '/ok' : '/ok?new');
  });
});
