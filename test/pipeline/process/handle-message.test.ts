import { describe, expect, it } from 'vitest';
import type { AssetMessage } from '../../../src/pipeline/model/message.ts';
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
    expect(claims).toEqual([0, 1, 2].map((from) => ({ blob: 'b', from, to: from + 1 })));
    await bench.drain();
    expect([...bench.events.values()].map(({ value }) => value.summary.state)).toEqual([
      'done',
      'done',
      'done',
    ]);
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
    expect(claims).toEqual([{ blob: 'b', from: 50, to: 51 }]);
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

  it('of a source that the settings no longer name is recorded and kept', async () => {
    const bench = processBench();
    await bench.handle(aMessage({ source: 'gone' }));
    const [row] = [...bench.events.values()].map(({ value }) => value);
    expect(row?.summary).toMatchObject({ source: null, state: 'failed', reason: { code: 'unknown-source' } });
    const [kept] = [...bench.deliveries.values()].map((bytes) => Buffer.from(bytes).toString());
    expect(kept).toContain('event-1');
    expect(row?.content).toEqual({ unread: { blob: [...bench.deliveries.keys()][0] } });
  });
});
