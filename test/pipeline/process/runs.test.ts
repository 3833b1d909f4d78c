import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSourceLimiter } from '../../../src/pipeline/concurrency/source-limiter.ts';
import { StorageError } from '../../../src/pipeline/ports/errors.ts';
import type { ActionConfig, ActionResult, Occasion } from '../../../src/pipeline/ports/action.ts';
import type { AssetRecord } from '../../../src/pipeline/model/record.ts';
import { runJob, startRuns, type RunDeps, type RunnableAction } from '../../../src/pipeline/process/runs.ts';
import { Killed } from '../../support/memory-stores.ts';
import { aMessage, anEvent, found, processBench } from '../../support/work-bench.ts';

interface Sent {
  readonly action: string;
  readonly record: AssetRecord;
  readonly occasion: Occasion;
}

/** The pipeline with some actions, whose runs stand in the same queue. */
function bench(
  configs: Readonly<Record<string, Partial<ActionConfig>>>,
  { answer, tag }: { answer?: (sent: Sent) => ActionResult; tag?: string | null } = {},
) {
  const work = processBench(() => {
    const given = found();
    return tag === undefined || given.kind !== 'found'
      ? given
      : { ...given, details: { ...given.details, securityTag: tag } };
  });
  const sent: Sent[] = [];
  const actions = new Map(
    Object.entries(configs).map(([name, given]): [string, RunnableAction] => {
      const config: ActionConfig = {
        name,
        kind: 'webhook',
        sources: undefined,
        types: undefined,
        assetKinds: undefined,
        securityTags: ['*'],
        mostPerSecond: 0,
        secrets: new Map(),
        run: async (record, occasion) => {
          sent.push({ action: name, record, occasion });
          return answer?.({ action: name, record, occasion }) ?? { kind: 'done', text: 'Sent.' };
        },
        ...given,
      };
      const limiter = createSourceLimiter({
        source: `action:${name}`,
        states: work.sourceStates,
        owner: 'instance-1',
        maxAtOnce: 4,
        maxPerSecond: 0,
        probeAfterMs: 30_000,
        now: () => work.deps.now(),
        log: work.deps.log,
      });
      const tools = {
        call: async () => await Promise.reject(new Error('nothing is called')),
        secret: async () => [],
        now: () => work.deps.now(),
      };
      return [name, { config, limiter, tools }];
    }),
  );
  const runDeps: RunDeps = { ...work.deps, actions, tagged: new Set(['archive']) };
  const kind = runJob(runDeps);
  Object.assign(work.deps, {
    startRuns: async (copy: Parameters<typeof startRuns>[0]) =>
      await startRuns(copy, { actions, queue: work.deps.queue }),
    jobKinds: new Map([[kind.name, kind]]),
  });
  const rows = () => [...work.jobRows].map(([id, { value }]) => ({ id, ...value }));
  return { ...work, sent, actions, rows };
}

describe('an event that ends', () => {
  it('gives each action that wants it one run, and another for a replay alone', async () => {
    const work = bench({
      all: {},
      moved: { types: ['MOVED'] },
      elsewhere: { sources: ['photos'] },
      folders: { assetKinds: ['folder'] },
      indexed: { types: ['MOVED', 'FULL_TEXT_INDEXED'], assetKinds: ['asset'] },
    });
    await work.handle(aMessage());
    await work.drain();
    await work.handle(aMessage({ deliveryId: 'delivery-2' }));
    await work.drain();
    expect(work.sent.map(({ action }) => action).toSorted()).toEqual(['all', 'indexed']);
    expect(work.rows().map(({ state }) => state)).toEqual(['done', 'done']);
    expect(work.logged.filter(({ name }) => name === 'run-ended')).toMatchObject([
      { action: 'all', source: 'archive', eventId: 'event-1', state: 'done', attempts: 1, lagMs: 0 },
      { action: 'indexed' },
    ]);
    const replayedAt = new Date(work.deps.now()).toISOString();
    await work.handle(aMessage({ replayId: 'r-1', replayedAt }));
    await work.drain();
    const keys = work.sent.map(({ occasion }) => occasion.idempotencyKey);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(4);
  });

  it('is not on record as ended before its runs are in the queue', async () => {
    const work = bench({ all: {} });
    const start = work.deps.startRuns.bind(work.deps);
    let failures = 2;
    Object.assign(work.deps, {
      startRuns: async (copy: Parameters<typeof start>[0]) => {
        if ((failures -= 1) >= 0) throw new StorageError('writing: 503');
        await start(copy);
      },
    });
    await work.handle(aMessage());
    expect(work.summary()?.state).toBe('processing');
    await work.drain();
    expect(work.summary()?.state).toBe('done');
    expect(work.sent).toHaveLength(1);
  });

  it('has its runs whatever crashes, each with one key', async () => {
    for (let writes = 1; ; writes += 1) {
      const work = bench({ one: {}, two: {} });
      const queue = [JSON.stringify(aMessage())];
      work.killAfter(writes);
      let died = false;
      for (let text = queue.shift(); text !== undefined; text = queue.shift()) {
        work.pass(300_000);
        const item = text;
        await work.handle(JSON.parse(item)).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          died = true;
          work.revive();
          queue.push(item);
        });
        queue.push(...work.messages.splice(0).map((message) => message.text));
      }
      expect(work.summary()?.state, `killed after write ${writes}`).toBe('done');
      expect(work.rows().map(({ state }) => state)).toEqual(['done', 'done']);
      expect(new Set(work.sent.map(({ occasion }) => occasion.idempotencyKey)).size).toBe(2);
      if (!died) {
        expect(work.sent).toHaveLength(2);
        return;
      }
    }
  });

  it('has no runs where it is ignored or failed', async () => {
    const work = bench({ all: {} });
    await work.handle(aMessage({ events: [anEvent({ assetId: 'no reference at all' })] }));
    await work.drain();
    expect(work.summary()?.state).toBe('ignored');
    expect(work.rows()).toEqual([]);
  });
});

describe('a run', () => {
  it('sends nothing of a record that may not leave', async () => {
    const tags = fc.constantFrom('open', 'closed', 'Open', '*', '');
    await fc.assert(
      fc.asyncProperty(fc.option(tags), fc.array(tags), async (tag, securityTags) => {
        const work = bench({ all: { securityTags } }, { tag });
        await work.handle(aMessage());
        await work.drain();
        const may = securityTags.includes('*') || (tag !== null && securityTags.includes(tag));
        expect(work.sent).toHaveLength(may ? 1 : 0);
        if (!may)
          expect(work.rows()).toMatchObject([{ state: 'ignored', reason: { code: 'may-not-leave' } }]);
      }),
    );
  });

  it('of an action that the settings name no more waits for a replay', async () => {
    const work = bench({ all: {} });
    await work.handle(aMessage());
    work.actions.clear();
    await work.drain();
    expect(work.rows()).toMatchObject([{ state: 'failed', reason: { code: 'unknown-action' } }]);
  });

  it('holds up no other, and is given up at the end of the schedule', async () => {
    const work = bench(
      { bad: {}, good: {} },
      {
        answer: ({ action }) =>
          action === 'bad' ? { kind: 'again', text: '503' } : { kind: 'done', text: '' },
      },
    );
    await work.handle(aMessage());
    await work.drain();
    expect(work.rows()).toMatchObject([{ state: 'failed', reason: { text: '503' } }, { state: 'done' }]);
    expect(work.summary()?.state).toBe('done');
    const keys = work.sent
      .filter(({ action }) => action === 'bad')
      .map(({ occasion }) => occasion.idempotencyKey);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('of an action whose other side is gone keeps the others waiting', async () => {
    let isGone = true;
    const work = bench(
      { all: {} },
      { answer: () => (isGone ? { kind: 'failed', text: '410', isGone } : { kind: 'done', text: '' }) },
    );
    await work.handle(aMessage());
    await work.drain();
    expect(work.rows()).toMatchObject([{ state: 'failed', reason: { code: 'gone' } }]);
    await work.handle(aMessage({ deliveryId: 'd-2', events: [anEvent({ id: 'event-2' })] }));
    await work.drainUntil(work.deps.now() + 10_000);
    expect(work.rows()[1]).toMatchObject({ state: 'waiting', reason: { code: 'login-refused' } });
    isGone = false;
    await work.drain();
    expect(work.rows()[1]).toMatchObject({ state: 'done' });
  });
});
