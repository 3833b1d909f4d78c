import { describe, expect, it } from 'vitest';
import type { FetchResult } from '../../../src/pipeline/ports/source-client.ts';
import { replayEvent } from '../../../src/pipeline/process/replay-event.ts';
import { aMessage, anEvent, assetId, found, processBench, receivedAt } from '../../support/work-bench.ts';

type Bench = ReturnType<typeof processBench>;

async function replay(bench: Bench, id = 'event-1', replayId = 'replay-1') {
  const entry = bench.events.get(id)?.value;
  if (entry === undefined) throw new Error(`there is no ${id}`);
  return await replayEvent(entry, replayId, bench.deps);
}
const historyOf = (bench: Bench, id = 'event-1') => bench.events.get(id)?.value.history ?? [];

describe('a replay', () => {
  it('does the work again, and marks the try', async () => {
    let title = 'Harbour';
    const bench = processBench(() => found(title));
    await bench.handle(aMessage());
    expect(bench.summary()).toMatchObject({ state: 'done', attempts: 1 });
    title = 'Harbour, renamed';
    bench.pass(3_600_000);
    expect(await replay(bench)).toEqual({ kind: 'queued' });
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done', title, attempts: 2, duplicates: 0 });
    expect(bench.record()).toMatchObject({ title });
    expect(historyOf(bench).map(({ replayId }) => replayId)).toEqual([undefined, 'replay-1']);
  });

  it('is done once, however often it is queued', async () => {
    const bench = processBench();
    await bench.handle(aMessage());
    await replay(bench);
    await replay(bench);
    await bench.drain();
    await replay(bench, 'event-1', 'replay-2');
    // The first comes once more, after another one.
    await replay(bench, 'event-1', 'replay-1');
    await bench.drain();
    expect(bench.asked).toHaveLength(3);
    expect(historyOf(bench).map(({ replayId }) => replayId)).toEqual([undefined, 'replay-1', 'replay-2']);
  });

  it('of an event that waits takes the place of its next try', async () => {
    const answers: FetchResult[] = [{ kind: 'again', code: 'source-unavailable', text: 't' }, found()];
    const bench = processBench(() => answers.shift() ?? found());
    await bench.handle(aMessage());
    expect(bench.summary()?.state).toBe('waiting');
    const [retry] = bench.messages.splice(0);
    await replay(bench);
    await bench.drain();
    expect(bench.summary()?.state).toBe('done');
    await bench.handle(JSON.parse(retry?.text ?? ''));
    expect(bench.asked).toHaveLength(2);
    expect(bench.messages).toEqual([]);
  });

  it('is tried again on the schedule', async () => {
    let ill = false;
    const bench = processBench(() =>
      ill ? { kind: 'again', code: 'source-unavailable', text: 't' } : found('Harbour'),
    );
    await bench.handle(aMessage());
    ill = true;
    await replay(bench);
    const [message] = bench.messages.splice(0);
    await bench.handle(JSON.parse(message?.text ?? ''));
    expect(bench.summary()).toMatchObject({ state: 'waiting', finishedAt: null });
    ill = false;
    await bench.drain();
    expect(bench.summary()?.state).toBe('done');
    expect(historyOf(bench).map(({ state }) => state)).toEqual(['done', 'waiting', 'done']);
  });

  it('goes past the check of the age', async () => {
    const bench = processBench();
    const event = anEvent({ occurredAt: '2020-01-05T09:08:07.065Z' });
    await bench.handle(aMessage({ events: [event] }));
    expect(bench.summary()).toMatchObject({ state: 'ignored', reason: { code: 'too-old' } });
    await replay(bench);
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done', reason: null });
  });

  it('is not folded into a fetch that began before it was asked for', async () => {
    const bench = processBench();
    bench.pass(60_000);
    await bench.handle(aMessage());
    await bench.handle(aMessage({ deliveryId: 'd-2', events: [anEvent({ id: 'event-2' })] }));
    expect(bench.asked).toHaveLength(1);
    await replay(bench);
    await bench.drain();
    expect(bench.asked).toHaveLength(2);
    expect(bench.summary()?.reason).toBeNull();
  });

  it('of an event of an unknown source works when the settings name it again', async () => {
    const bench = processBench();
    const sources = new Map(bench.deps.sources);
    Object.assign(bench.deps, { sources: new Map() });
    await bench.handle(aMessage({ putBackAt: receivedAt }));
    expect(bench.summary()).toMatchObject({ state: 'failed', reason: { code: 'unknown-source' } });
    expect(await replay(bench)).toMatchObject({ kind: 'refused' });
    Object.assign(bench.deps, { sources });
    expect(await replay(bench)).toEqual({ kind: 'queued' });
    // Its row under no source has done its part; that the work is done is a test on the real table.
    expect(bench.messages).toHaveLength(1);
    expect(bench.summary()).toMatchObject({ state: 'done' });
  });

  it('of what could not be read reads it again', async () => {
    const bench = processBench();
    const envelope = { subscriptionId: 's', timestamp: '2026-01-05T09:08:07.065', trigger: 'MOVED' };
    const events = [{ entityRef: assetId, entityType: 'IO' }];
    const body = Buffer.from(JSON.stringify({ ...envelope, events }));
    bench.deliveries.set('archive/b', body);
    await bench.handle(aMessage());
    const row = bench.events.get('event-1');
    if (row === undefined) throw new Error('no row');
    const { value: before, etag } = row;
    const content = { unread: { blob: 'archive/b' } };
    const summary = {
      ...before.summary,
      state: 'failed',
      reason: { code: 'unreadable', text: 't' },
    } as const;
    bench.events.set('event-1', { etag, value: { ...before, content, summary } });
    expect(await replay(bench)).toEqual({ kind: 'queued' });
    await bench.drain();
    expect(bench.summary()).toMatchObject({ state: 'done', reason: null });
    const types = [...bench.events.values()].map(({ value }) => value.summary.type);
    expect(types.toSorted()).toEqual(['FULL_TEXT_INDEXED', 'MOVED']);
    bench.deliveries.clear();
    expect(await replay(bench, 'event-1', 'replay-2')).toMatchObject({ kind: 'refused' });
  });
});
