import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signEvent } from '../../../../src/local/simulators/preservica/sender.ts';
import { codeOf, secret, setup, startReceiver, subscribe } from './receiver.ts';

const b1 =
  '{"subscriptionId":"0123456789abcdef0123456789abcdef","timestamp":"2024-03-05T09:08:07.065","tenant":"ACME","version":"8.1","events":[{"event":"FullTextIndexed","entityType":"IO","entityRef":"11111111-2222-4333-8444-555555555555","identifiers":[]}],"trigger":"FULL_TEXT_INDEXED"}';
const b1Signature = 'a2d178ad57044494cd838505014c026efda3cc75e16f694f901ea37ee358b09d';

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

  // The published values for a body and key with an é.
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
    // How many were given up when each arrived: all before it, or it overtook one.
    const endedBefore: number[] = [];
    const receiver = await startReceiver(({ target }) => {
      if (codeOf(target) !== null) return {};
      endedBefore.push(simulator.sent.filter(({ kind }) => kind === 'event').length);
      return 'never';
    });
    await subscribe(client, receiver.url);
    simulator.settings.answerWithinMs = 200;
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
    expect(endedBefore).toEqual([0, 1, 2, 3, 4, 5]);
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
