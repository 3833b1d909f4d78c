import { describe, expect, it } from 'vitest';
import { catchUpJob, CatchUpProgress, newCatchUp } from '../../../src/pipeline/process/catch-up.ts';
import { startJob } from '../../../src/pipeline/process/jobs.ts';
import type {
  ChangedAsset,
  ChangesResult,
  WantedChanges,
} from '../../../src/pipeline/ports/source-client.ts';
import { assetId, aMessage, found, processBench, receivedAt } from '../../support/work-bench.ts';
import { Killed } from '../../support/memory-stores.ts';

const hour = 3_600_000;
const start = Date.parse(receivedAt);
const idOf = (serial: number): string => `11111111-2222-4333-8444-${String(serial).padStart(12, '0')}`;

/** A source whose assets changed at these times, with a list of changes in pages. */
function bench(
  changes: readonly { id: string; at: number }[] = [],
  answer?: (wanted: WantedChanges) => ChangesResult | undefined,
) {
  const asked: WantedChanges[] = [];
  const listChanges = async (wanted: WantedChanges): Promise<ChangesResult> => {
    asked.push(wanted);
    const other = answer?.(wanted);
    if (other !== undefined) return other;
    const all = changes.filter(({ at }) => at >= wanted.from && at <= wanted.to);
    const assets = all
      .slice(wanted.start, wanted.start + 2)
      .map(({ id }): ChangedAsset => ({ kind: 'asset', id }));
    const next = wanted.start + 2;
    return { kind: 'page', assets, next: next < all.length ? next : null };
  };
  const work = processBench(() => found(), {}, { client: undefined as never });
  const source = work.deps.sources.get('archive');
  if (source === undefined) throw new Error('no source');
  const fetched: string[] = [];
  const deps = {
    ...work.deps,
    sources: new Map([
      [
        'archive',
        {
          ...source,
          client: async () => ({
            listChanges,
            fetchAsset: async ({ id }: { id: string }) => {
              fetched.push(id);
              return found();
            },
          }),
        },
      ],
    ]),
  };
  Object.assign(work.deps, { sources: deps.sources, jobKinds: new Map([['catch-up', catchUpJob(deps)]]) });
  const run = async (since?: number): Promise<void> => {
    const about = { now: work.deps.now(), since, first: undefined };
    await startJob({ kind: 'catch-up', id: 'archive' }, (before) => newCatchUp(before, about), work.deps);
    await work.drain();
  };
  return {
    ...work,
    changesAsked: asked,
    fetched,
    run,
    row: () => work.jobRows.get('catch-up:archive')?.value,
    progress: () => CatchUpProgress.parse(work.jobRows.get('catch-up:archive')?.value.progress),
  };
}

describe('catching up', () => {
  it('begins with now, and looks at no time before it', async () => {
    const work = bench([{ id: assetId, at: start - hour }]);
    await work.run();
    expect(work.changesAsked).toEqual([]);
    work.pass(2 * hour);
    await work.run();
    expect(work.changesAsked.map(({ from }) => from)).toEqual([start, start + hour]);
    expect(work.progress()).toMatchObject({ seen: 0, recovered: 0 });
  });

  it('asks for each change that nobody told of, once, in closed slices', async () => {
    const changes = Array.from({ length: 7 }, (_, serial) => ({
      id: idOf(serial),
      at: start - 3 * hour + serial * 1_000_000,
    }));
    const work = bench(changes);
    await work.run(start - 3 * hour);
    expect(work.progress()).toMatchObject({ seen: 7, recovered: 7, missed: 7 });
    expect(work.progress().coveredUntil).toBe(new Date(start - 600_000).toISOString());
    expect(work.fetched.toSorted()).toEqual(changes.map(({ id }) => id));
    const summaries = [...work.events.values()].map(({ value }) => value.summary);
    expect(summaries).toHaveLength(7);
    for (const summary of summaries) expect(summary).toMatchObject({ type: 'CATCH_UP', state: 'done' });

    work.pass(hour);
    await work.run();
    expect(work.progress()).toMatchObject({ recovered: 0 });
    expect(work.fetched).toHaveLength(7);
  });

  it('recovers a change of an asset that was fetched before it, and misses none of those fetched later', async () => {
    const work = bench([{ id: assetId, at: start + 100_000 }]);
    await work.handle(aMessage());
    expect(work.fetched).toEqual([assetId]);
    work.pass(hour);
    await work.run(start);
    expect(work.progress()).toMatchObject({ seen: 1, recovered: 1, missed: 0 });
    expect(work.fetched).toEqual([assetId, assetId]);
    work.pass(hour);
    await work.run(start);
    expect(work.progress()).toMatchObject({ seen: 1, recovered: 0, missed: 0 });
  });

  it('goes through years in which nothing happened with few questions', async () => {
    const work = bench([{ id: assetId, at: start - 200 * 24 * hour }]);
    await work.run(start - 2_000 * 24 * hour);
    expect(work.progress()).toMatchObject({ seen: 1, recovered: 1 });
    expect(work.changesAsked.length).toBeLessThan(100);
  });

  it('fetches nothing again that was fetched after it changed long ago', async () => {
    const work = bench([
      { id: assetId, at: start - 20 * 24 * hour },
      { id: idOf(1), at: start - 20 * 24 * hour },
    ]);
    await work.handle(aMessage());
    work.pass(30 * 24 * hour);
    await work.run(start - 60 * 24 * hour);
    expect(work.progress()).toMatchObject({ seen: 2, recovered: 1, missed: 1 });
    expect(work.fetched).toEqual([assetId, idOf(1)]);
  });

  it('knows an asset by its record where the ledger has forgotten it', async () => {
    const work = bench([{ id: assetId, at: start - 1.5 * hour }]);
    const record = { v: 1, source: 'archive', assetId, fetchedAt: receivedAt, kind: 'asset' };
    await work.handle(aMessage());
    expect(work.record()).toMatchObject({ assetId: record.assetId });
    work.forgetAssets();
    work.pass(1_000);
    await work.run(start - 2 * hour);
    expect(work.progress()).toMatchObject({ seen: 1, recovered: 0, missed: 0 });
  });

  it('works on events however old they are', async () => {
    const work = bench([{ id: assetId, at: start - 400 * 24 * hour }]);
    await work.run(start - 400 * 24 * hour);
    expect([...work.events.values()].map(({ value }) => value.summary.state)).toEqual(['done']);
  });

  it('ends in the same after a crash behind any of its writes', async () => {
    const changes = Array.from({ length: 5 }, (_, serial) => ({ id: idOf(serial), at: start - 1.5 * hour }));
    for (let writes = 1; ; writes += 3) {
      const work = bench(changes);
      let died = false;
      const about = { now: start, since: start - 2 * hour, first: undefined };
      const begin = async () =>
        await startJob({ kind: 'catch-up', id: 'archive' }, (before) => newCatchUp(before, about), work.deps);
      await begin();
      const queue: string[] = [];
      work.killAfter(writes);
      for (;;) {
        queue.push(...work.messages.splice(0).map(({ text }) => text));
        const text = queue.shift();
        if (text === undefined) break;
        work.pass(300_000);
        await work.handle(JSON.parse(text)).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          died = true;
          work.revive();
          queue.push(text);
        });
      }
      expect(work.row(), `killed after write ${writes}`).toMatchObject({ state: 'done' });
      const states = [...work.events.values()].map(({ value }) => value.summary.state);
      expect(states, `killed after write ${writes}`).toEqual(Array.from({ length: 5 }, () => 'done'));
      if (!died) return;
    }
  });

  it('stands down while the source is paused, and goes on then', async () => {
    const work = bench([{ id: assetId, at: start - 1.5 * hour }]);
    await work.sourceStates.change('archive', (state) => ({ ...state, pausedAt: start }));
    work.pass(10_000);
    await startJob(
      { kind: 'catch-up', id: 'archive' },
      (before) => newCatchUp(before, { now: start, since: start - 2 * hour, first: undefined }),
      work.deps,
    );
    await work.drainUntil(start + hour);
    expect(work.changesAsked).toEqual([]);
    expect(work.row()).toMatchObject({ state: 'waiting', reason: { code: 'paused' } });
    await work.sourceStates.change('archive', (state) => ({ ...state, pausedAt: null }));
    await work.drain();
    expect(work.row()).toMatchObject({ state: 'done', progress: { recovered: 1 } });
  });

  it('asks for a shorter time where the source lists too much for one list', async () => {
    const work = bench([{ id: assetId, at: start - 1.4 * hour }], ({ from, to }) =>
      to - from > 600_000 ? { kind: 'too-many' } : undefined,
    );
    await work.run(start - 2 * hour);
    expect(work.row()).toMatchObject({ state: 'done', progress: { recovered: 1 } });
    expect(work.fetched).toEqual([assetId]);
  });

  it.each<[string, (wanted: WantedChanges) => ChangesResult]>([
    [
      'repeats its page',
      ({ start: at }) => ({ kind: 'page', assets: [{ kind: 'asset', id: assetId }], next: at + 1 }),
    ],
    ['is always too long', () => ({ kind: 'too-many' })],
  ])('ends with a list that %s', async (_what, answer) => {
    const work = bench([], answer);
    await work.run(start - 2 * hour);
    expect(work.row()).toMatchObject({ state: 'failed', reason: { code: 'unreadable-answer' } });
    expect(work.changesAsked.length).toBeLessThan(60);
  });

  it('is told why a source gave no list, and goes on from there the next time', async () => {
    let refuses = true;
    const work = bench([{ id: assetId, at: start - 1.5 * hour }], () =>
      refuses ? { kind: 'no-list', text: 'The account may not list what changed.' } : undefined,
    );
    await work.run(start - 2 * hour);
    expect(work.row()).toMatchObject({ state: 'failed', reason: { text: /may not list/ } });
    refuses = false;
    work.pass(1_000);
    await work.run();
    expect(work.row()).toMatchObject({ state: 'done', progress: { recovered: 1 } });
  });

  it('tries again what the source could not answer', async () => {
    let tries = 0;
    const work = bench([{ id: assetId, at: start - 1.5 * hour }], () => {
      tries += 1;
      return tries < 3 ? { kind: 'again', code: 'rate-limited', text: 'It answered 429.' } : undefined;
    });
    await work.run(start - 2 * hour);
    expect(work.row()).toMatchObject({ state: 'done', progress: { recovered: 1 } });
  });

  it('leaves out what the source could not have made', async () => {
    const work = bench([], () => ({
      kind: 'page',
      assets: [
        { kind: 'asset', id: '../x' },
        { kind: 'asset', id: assetId.toUpperCase() },
      ],
      next: null,
    }));
    await work.run(start - 2 * hour);
    expect([...work.events.values()].map(({ value }) => value.summary.assetId)).toEqual(
      expect.arrayContaining([assetId]),
    );
    expect(new Set(work.fetched)).toEqual(new Set([assetId]));
  });
});
