import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventId } from '../../../src/pipeline/model/event-id.ts';
import { AssetEvent } from '../../../src/pipeline/model/event.ts';
import { preservicaReceiver } from '../../../src/sources/preservica/receiver.ts';
import { eventsIn } from '../../support/events-in.ts';

const secret = 'my_shared_secret';
const strict = preservicaReceiver({ handshake: 'strict' });
const receipt = { source: 'archive', deliveryId: 'd-1', receivedAt: new Date('2026-01-05T10:00:00Z') };
const reference = '11111111-2222-4333-8444-555555555555';

function sign(body: Uint8Array | string): string {
  return createHmac('sha256', secret).update('preservica-webhook-auth').update(body).digest('hex');
}

function judge(given: { query?: string; signature?: string; body?: string }, receiver = strict) {
  const headers = new Map(given.signature === undefined ? [] : [['preservica-signature', given.signature]]);
  return receiver.verify(
    { method: 'POST', query: new URLSearchParams(given.query), headers, body: Buffer.from(given.body ?? '') },
    [secret],
  );
}

function read(document: unknown) {
  return strict.read(
    Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)),
    receipt,
  );
}

function events(document: unknown): AssetEvent[] {
  return eventsIn(read(document));
}

function item(given: object = {}) {
  return { event: 'FullTextIndexed', entityType: 'IO', entityRef: reference, identifiers: [], ...given };
}

function envelope(given: object = {}) {
  return {
    subscriptionId: 's',
    timestamp: '2026-01-05T09:08:07.065',
    tenant: 'ACME',
    version: '8.1',
    events: [item()],
    trigger: 'FULL_TEXT_INDEXED',
    ...given,
  };
}

describe('the handshake', () => {
  it('answers with exactly two members', () => {
    expect(judge({ query: 'challengeCode=c306c99ca3a736124fa711bec53c737d' })).toEqual({
      kind: 'handshake',
      answer: {
        challengeCode: 'c306c99ca3a736124fa711bec53c737d',
        challengeResponse: '396e28f6420ee0d4da4bd0f92e413dcad467c51653e3a9e16dcea2b0bbf56678',
      },
    });
  });

  it.each([
    ['the start of an event', 'challengeCode=preservica-webhook-auth%7B%22events%22%3A%5B%5D%7D'],
    ['the start of an event in allowed letters', 'challengeCode=preservica-webhook-authAAAA'],
    ['the prefix alone', 'challengeCode=preservica-webhook-auth'],
    ['an empty code', 'challengeCode='],
    ['a code without a value', 'challengeCode'],
    ['over 256 characters', `challengeCode=${'a'.repeat(257)}`],
    ['other characters', 'challengeCode=a%22b'],
    ['a plus that means a blank', 'challengeCode=a+b'],
    ['letters with accents', 'challengeCode=%C3%A9'],
    ['a line end', 'challengeCode=abc%0A'],
    ['two codes', 'challengeCode=a&challengeCode=b'],
  ])('refuses %s', (_name, query) => {
    expect(judge({ query })).toMatchObject({ kind: 'refused' });
  });

  it('refuses a code beside a body or a signature when strict', () => {
    expect(judge({ query: 'challengeCode=abc', body: ' ' })).toMatchObject({ kind: 'refused' });
    expect(judge({ query: 'challengeCode=abc', signature: sign('') })).toMatchObject({
      kind: 'refused',
    });
  });

  it('takes both when lenient, and still no code that could be an event', () => {
    const lenient = preservicaReceiver({ handshake: 'lenient' });
    expect(judge({ query: 'challengeCode=abc', body: '{}', signature: sign('{}') }, lenient).kind).toBe(
      'handshake',
    );
    expect(judge({ query: 'challengeCode=preservica-webhook-authx', body: '{}' }, lenient).kind).toBe(
      'refused',
    );
  });

  it('never gives an answer that verifies as an event', () => {
    const code = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[A-Za-z0-9._~+/=-]{1,256}$/),
      fc.string().map((body) => `preservica-webhook-auth${body}`),
    );
    fc.assert(
      fc.property(code, fc.string(), (given, other) => {
        const verdict = judge({ query: new URLSearchParams({ challengeCode: given }).toString() });
        if (verdict.kind !== 'handshake') return;
        const signature = verdict.answer['challengeResponse'] ?? '';
        const bodies = [other, '', given, given.slice('preservica-webhook-auth'.length)];
        for (const body of bodies) expect(judge({ body, signature }).kind).toBe('not-proved');
      }),
    );
  });
});

describe('proof', () => {
  const body = JSON.stringify(envelope());
  const good = sign(body);

  it('takes a rightly signed body', () => {
    expect(judge({ body, signature: good })).toMatchObject({ kind: 'proved' });
  });

  it.each([
    ['none', undefined, 'no-signature'],
    ['empty', '', 'malformed-signature'],
    ['upper case', good.toUpperCase(), 'malformed-signature'],
    ['twice', `${good}, ${good}`, 'malformed-signature'],
    ['with a scheme', `sha256=${good}`, 'malformed-signature'],
    ['too short', good.slice(1), 'malformed-signature'],
    ['of another body', sign('{}'), 'wrong-signature'],
    ['without the prefix', createHmac('sha256', secret).update(body).digest('hex'), 'wrong-signature'],
  ])('refuses a signature that is %s', (_name, signature, why) => {
    expect(judge({ body, ...(signature === undefined ? {} : { signature }) })).toEqual({
      kind: 'not-proved',
      why,
    });
  });
});

describe('reading', () => {
  it('gives an event in our words', () => {
    expect(events(envelope({ events: [item({ colour: 'red' })] }))).toEqual([
      {
        id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
        type: 'FULL_TEXT_INDEXED',
        assetKind: 'asset',
        assetId: reference,
        occurredAt: '2026-01-05T09:08:07.065Z',
        identifiers: [],
        data: {
          subscriptionId: 's',
          timestamp: '2026-01-05T09:08:07.065',
          tenant: 'ACME',
          version: '8.1',
          trigger: 'FULL_TEXT_INDEXED',
          event: 'FullTextIndexed',
          entityType: 'IO',
          entityRef: reference,
          colour: 'red',
        },
      },
    ]);
  });

  it.each([
    ['IO', 'asset'],
    ['SO', 'folder'],
    ['CO', 'other'],
    ['toString', 'other'],
    [undefined, 'other'],
    [5, 'other'],
  ])('reads the entity type %s as %s', (entityType, assetKind) => {
    expect(events(envelope({ events: [item({ entityType })] }))).toMatchObject([{ assetKind }]);
  });

  it('takes a trigger that it has never heard of', () => {
    expect(events(envelope({ trigger: 'BRAND_NEW' }))).toMatchObject([{ type: 'BRAND_NEW' }]);
  });

  it.each([
    ['absent', undefined],
    ['null', null],
    ['empty', []],
  ])('finds nothing in events that are %s', (_name, given) => {
    expect(events(envelope({ events: given }))).toEqual([]);
  });

  it.each([
    ['{"BatchId":"B-0042"}', [{ BatchId: 'B-0042' }]],
    ['type and value', [{ type: 'BatchId', value: 'B-0042' }]],
    ['Type and Value', [{ Type: 'BatchId', Value: 'B-0042' }]],
  ])('reads identifiers as %s', (_name, identifiers) => {
    expect(events(envelope({ events: [item({ identifiers })] }))).toMatchObject([
      { identifiers: [{ type: 'BatchId', value: 'B-0042' }] },
    ]);
  });

  it.each([
    ['2024-03-05T09:08:07.065', '2024-03-05T09:08:07.065Z'],
    ['2024-03-05T09:08:07', '2024-03-05T09:08:07.000Z'],
    ['2024-03-05T09:08:07.065123', '2024-03-05T09:08:07.065Z'],
    ['2024-03-05T09:08:07.065Z', '2024-03-05T09:08:07.065Z'],
    ['2024-03-05T09:08:07.065+02:00', '2024-03-05T07:08:07.065Z'],
    ['2024-03-05T09:08:07.065+0200', '2024-03-05T07:08:07.065Z'],
    ['yesterday', '2026-01-05T10:00:00.000Z'],
    ['2024-13-45T99:08:07', '2026-01-05T10:00:00.000Z'],
    ['0000-01-01T00:00:00+14:00', '2026-01-05T10:00:00.000Z'],
    ['9999-12-31T23:59:59-12:00', '2026-01-05T10:00:00.000Z'],
    [5, '2026-01-05T10:00:00.000Z'],
    [undefined, '2026-01-05T10:00:00.000Z'],
  ])('reads the timestamp %s as %s', (timestamp, occurredAt) => {
    expect(events(envelope({ timestamp }))).toMatchObject([{ occurredAt }]);
  });

  it('gives the same event the same id: in another batch, in upper case, beside others', () => {
    const [alone] = events(envelope());
    const [, second] = events(
      envelope({
        version: '9.0',
        events: [item({ entityRef: 'x' }), item({ entityRef: reference.toUpperCase() })],
      }),
    );
    expect(second?.id).toBe(alone?.id);
    expect(second?.assetId).toBe(reference);
  });

  it.each<[string, unknown, { type: string; value: string }[]]>([
    ['a number', [{ BatchId: 42 }], [{ type: 'BatchId', value: '42' }]],
    ['one by itself', { BatchId: 'B-0042' }, [{ type: 'BatchId', value: 'B-0042' }]],
    [
      'several in one item',
      [{ BatchId: ' B-0042 ', soCategory: 'x' }],
      [
        { type: 'BatchId', value: ' B-0042 ' },
        { type: 'soCategory', value: 'x' },
      ],
    ],
  ])(
    'keeps the identifiers of an ingest that failed and names no asset: %s',
    (_name, identifiers, expected) => {
      const failed = { event: 'IngestFailed', entityType: 'IO', identifiers };
      const [event] = events(envelope({ trigger: 'INGEST_FAILED', events: [failed] }));
      expect(event).toMatchObject({ type: 'INGEST_FAILED', identifiers: expected });
      expect(event).not.toHaveProperty('assetId');
    },
  );

  it('keeps the digits of numbers that no double holds', () => {
    const body =
      '{"events":[{"entityType":"IO","x":1234567890123456789,"identifiers":[{"BatchId":9007199254740993}]}]}';
    expect(events(body)).toMatchObject([
      { data: { x: '1234567890123456789' }, identifiers: [{ type: 'BatchId', value: '9007199254740993' }] },
    ]);
  });

  it.each(['subscriptionId', 'timestamp', 'trigger'])(
    'tells events apart by body and place where %s is missing',
    (member) => {
      const document = envelope({ [member]: undefined, events: [item(), item()] });
      const [first, second] = events(document);
      expect(first?.id).not.toBe(second?.id);
      expect(events(document).map(({ id }) => id)).toEqual([first?.id, second?.id]);
    },
  );

  it.each([
    ['no JSON', 'hello', 'not-json'],
    ['empty', '', 'not-json'],
    ['a list', '[]', 'unknown-shape'],
    ['a number', '5', 'unknown-shape'],
    ['null', 'null', 'unknown-shape'],
    ['events that are text', '{"events":"x"}', 'unknown-shape'],
    ['an event that is a number', '{"events":[1]}', 'unknown-shape'],
    ['nested past all sense', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too-dense'],
    ['nested inside', `{"events":[{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}]}`, 'too-dense'],
  ])('cannot read a body that is %s', (_name, body, why) => {
    expect(read(body)).toEqual({ kind: 'unreadable', why });
  });

  it('never throws, and what it reads is always an event that a message can carry', () => {
    const member = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('IO', 'SO', reference, '2026-01-05T09:08:07.065'),
    );
    const anItem = fc.dictionary(
      fc.constantFrom('event', 'entityType', 'entityRef', 'identifiers', 'x'),
      member,
    );
    const document = fc.dictionary(
      fc.constantFrom('subscriptionId', 'timestamp', 'trigger', 'events', '__proto__', 'x'),
      fc.oneof(member, fc.array(anItem, { maxLength: 3 })),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      document.map((given) => Buffer.from(JSON.stringify(given))),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const reading = strict.read(given, receipt);
        if (reading.kind !== 'events') return;
        for (const event of eventsIn(reading)) {
          expect(AssetEvent.safeParse(JSON.parse(JSON.stringify(event))).success).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an envelope with members that are not known', () => {
  const many = (count: number, length: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`member-${at}`, 'x'.repeat(length)]));
  const items = (count: number) => Array.from({ length: count }, () => item());
  const known = {
    subscriptionId: 's',
    timestamp: '2026-01-05T09:08:07.065',
    tenant: 'ACME',
    version: '8.1',
    trigger: 'FULL_TEXT_INDEXED',
  };

  it('gives all of them to each event where they are few, however many events there are', () => {
    const [first] = events({ ...many(3, 50), ...envelope({ events: items(2_000) }) });
    expect(first?.data).toMatchObject({ ...known, ...many(3, 50) });
  });

  it('gives all of them to its events where their copies are no more than the body', () => {
    const [first] = events({ ...many(100, 100), ...envelope() });
    expect(first?.data).toMatchObject({ ...known, ...many(100, 100) });
  });

  it('keeps them to itself where their copies would be more than the body', () => {
    const all = events({ ...many(100, 100), ...envelope({ tenant: 'x'.repeat(1_000), events: items(100) }) });
    expect(all).toHaveLength(100);
    const { tenant: _tenant, ...short } = known;
    for (const { data } of all)
      expect(data).toEqual({ ...short, event: 'FullTextIndexed', entityType: 'IO', entityRef: reference });
  });

  it('of four thousand makes four thousand events no larger than they are alone', () => {
    const empty = Array.from({ length: 4_000 }, () => ({}));
    const written = (document: object): number => JSON.stringify(events(document)).length;
    const alone = written(envelope({ events: empty }));
    expect(written({ ...many(4_000, 1), ...envelope({ events: empty }) })).toBe(alone);
  });
});

it('more events than a body of its length can name entities are of no shape that is known', () => {
  const document = (count: number) => envelope({ events: Array.from({ length: count }, () => ({})) });
  expect(read(document(10_000)).kind).toBe('events');
  expect(read(document(11_000))).toEqual({ kind: 'unreadable', why: 'unknown-shape' });
});

it('ids are what makes the events the same, whatever they share', () => {
  const same = ['s', '2026-01-05T09:08:07.065', 'MOVED', reference];
  const body = JSON.stringify(envelope({ trigger: 'MOVED', events: [item(), {}, item()] }));
  const digest = createHash('sha256').update(body).digest('hex');
  expect(events(body).map(({ id }) => id)).toEqual([
    eventId('archive', same),
    eventId('archive', [digest, 1]),
    eventId('archive', same),
  ]);
});
