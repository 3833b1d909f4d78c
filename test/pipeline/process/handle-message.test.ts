import { preservicaReceiver } from '../../../src/sources/preservica/receiver.ts';
import { describe, expect, it, vi } from 'vitest';
import type { AssetMessage } from '../../../src/pipeline/model/message.ts';
import { handleMessage } from '../../../src/pipeline/process/handle-message.ts';
import { aMessage, anEvent, assetId, processBench } from '../../support/work-bench.ts';

const refOf = (index: number): string => `${assetId.slice(0, -5)}${String(index).padStart(5, '0')}`;

function body(count: number, padding = ''): Uint8Array {
  const events = Array.from({ length: count }, (_, index) => ({
    event: 'Moved',
    entityType: 'IO',
    entityRef: refOf(index),
    padding,
  }));
  return Buffer.from(
    JSON.stringify({ subscriptionId: 's', timestamp: '2026-01-05T09:08:07.065', trigger: 'MOVED', events }),
  );
}

function claimed(to: number): AssetMessage {
  const { events: _events, ...head } = aMessage();
  return { ...head, claim: { blob: 'b', from: 0, to } };
}

describe('a message of many events', () => {
  it('is split into one message an event, and all of them are worked on', async () => {
    const bench = processBench();
    const ids = ['a', 'b', 'c'];
    await bench.handle(aMessage({ events: ids.map((id, index) => anEvent({ id, assetId: refOf(index) })) }));
    expect(
      bench.messages.map(({ text }) => (JSON.parse(text) as { events: unknown[] }).events.length),
    ).toEqual([1, 1, 1]);
    await bench.drain();
    expect(ids.map((id) => bench.summary(id)?.state)).toEqual(['done', 'done', 'done']);
  });

  it('comes to the same when it is handled twice', async () => {
    const bench = processBench();
    const message = aMessage({ events: [anEvent({ id: 'a' }), anEvent({ id: 'b', assetId: refOf(2) })] });
    await bench.handle(message);
    await bench.handle(message);
    await bench.drain();
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary('a')).toMatchObject({ state: 'done', duplicates: 0 });
  });
});

describe('a claim to one event', () => {
  it('ends in the row of that event when its bytes are gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const bench = processBench(() => ({ kind: 'again', code: 'source-unavailable', text: 't' }));
    const items = [{ entityRef: assetId, entityType: 'IO', padding: 'x'.repeat(60_000) }];
    const envelope = { subscriptionId: 's', timestamp: '2026-01-05T09:08:07.065', trigger: 'MOVED' };
    bench.deliveries.set(
      'b',
      Buffer.from(
        JSON.stringify({
          ...envelope,
          events: [...items, ...items.map((item) => ({ ...item, entityRef: assetId.replace('1', '2') }))],
        }),
      ),
    );
    await bench.handle(aMessage({ events: undefined, claim: { blob: 'b', from: 0, to: 2 } }));
    const [first] = bench.messages.splice(0);
    await bench.handle(JSON.parse(first?.text ?? ''));
    expect([...bench.events.values()].map(({ value }) => value.summary.state)).toEqual(['waiting']);
    bench.deliveries.clear();
    // What was read before is no longer remembered.
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    await bench.drain();
    expect([...bench.events.values()].map(({ value }) => value.summary)).toMatchObject([
      { type: 'MOVED', state: 'failed', reason: { code: 'unreadable' } },
    ]);
  });

  it('and to more than there are is told of, and costs those that are there nothing', async () => {
    const bench = processBench();
    const envelope = { subscriptionId: 's', timestamp: '2026-01-05T09:08:07.065', trigger: 'MOVED' };
    const items = [{ entityRef: assetId, entityType: 'IO' }];
    bench.deliveries.set('b', Buffer.from(JSON.stringify({ ...envelope, events: items })));
    await bench.handle(aMessage({ events: undefined, claim: { blob: 'b', from: 0, to: 3 } }));
    await bench.drain();
    const states = [...bench.events.values()].map(({ value }) => value.summary.state);
    expect(states.toSorted()).toEqual(['done', 'failed']);
    expect(bench.logged).toContainEqual(
      expect.objectContaining({ level: 'error', name: 'event-ended', code: 'unreadable' }),
    );
  });
});

describe('a claim', () => {
  it.each([1, 2, 64, 65, 1000])('brings all of %i events', async (count) => {
    const bench = processBench();
    bench.deliveries.set('b', body(count));
    await bench.handle(claimed(count));
    await bench.drain(2 * count + 40);
    expect(bench.events.size).toBe(count);
    expect(new Set([...bench.events.values()].map(({ value }) => value.summary.state))).toEqual(
      new Set(['done']),
    );
    expect(bench.asked).toHaveLength(count);
  });

  it('stays a claim with its index for an event that fits into no message', async () => {
    const bench = processBench();
    bench.deliveries.set('b', body(3, 'x'.repeat(60_000)));
    await bench.handle(claimed(3));
    const claims = bench.messages.map(({ text }) => (JSON.parse(text) as AssetMessage).claim);
    expect(claims).toEqual(
      [0, 1, 2].map((from) => ({
        blob: 'b',
        from,
        to: from + 1,
        eventId: expect.any(String),
        assetId: expect.any(String),
      })),
    );
    await bench.drain();
    expect([...bench.events.values()].map(({ value }) => value.summary.state)).toEqual([
      'done',
      'done',
      'done',
    ]);
  });

  it('is read once for all claims to it that come together', async () => {
    const receiver = preservicaReceiver({ handshake: 'strict' });
    let readings = 0;
    const bench = processBench(
      undefined,
      {},
      {
        receiver: {
          ...receiver,
          read: (...given) => {
            readings += 1;
            return receiver.read(...given);
          },
        },
      },
    );
    bench.deliveries.set('b', body(8, 'x'.repeat(60_000)));
    await bench.handle(claimed(8));
    await Promise.all(bench.messages.splice(0).map(async ({ text }) => await bench.handle(JSON.parse(text))));
    expect(bench.asked).toHaveLength(8);
    expect(readings).toBe(1);
  });

  it('keeps its count where only one of many events fits into no message', async () => {
    const bench = processBench();
    const items = Array.from({ length: 70 }, (_, index) => ({
      entityType: 'IO',
      entityRef: refOf(index),
      padding: 'x'.repeat(index === 50 ? 60_000 : 100),
    }));
    const document = {
      subscriptionId: 's',
      timestamp: '2026-01-05T09:08:07.065',
      trigger: 'MOVED',
      events: items,
    };
    bench.deliveries.set('b', Buffer.from(JSON.stringify(document)));
    await bench.handle(claimed(70));
    const claims = bench.messages.flatMap(({ text }) => (JSON.parse(text) as AssetMessage).claim ?? []);
    expect(claims).toEqual([
      { blob: 'b', from: 50, to: 51, eventId: expect.any(String), assetId: expect.any(String) },
    ]);
    await bench.drain();
    expect(new Set(bench.asked.map(({ id }) => id))).toEqual(
      new Set(items.map(({ entityRef }) => entityRef)),
    );
  });

  it.each([
    ['gone', undefined],
    ['no longer readable', Buffer.from('not json')],
  ])('whose body is %s is recorded as failed', async (_name, bytes) => {
    const bench = processBench();
    if (bytes !== undefined) bench.deliveries.set('b', bytes);
    await bench.handle(claimed(2));
    const [row] = [...bench.events.values()].map(({ value }) => value.summary);
    expect(row).toMatchObject({ source: 'archive', state: 'failed', reason: { code: 'unreadable' } });
    expect(bench.messages).toEqual([]);
  });
});

describe('a message that is not ours to read', () => {
  it.each([
    ['text', 'hello'],
    ['a number', 5],
    ['null', null],
    ['an object', { a: 1 }],
    ['a list', [1]],
  ])('is kept and recorded: %s', async (_name, item) => {
    const bench = processBench();
    await bench.handle(item);
    await bench.handle(item);
    expect([...bench.deliveries.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      typeof item === 'string' ? item : JSON.stringify(item),
    ]);
    const rows = [...bench.events.values()].map(({ value }) => value.summary);
    expect(rows).toMatchObject([{ source: null, state: 'failed', reason: { code: 'unreadable' } }]);
  });

  it('of a later version waits an hour first, and is then recorded', async () => {
    const bench = processBench();
    await bench.handle({ ...aMessage(), v: 2 });
    expect(bench.events.size).toBe(0);
    expect(bench.messages).toMatchObject([{ delayMs: 3_600_000 }]);
    await bench.drain();
    expect([...bench.events.values()].map(({ value }) => value.summary.state)).toEqual(['failed']);
  });

  it('of a source that no settings name waits an hour, and is then a row an event', async () => {
    const bench = processBench();
    const events = ['a', 'b'].map((id) => anEvent({ id }));
    for (const deliveryId of ['d-1', 'd-2'])
      await bench.handle(aMessage({ source: 'gone', deliveryId, events }));
    expect(bench.messages.map(({ delayMs }) => delayMs)).toEqual([3_600_000, 3_600_000]);
    expect(bench.events.size).toBe(0);
    await bench.drain();
    expect([...bench.events.keys()]).toEqual(['a', 'b']);
    expect(bench.summary('a')).toMatchObject({
      source: 'gone',
      assetId,
      state: 'failed',
      reason: { code: 'unknown-source' },
      duplicates: 1,
    });
    expect(bench.events.get('a')?.value.content).toEqual({ event: events[0] });
  });

  it('of a source that settings name again within the hour is worked on', async () => {
    const bench = processBench();
    const { sources } = bench.deps;
    await handleMessage({ item: aMessage(), messageId: 'm' }, { ...bench.deps, sources: new Map() });
    expect(sources.size).toBe(1);
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done' });
  });

  it('of version 2 is a message for each delivery that it holds', async () => {
    const bench = processBench();
    const { v: _v, ...one } = aMessage({ deliveryId: 'd-1', events: [anEvent({ id: 'a' })] });
    const two = aMessage({ deliveryId: 'd-2', events: [anEvent({ id: 'b' }), anEvent({ id: 'c' })] });
    await bench.handle({ v: 2, deliveries: [one, two, { nonsense: true }] });
    await bench.drain();
    for (const id of ['a', 'b', 'c']) expect(bench.summary(id)).toMatchObject({ state: 'done' });
    const others = [...bench.events.values()]
      .map(({ value }) => value.summary)
      .filter(({ state }) => state !== 'done');
    expect(others).toMatchObject([{ state: 'failed', reason: { code: 'unreadable' } }]);
  });

  it('of a version still to come ends in the row of the event that it names', async () => {
    const bench = processBench(() => ({ kind: 'again', code: 'source-unavailable', text: 't' }));
    await bench.handle(aMessage());
    const [waiting] = bench.messages.splice(0);
    await bench.handle({ ...JSON.parse(waiting?.text ?? ''), v: 3, member: 'of tomorrow' });
    expect(JSON.parse(bench.messages[0]?.text ?? '')).toMatchObject({ v: 3, member: 'of tomorrow' });
    await bench.drain();
    expect([...bench.events.keys()]).toEqual(['event-1']);
    expect(bench.summary()).toMatchObject({ state: 'failed', reason: { code: 'unreadable' } });
  });

  it('keeps what it does not know of it through every put-back', async () => {
    const bench = processBench(() => ({ kind: 'again', code: 'source-unavailable', text: 't' }));
    const event = { ...anEvent(), ofTomorrow: 1 };
    await bench.handle({ ...aMessage({ events: [event] }), member: 'of tomorrow' });
    expect(JSON.parse(bench.messages[0]?.text ?? '')).toMatchObject({
      attempt: 1,
      member: 'of tomorrow',
      events: [{ ofTomorrow: 1 }],
    });
  });
});
