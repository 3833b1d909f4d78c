import type { HttpHandler } from '@azure/functions';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Bodies } from '../../src/functions/bodies.ts';
import { webhooks, type WebhookDeps } from '../../src/functions/webhooks.ts';
import { InFlight } from '../../src/pipeline/concurrency/in-flight.ts';
import type { WebhookSecrets } from '../../src/pipeline/ports/secrets.ts';
import { offersTo } from '../../src/secrets/secret-offer.ts';
import { preservicaReceiver } from '../../src/sources/preservica/receiver.ts';
import { pywebhooksReceiver } from '../../src/sources/pywebhooks/receiver.ts';
import { callDoor } from '../support/door.ts';
import { memoryStores } from '../support/memory-stores.ts';
import { memoryWindows } from '../support/memory-windows.ts';
import { secretsWith } from '../support/secrets.ts';

const secret = 'my_shared_secret';
const sign = (body: string, key = secret): string =>
  createHmac('sha256', key).update('preservica-webhook-auth').update(body).digest('hex');
const document = (given: object = {}): string =>
  JSON.stringify({
    subscriptionId: 's',
    timestamp: '2026-01-05T09:08:07.065',
    trigger: 'MOVED',
    events: [{ entityType: 'IO', entityRef: '11111111-2222-4333-8444-555555555555' }],
    ...given,
  });

function door(given: Partial<WebhookDeps> = {}) {
  const stores = memoryStores();
  const deps: Omit<WebhookDeps, 'offers'> = {
    sources: new Map([['archive', { receiver: preservicaReceiver({ handshake: 'strict' }) }]]),
    secrets: secretsOf([secret]),
    queue: stores.queue,
    deliveries: stores.deliveryStore,
    ledger: stores.ledger,
    windows: memoryWindows().windows,
    refusals: { count: () => undefined },
    refreshEveryMs: 0,
    maxDeliveryBytes: 1_000_000,
    bodies: new Bodies(10_000_000),
    keeping: new InFlight(),
    now: () => Date.parse('2026-01-05T10:00:00Z'),
    newId: () => 'delivery-1',
    ...given,
  };
  const offers = new Map(
    [...deps.sources.keys()].map((name) => [name, offersTo(name, { ...deps, log: () => undefined })]),
  );
  const handler = webhooks({ ...deps, offers });
  const post = async (body: string, signature?: string, path = '/webhooks/archive') =>
    await callDoor(handler, {
      method: 'POST',
      path,
      body: { string: body },
      headers: signature === undefined ? {} : { 'preservica-signature': signature },
    });
  return { ...stores, handler, post };
}

function secretsOf(found: WebhookSecrets | undefined, afterAnotherLook = found): WebhookDeps['secrets'] {
  let looked = false;
  return secretsWith({
    webhookSecrets: async () => (looked ? afterAnotherLook : found),
    refresh: async () => {
      looked = true;
    },
  });
}

describe('the door of a source', () => {
  it('queues the whole delivery in one message before it says 200', async () => {
    const { post, messages } = door();
    const body = document();
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
    expect(messages.map(({ text }) => JSON.parse(text) as unknown)).toMatchObject([
      {
        v: 1,
        deliveryId: 'delivery-1',
        source: 'archive',
        receivedAt: '2026-01-05T10:00:00.000Z',
        attempt: 0,
        replayId: null,
        events: [{ type: 'MOVED' }],
      },
    ]);
  });

  it.each([
    ['no signature', undefined],
    ['an empty one', ''],
    ['a wrong one', sign('{}')],
    ['an upper-case one', sign(document()).toUpperCase()],
    ['a doubled one', `${sign(document())}, ${sign(document())}`],
    ['one by another key', sign(document(), 'another secret')],
  ])('answers %s with the same 401, and queues nothing', async (_name, signature) => {
    const { post, writes } = door();
    const { status, body } = await post(document(), signature);
    expect({ status, body }).toEqual({ status: 401, body: { error: 'not proved' } });
    expect(writes).toEqual([]);
  });

  it('takes the secret that is being retired, and answers a handshake with the current one', async () => {
    const { post } = door({ secrets: secretsOf(['the new secret', secret]) });
    const body = document();
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
    const { body: answer } = await post('', undefined, '/webhooks/archive?challengeCode=abc');
    const response = createHmac('sha256', 'the new secret').update('abc').digest('hex');
    expect(answer).toEqual({ challengeCode: 'abc', challengeResponse: response });
  });

  it('looks for a newer secret once before it refuses', async () => {
    const { post } = door({ secrets: secretsOf(['old secret of ours'], [secret]) });
    const body = document();
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
  });

  it.each([
    ['not JSON', 'hello'],
    ['not the shape', '[]'],
  ])('keeps a rightly signed body that is %s, records it, and says 400', async (_name, body) => {
    const { post, deliveries, events, messages } = door();
    expect(await post(body, sign(body))).toMatchObject({ status: 400 });
    expect([...deliveries.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual([body]);
    expect([...events.values()].map(({ value }) => value.summary)).toMatchObject([
      { source: 'archive', state: 'failed', reason: { code: 'unreadable' } },
    ]);
    expect(messages).toEqual([]);
  });

  it('takes a map of many names, and says in the log alone where a body is too dense', async () => {
    const { post, messages } = door();
    const prices = Object.fromEntries(
      Array.from({ length: 15_790 }, (_, at) => [`SKU-${String(at).padStart(7, '0')}`, 12.5]),
    );
    const map = document({ prices });
    expect(await post(map, sign(map))).toMatchObject({ status: 200 });
    expect(messages).toHaveLength(1);

    const dense = document({ list: Array.from({ length: 250_000 }, () => []) });
    const { status, body, logged } = await post(dense, sign(dense));
    expect({ status, body }).toEqual({ status: 400, body: { error: 'bad request' } });
    expect(logged.at(-1)).toMatchObject({ event: 'delivery-refused', why: 'too-dense' });
  });

  it('logs what nobody can read as a failed event, once, and the refusal each time', async () => {
    const { post } = door();
    const first = await post('hello', sign('hello'));
    expect(first.logged).toMatchObject([
      {
        level: 'error',
        event: 'event-ended',
        source: 'archive',
        delivery: 'delivery-1',
        state: 'failed',
        code: 'unreadable',
      },
      { level: 'warning', event: 'delivery-refused', why: 'not-json' },
    ]);
    const second = await post('hello', sign('hello'));
    expect(second.logged).toMatchObject([{ event: 'delivery-refused' }]);
  });

  it('says 503 when what nobody can read cannot be kept', async () => {
    const failing = { put: async () => await Promise.reject(new Error('away')), get: async () => undefined };
    const { post } = door({ deliveries: failing });
    expect(await post('hello', sign('hello'))).toMatchObject({ status: 503 });
  });

  it.each([['{}'], ['{"events":null}'], ['{"events":[]}']])('does nothing for %s, politely', async (body) => {
    const { post, writes } = door();
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
    expect(writes).toEqual([]);
  });

  it('keeps what does not fit into a message as a claim, the bytes first', async () => {
    const { post, deliveries, messages, writes } = door();
    const body = document({ padding: 'x'.repeat(60_000) });
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
    expect(writes).toEqual(['delivery', 'message']);
    const [blob] = deliveries.keys();
    expect(JSON.parse(messages[0]?.text ?? '')).toMatchObject({ claim: { blob, from: 0, to: 1 } });
    expect(Buffer.from(deliveries.get(blob ?? '') ?? []).toString()).toBe(body);
  });

  it('keeps a delivery whose events would be vast when written out, without writing them out', async () => {
    const { post, messages } = door();
    const body = JSON.stringify({
      trigger: 'x'.repeat(20_000),
      events: Array.from({ length: 9_000 }, () => ({})),
    });
    expect(await post(body, sign(body))).toMatchObject({ status: 200 });
    expect(JSON.parse(messages[0]?.text ?? '')).toMatchObject({ claim: { from: 0, to: 9_000 } });
  });

  it.each([
    ['the start of an event', 'preservica-webhook-auth%7B%22events%22%3A%5B%5D%7D'],
    ['empty', ''],
    ['too long', 'a'.repeat(257)],
  ])('refuses a code that is %s, and counts it in the log', async (_name, code) => {
    const { post } = door();
    const answer = await post('', undefined, `/webhooks/archive?challengeCode=${code}`);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toMatch(/[0-9a-f]{64}/);
    expect(answer.logged).toMatchObject([{ event: 'delivery-refused', refusals: 1 }]);
    expect(JSON.stringify(answer.logged)).not.toContain('preservica-webhook-auth');
  });

  it('says 413 for a body over the limit, declared or not, and nothing of it is hashed', async () => {
    const { handler, post } = door({ maxDeliveryBytes: 10 });
    expect(await post('x'.repeat(11), sign('x'.repeat(11)))).toMatchObject({ status: 413 });
    expect(await post('x'.repeat(10), sign('y'))).toMatchObject({ status: 401 });
    const declared = {
      method: 'POST' as const,
      path: '/webhooks/archive',
      headers: { 'content-length': '11' },
    };
    expect(await callDoor(handler, declared)).toMatchObject({ status: 413 });
  });

  it.each([
    ['GET', '/webhooks/archive', 405],
    ['POST', '/webhooks/unknown', 404],
    ['POST', '/webhooks/constructor', 404],
    ['POST', '/webhooks/archive/', 401],
    ['POST', '/WEBHOOKS/archive', 401],
    ['POST', '/webhooks/archive?Source=photos&source=x', 401],
  ])('answers %s %s with %i', async (method, path, status) => {
    const { handler } = door();
    expect(await callDoor(handler, { method, path })).toMatchObject({ status });
  });

  it('says 503 while there is no secret', async () => {
    const { post } = door({ secrets: secretsOf(undefined) });
    const answer = await post(document(), sign(document()));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('30');
  });

  it.each([
    ['fails', async () => await Promise.reject(new Error('away'))],
    ['never answers', async () => await new Promise<never>(() => undefined)],
  ])(
    'says 503 within five seconds when the queue %s',
    async (_name, send) => {
      const { post } = door({ queue: { send } });
      const body = document();
      const startedAt = performance.now();
      const answer = await post(body, sign(body));
      expect(answer).toMatchObject({ status: 503 });
      expect(answer.headers.has('retry-after')).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
    10_000,
  );

  it('logs nothing of a body, a signature or a secret', async () => {
    const { post } = door();
    const body = document({ tenant: 'TELL-NOBODY' });
    for (const signature of [sign(body), sign('other'), undefined]) {
      const { logged } = await post(body, signature);
      expect(JSON.stringify(logged)).not.toMatch(/TELL-NOBODY|[0-9a-f]{64}|my_shared_secret/);
    }
  });
});

describe('the door of a PyWebhooks source', () => {
  const sources = new Map([
    ['archive', { receiver: pywebhooksReceiver({ pointers: {}, deduplicateMs: 0 }) }],
  ]);
  const post = async (handler: HttpHandler, body: string) =>
    await callDoor(handler, {
      method: 'POST',
      path: '/webhooks/archive',
      body: { string: body },
      headers: {
        'pywebhooks-signature': createHmac('sha1', secret).update(body).digest('hex'),
        event: 'stock.low',
      },
    });

  it('says 503 to a new key that it cannot keep, in one line of the log', async () => {
    const until = Date.parse('2026-01-05T10:05:00Z');
    const { handler } = door({
      sources,
      secrets: secretsWith({ take: async () => await Promise.reject(new Error('no place to keep it')) }),
      windows: memoryWindows({ archive: [{ which: 'secret', until }] }).windows,
    });
    const { status, logged } = await callDoor(handler, {
      path: `/webhooks/archive?secret_key=${'0a'.repeat(20)}`,
    });
    expect(status).toBe(503);
    expect(logged).toMatchObject([
      { event: 'secret-not-kept', source: 'archive', which: 'secret', error: 'no place to keep it' },
    ]);
  });

  it('keeps what a call that cannot be read said of its event beside its body', async () => {
    const { handler, events, deliveries, eventNames } = door({ sources });
    expect(await post(handler, 'no JSON')).toMatchObject({ status: 400 });
    const [blob] = deliveries.keys();
    expect([...events.values()].map(({ value }) => value.content)).toEqual([{ unread: { blob } }]);
    expect(eventNames.get(blob ?? '')).toBe('stock.low');
  });
});
