import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signEvent } from '../../../src/local/preservica/sender.ts';
import type { Settings } from '../../../src/local/preservica/settings.ts';
import { clientOf, startSimulator, type Client } from './client.ts';

const secret = 'my_shared_secret';
const b1 =
  '{"subscriptionId":"0123456789abcdef0123456789abcdef","timestamp":"2024-03-05T09:08:07.065","tenant":"ACME","version":"8.1","events":[{"event":"FullTextIndexed","entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[]}],"trigger":"FULL_TEXT_INDEXED"}';
const b1Signature = 'a2d178ad57044494cd838505014c026efda3cc75e16f694f901ea37ee358b09d';
const c2 = {
  code: 'c306c99ca3a736124fa711bec53c737d',
  response: '396e28f6420ee0d4da4bd0f92e413dcad467c51653e3a9e16dcea2b0bbf56678',
};

interface Got {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  /** As they came from the connection. */
  readonly pieces: readonly Buffer[];
  readonly body: Buffer;
}

const codeOf = (target: string): string | null =>
  new URL(target, 'http://x').searchParams.get('challengeCode');
const rightAnswer = (code: string): string =>
  JSON.stringify({
    challengeCode: code,
    challengeResponse: createHmac('sha256', secret).update(code).digest('hex'),
  });

/** Somebody's receiver: answers handshakes rightly, and says 200 to the rest, unless told otherwise. */
async function startReceiver(
  reply: (got: Got) => { status?: number; body?: string; type?: string } | 'never' = () => ({}),
) {
  const got: Got[] = [];
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.once('end', () => {
      const target = incoming.url ?? '';
      const each: Got = { target, headers: incoming.headers, pieces, body: Buffer.concat(pieces) };
      got.push(each);
      const given = reply(each);
      if (given === 'never') return;
      const code = codeOf(target);
      response.writeHead(given.status ?? 200, { 'content-type': given.type ?? 'application/json' });
      response.end(given.body ?? (code === null ? '' : rightAnswer(code)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/preservica`;
  return { url, got, events: () => got.filter(({ target }) => codeOf(target) === null) };
}

const subscribe = async (
  client: Client,
  url: unknown,
  given: object = {},
  path = '/api/webhook/subscriptions',
) =>
  await client(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      url,
      triggerType: 'FULL_TEXT_INDEXED',
      secret,
      includeIdentifiers: 'true',
      ...given,
    }),
  });

async function setup(settings: Partial<Settings> = {}) {
  const simulator = await startSimulator({ settings });
  return { simulator, client: await clientOf(simulator) };
}

describe('a subscription', () => {
  it('is made after the handshake, listed without its secret, and removed', async () => {
    const { client } = await setup({ challengeCode: c2.code });
    const receiver = await startReceiver(() => ({
      body: JSON.stringify({ challengeCode: c2.code, challengeResponse: c2.response }),
    }));
    const created = await subscribe(client, receiver.url);
    expect(created.status).toBe(200);
    const subscription = JSON.parse(created.text) as { id: string };
    expect(subscription).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      url: receiver.url,
      triggerType: 'FULL_TEXT_INDEXED',
      includeIdentifiers: true,
    });
    expect(receiver.got).toMatchObject([
      { target: `/api/preservica?challengeCode=${c2.code}`, headers: { 'content-length': '0' } },
    ]);
    expect(JSON.parse((await client('/api/webhook/subscriptions')).text)).toEqual([subscription]);
    const remove = async () =>
      (await client(`/api/webhook/subscriptions/${subscription.id}`, { method: 'DELETE' })).status;
    expect(await remove()).toBe(204);
    expect(await remove()).toBe(404);
    expect((await client('/api/webhook/subscriptions')).text).toBe('[]');
  });

  it.each([
    ['another status', () => ({ status: 201 })],
    ['no JSON', () => ({ body: 'OK' })],
    ['JSON that is no object', () => ({ body: 'null' })],
    ['another code', () => ({ body: rightAnswer('x') })],
    [
      'upper-case hex',
      () => ({
        body: JSON.stringify({ challengeCode: c2.code, challengeResponse: c2.response.toUpperCase() }),
      }),
    ],
    ['nothing in time', () => 'never' as const],
  ])('fails with a handshake that gets %s', async (_name, reply) => {
    const { client, simulator } = await setup({ answerWithinMs: 300, challengeCode: c2.code });
    const receiver = await startReceiver(reply);
    const created = await subscribe(client, receiver.url);
    expect(created.status).toBe(400);
    expect(created.text).not.toBe('');
    expect(simulator.subscriptions.size).toBe(0);
  });

  it.each([
    ['no URL', { url: undefined }],
    ['no address', { url: 'preservica' }],
    ['no web address', { url: 'ftp://127.0.0.1/' }],
    ['nobody there', { url: 'http://127.0.0.1:1/' }],
    ['no TLS there', { url: 'https://127.0.0.1:1/' }],
    ['an unknown trigger', { triggerType: 'INDEXED' }],
    ['a name every object has', { triggerType: 'constructor' }],
    ['no secret', { secret: '' }],
  ])('is refused with %s', async (_name, given) => {
    const { client } = await setup();
    const receiver = await startReceiver();
    expect((await subscribe(client, receiver.url, given)).status).toBe(400);
  });

  it('needs a manager', async () => {
    const { client, simulator } = await setup();
    simulator.settings.account.roles = ['ROLE_SDB_USER_MANAGER_USER'];
    expect((await client('/api/webhook/subscriptions')).status).toBe(403);
    simulator.settings.account.roles = ['ROLE_SDB_CONFIG_MANAGER_USER'];
    expect((await client('/api/webhook/v6.8/subscriptions')).status).toBe(200);
  });

  it('may be strict about the type, and sign or fill its challenge', async () => {
    const { client, simulator } = await setup({ strictContentType: true, challenge: 'signed' });
    const plain = await startReceiver(() => ({ type: 'text/html' }));
    expect((await subscribe(client, plain.url)).status).toBe(400);
    expect(plain.got[0]?.headers['preservica-signature']).toBe(signEvent(secret, Buffer.alloc(0)));
    Object.assign(simulator.settings, { strictContentType: false, challenge: 'json-body' });
    expect((await subscribe(client, plain.url)).status).toBe(200);
    expect(plain.got[1]?.body.toString()).toBe('{}');
  });

  it('adds its code to a query that is there, or puts it in its place', async () => {
    const { client, simulator } = await setup({ challengeCode: 'a+b/c%d=' });
    const receiver = await startReceiver();
    expect((await subscribe(client, `${receiver.url}?code=key`)).status).toBe(200);
    simulator.settings.existingQuery = 'replace';
    expect((await subscribe(client, `${receiver.url}?code=key`)).status).toBe(200);
    expect(receiver.got.map(({ target }) => target)).toEqual([
      '/api/preservica?code=key&challengeCode=a%2Bb%2Fc%25d%3D',
      '/api/preservica?challengeCode=a%2Bb%2Fc%25d%3D',
    ]);
  });
});

describe('an event', () => {
  it('is signed over its bytes as they are sent', async () => {
    const { client, simulator } = await setup();
    const receiver = await startReceiver();
    await subscribe(client, receiver.url);
    await subscribe(client, receiver.url, { triggerType: 'MOVED' });
    const asset = simulator.library.addAsset({
      title: 'Harbour',
      identifiers: [{ type: 'Titre', value: 'café' }],
    });
    await simulator.happen('FULL_TEXT_INDEXED', [asset]);
    const [event, ...others] = receiver.events();
    expect(others).toEqual([]);
    expect(event?.headers).toMatchObject({
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
      'preservica-signature': createHmac('sha256', secret)
        .update('preservica-webhook-auth')
        .update(event?.body ?? '')
        .digest('hex'),
    });
    expect(JSON.parse(event?.body.toString() ?? '')).toEqual({
      subscriptionId: [...simulator.subscriptions.keys()][0],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/) as unknown,
      tenant: 'ACME',
      version: '8.1',
      events: [
        {
          event: 'FullTextIndexed',
          entityType: 'IO',
          entityRef: asset.ref,
          identifiers: [{ Titre: 'café' }],
        },
      ],
      trigger: 'FULL_TEXT_INDEXED',
    });
  });

  it.each(['chunked', 'pieces', 'content-length'] as const)('B1 arrives as it is: %s', async (framing) => {
    const { simulator } = await setup();
    const receiver = await startReceiver();
    const body = Buffer.from(b1);
    expect(await simulator.deliver(receiver.url, { secret, body, framing })).toMatchObject({ status: 200 });
    const [event] = receiver.events();
    expect(event?.body.equals(body)).toBe(true);
    expect(event?.headers['preservica-signature']).toBe(b1Signature);
    expect(event?.headers['content-length']).toBe(framing === 'content-length' ? '278' : undefined);
  });

  it('may be cut inside a character', async () => {
    const { simulator } = await setup();
    const receiver = await startReceiver();
    const body = Buffer.from(JSON.stringify({ name: '東京 € 🖼 café, 東京 € 🖼 café' }));
    await simulator.deliver(receiver.url, { secret, body, framing: 'pieces' });
    const [event] = receiver.events();
    expect(event?.body.equals(body)).toBe(true);
    expect(event?.pieces.some((piece) => piece.toString().includes('\uFFFD'))).toBe(true);
  });

  it('may have any signature, or none', async () => {
    const { simulator } = await setup();
    const receiver = await startReceiver(() => ({ status: 401, body: 'no' }));
    const body = Buffer.from(b1);
    const wrong = await simulator.deliver(receiver.url, { secret, body, signature: 'x' });
    expect(wrong).toMatchObject({ status: 401, body: 'no' });
    await simulator.deliver(receiver.url, { secret, body, signature: null });
    expect(receiver.events().map(({ headers }) => headers['preservica-signature'])).toEqual(['x', undefined]);
  });

  // The published values for a body and key with an é (section 7.2, B5 and B6).
  it.each([
    ['my_shared_secret', 'utf8', 'c44fb4ad95c30a90179da51e5fd30f19a37edd13990fa92bf157a774a7beae38'],
    ['café-secret', 'utf8', '2187560c8848e1c64398e5d89c07e8390e7510fb989ebd05778d12584029ae1b'],
    ['café-secret', 'latin1', 'c4890eb5aaebe881e0aac64c14ccf1df7acf2263c2db48ac694fd5ce47291272'],
  ] as const)('is signed with the bytes of %s in %s', (key, encoding, signature) => {
    const body =
      '{"tenant":"ACME","events":[{"entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[{"Titre":"café"}]}],"trigger":"FULL_TEXT_INDEXED"}';
    expect(signEvent(key, Buffer.from(body), encoding)).toBe(signature);
  });

  it('comes again until it is taken', async () => {
    const { client, simulator } = await setup({ retryDelaysMs: [1, 1, 1] });
    let refusals = 2;
    const receiver = await startReceiver(({ target }) =>
      codeOf(target) === null && (refusals -= 1) >= 0 ? { status: 503 } : {},
    );
    await subscribe(client, receiver.url);
    await simulator.happen('FULL_TEXT_INDEXED', [simulator.library.addAsset({ title: 'Harbour' })]);
    const sent = simulator.sent.filter(({ kind }) => kind === 'event');
    expect(sent.map(({ status }) => status)).toEqual([503, 503, 200]);
  });

  it('comes in order, in batches, twice, and with other identifiers, as set', async () => {
    const { client, simulator } = await setup({
      deliveriesAtOnce: 1,
      batch: 2,
      copies: 2,
      identifiers: 'type-and-value',
    });
    const receiver = await startReceiver();
    await subscribe(client, receiver.url);
    const identifiers = [{ type: 'BatchId', value: 'B-0042' }];
    const entities = [
      simulator.library.addFolder({ title: 'One', identifiers }),
      ...Array.from({ length: 4 }, (_, index) => simulator.library.addAsset({ title: `Asset ${index}` })),
    ];
    await simulator.happen('FULL_TEXT_INDEXED', entities);
    const documents = receiver
      .events()
      .map(({ body }) => JSON.parse(body.toString()) as { events: { entityRef: string }[] });
    const refs = entities.map(({ ref }) => ref);
    const batches = [refs.slice(0, 2), refs.slice(2, 4), refs.slice(4)];
    expect(documents.map(({ events }) => events.map(({ entityRef }) => entityRef))).toEqual(
      batches.flatMap((batch) => [batch, batch]),
    );
    expect(documents[0]?.events[0]).toMatchObject({ entityType: 'SO', identifiers });
  });
});

it('tells subscribers of a move and of another tag', async () => {
  const { client, simulator } = await setup();
  const receiver = await startReceiver();
  await subscribe(client, receiver.url, { triggerType: 'MOVED' });
  await subscribe(client, receiver.url, { triggerType: 'CHANGED_SECURITY_DESCRIPTOR' });
  const folder = simulator.library.addFolder({ title: 'Glass negatives' });
  const asset = simulator.library.addAsset({ title: 'Harbour' });
  const path = `/api/entity/information-objects/${asset.ref}`;
  const moved = await client(`${path}/parent-ref`, { method: 'PUT', body: folder.ref });
  expect(moved.status).toBe(202);
  expect((await client(`/api/entity/progress/${moved.text}`)).text).toContain('<Status>COMPLETED</Status>');
  const tagged = await client(`${path}/security-descriptor?includeDescendants=false`, {
    method: 'PUT',
    body: 'public',
  });
  expect(tagged.status).toBe(202);
  await expect.poll(() => receiver.events().length).toBe(2);
  const triggers = receiver
    .events()
    .map(({ body }) => (JSON.parse(body.toString()) as { trigger: string }).trigger);
  expect(triggers.toSorted()).toEqual(['CHANGED_SECURITY_DESCRIPTOR', 'MOVED']);
  expect(asset).toMatchObject({ parent: folder.ref, securityTag: 'public' });
  expect(simulator.library.get(asset.representations[0]?.contentObjects[0] ?? '')?.securityTag).toBe(
    'public',
  );
});
