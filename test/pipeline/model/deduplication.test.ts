import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAmong, type CanonicalEvent } from '../../../src/pipeline/model/deduplication.ts';
import type { ClaimCheck } from '../../../src/pipeline/model/message.ts';
import { recordPoison } from '../../../src/pipeline/dead-letter/record-poison.ts';
import { pywebhooksReceiver } from '../../../src/sources/pywebhooks/receiver.ts';
import { aMessage, receivedAt, processBench } from '../../support/work-bench.ts';
import { eventsIn } from '../../support/events-in.ts';

const minute = 60_000;
const body = Buffer.from('{"id":"A-1001"}');
const at = (ms: number): string => new Date(Date.parse(receivedAt) + ms).toISOString();

/** A source whose deliveries of one body within ten minutes are one event. */
function setup(answer?: Parameters<typeof processBench>[0]) {
  const receiver = pywebhooksReceiver({ pointers: { assetId: '/id' }, deduplicateMs: 10 * minute });
  const bench = processBench(answer, { maxEventAgeMs: 0 }, { receiver, selfContainedEvents: true });
  const message = (deliveryId: string, ms: number) => {
    const receipt = { source: 'archive', deliveryId, receivedAt: new Date(at(ms)) };
    const events = eventsIn(receiver.read(body, receipt));
    return aMessage({ deliveryId, receivedAt: at(ms), events });
  };
  const claim = (deliveryId: string, ms: number) => {
    const { events: _events, ...head } = message(deliveryId, ms);
    bench.deliveries.set(deliveryId, body);
    return { ...head, claim: { blob: deliveryId, from: 0, to: 1 } };
  };
  const poison = async (item: object) =>
    await recordPoison(
      { text: Buffer.from(JSON.stringify(item)).toString('base64'), messageId: 'p' },
      bench.deps,
    );
  const events = () => [...bench.events.values()].map(({ value }) => value.summary);
  return { bench, message, claim, poison, events };
}

describe('deliveries of one body', () => {
  it.each([
    ['in their order', [0, 5]],
    ['in the other order', [5, 0]],
    ['less than a window apart, whatever a clock would call a window', [9.99, 0]],
  ])('are one event when they come %s', async (_name, [first = 0, second = 0]) => {
    const { bench, message, events } = setup();
    await bench.handle(message('d-1', first * minute));
    await bench.handle(message('d-2', second * minute));
    expect(events()).toMatchObject([{ deliveryId: 'd-1', duplicates: 1 }]);
  });

  it('are one event when they are handled at the same time', async () => {
    const { bench, message, events } = setup();
    await Promise.all([0, 1, 2, 3].map(async (n) => await bench.handle(message(`d-${n}`, n))));
    await bench.drain();
    expect(events()).toMatchObject([{ state: 'done', duplicates: 3 }]);
  });

  it('are two events when a window or more lies between them', async () => {
    const { bench, message, events } = setup();
    await bench.handle(message('d-1', 0));
    await bench.handle(message('d-2', 10 * minute));
    expect(events()).toMatchObject([{ duplicates: 0 }, { duplicates: 0 }]);
  });

  it('stay the events they were when their messages come again, also after others', async () => {
    const { bench, message, events } = setup();
    const messages = [message('d-1', 0), message('d-2', minute), message('d-3', 15 * minute)];
    for (const each of [...messages, ...messages]) await bench.handle(each);
    expect(events()).toMatchObject([{ duplicates: 1 }, { duplicates: 0 }]);
  });

  it.each(['message', 'claim'] as const)(
    'keep the event they were given on a retry, as a %s',
    async (kind) => {
      const busy = { kind: 'again', code: 'source-unavailable', text: 't' } as const;
      const { bench, [kind]: make, events } = setup(() => busy);
      await bench.handle(make('d-1', 0));
      const [id] = events().map((event) => event.id);
      const [sent] = bench.messages.map(
        ({ text }) => JSON.parse(text) as { claim?: ClaimCheck; events?: object[] },
      );
      expect(sent?.claim ?? sent?.events?.[0]).toMatchObject(kind === 'claim' ? { eventId: id } : { id });
      expect(JSON.stringify(sent)).not.toContain('dedupe');
      await bench.drain();
      expect(events()).toMatchObject([{ id, state: 'failed', attempts: 3, duplicates: 0 }]);
    },
  );

  it.each(['message', 'claim'] as const)('are one event also where one is poison, as a %s', async (kind) => {
    const { bench, [kind]: make, poison, events } = setup();
    await poison(make('d-1', 0));
    await bench.handle(make('d-2', 1));
    await poison(make('d-3', 2));
    expect(events()).toMatchObject([{ state: 'failed', duplicates: 2 }]);
    const [{ value } = { value: undefined }] = bench.events.values();
    if (kind === 'claim')
      expect(value?.content).toEqual({
        claim: { blob: 'd-1', from: 0, to: 1, eventId: value?.summary.id, assetId: value?.summary.assetId },
      });
  });
});

it('who was first stays first, whoever comes in whatever order', () => {
  const candidate = fc.record({ id: fc.uuid(), ms: fc.integer({ min: 0, max: 40 * minute }) });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 20 }), (comers) => {
      let canonicalEvents: readonly CanonicalEvent[] = [];
      const come = ({ id, ms }: (typeof comers)[number]): CanonicalEvent => {
        const { first, all } = canonicalAmong(canonicalEvents, { id, receivedAt: at(ms) }, 10 * minute);
        canonicalEvents = all;
        expect(Math.abs(Date.parse(first.receivedAt) - Date.parse(at(ms)))).toBeLessThan(10 * minute);
        return first;
      };
      const given = comers.map(come);
      expect(comers.map(come)).toEqual(given);
    }),
  );
});
