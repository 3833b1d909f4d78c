import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type AssetMessage } from '../../../src/pipeline/model/message.ts';
import { aMessage, anEvent } from '../../support/work-bench.ts';

const time = fc
  .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const text = fc.string({ unit: 'binary', maxLength: 40 });
const event = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,43}$/),
    type: text,
    assetKind: fc.constantFrom('asset' as const, 'folder' as const, 'other' as const),
    assetId: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    occurredAt: time,
    identifiers: fc.array(fc.record({ type: text, value: text }), { maxLength: 3 }),
    data: fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 5 },
    ),
  },
  { requiredKeys: ['id', 'type', 'assetKind', 'occurredAt', 'identifiers', 'data'] },
);
const head = fc.record({
  v: fc.constant(1 as const),
  deliveryId: fc.uuid(),
  source: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
  receivedAt: time,
  traceparent: fc.constantFrom(null, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  attempt: fc.nat(20),
  replayId: fc.constant(null),
});
const message = fc.oneof(
  fc
    .tuple(head, fc.array(event, { minLength: 1, maxLength: 4 }))
    .map(([h, events]): AssetMessage => ({ ...h, events })),
  fc
    .tuple(head, fc.string({ minLength: 1, maxLength: 50 }), fc.nat(1000))
    .map(([h, blob, from]): AssetMessage => ({ ...h, claim: { blob, from, to: from + 1 } })),
);

describe('the message codec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(message, (given) => {
        const encoded = encodeMessage(given) ?? '';
        const plain: unknown = JSON.parse(encoded);
        expect(decodeMessage(plain)).toEqual({ kind: 'message', message: plain });
      }),
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => {
        expect(['message', 'later-version', 'unknown']).toContain(decodeMessage(given).kind);
      }),
    );
  });

  it('leaves to a claim what a queue message cannot hold', () => {
    const room =
      48_640 - Buffer.byteLength(encodeMessage(aMessage({ events: [anEvent({ data: { x: '' } })] })) ?? '');
    const of = (length: number) =>
      encodeMessage(aMessage({ events: [anEvent({ data: { x: 'é'.repeat(length / 2) } })] }));
    expect(Buffer.from(of(room - (room % 2)) ?? '').toString('base64').length).toBeLessThanOrEqual(65_536);
    expect(of(room + 2)).toBeUndefined();
  });

  it.each([
    ['a later version', { ...aMessage(), v: 2 }, 'later-version'],
    ['an earlier version', { ...aMessage(), v: 0 }, 'unknown'],
    ['a text', 'hello', 'unknown'],
    ['nothing', null, 'unknown'],
    ['both events and a claim', { ...aMessage(), claim: { blob: 'b', from: 0, to: 1 } }, 'unknown'],
    ['neither', { ...aMessage(), events: undefined }, 'unknown'],
    ['no events', { ...aMessage(), events: [] }, 'unknown'],
    ['a source that cannot be one', { ...aMessage(), source: "x' or 1" }, 'unknown'],
  ])('tells %s for what it is', (_name, given, kind) => {
    expect(decodeMessage(given).kind).toBe(kind);
  });

  it('lets members through that a later version may add', () => {
    expect(decodeMessage({ ...aMessage(), colour: 'blue' }).kind).toBe('message');
  });
});
