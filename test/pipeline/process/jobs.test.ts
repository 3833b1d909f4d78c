import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { recordPoison } from '../../../src/pipeline/dead-letter/record-poison.ts';
import { StorageError } from '../../../src/pipeline/ports/errors.ts';
import {
  jobKind,
  jobToBegin,
  startJob,
  type JobKind,
  type JobStep,
} from '../../../src/pipeline/process/jobs.ts';
import { processBench } from '../../support/work-bench.ts';
import { Killed } from '../../support/memory-stores.ts';

/** A new kind of work: it counts up to its goal, one a step. */
function counting(counted: number[], answer?: (progress: Count) => JobStep<Count> | undefined): JobKind {
  return jobKind('count', Count, async (progress) => {
    const next = { ...progress, at: progress.at + 1 };
    const other = answer?.(progress);
    if (other !== undefined) return other;
    counted.push(next.at);
    return { kind: next.at === next.goal ? 'done' : 'more', progress: next };
  });
}
const Count = z.object({ at: z.int(), goal: z.int() });
type Count = z.infer<typeof Count>;

function bench(answer?: (progress: Count) => JobStep<Count> | undefined) {
  const counted: number[] = [];
  const work = processBench(undefined, {}, {}, [counting(counted, answer)]);
  return {
    ...work,
    counted,
    start: async () => await startJob({ kind: 'count', id: 'c-1' }, () => ({ at: 0, goal: 5 }), work.deps),
    row: () => work.jobRows.get('count:c-1')?.value,
  };
}

describe('a job', () => {
  it('goes step by step to its end', async () => {
    const { start, drain, counted, row } = bench();
    await start();
    await drain();
    expect(counted).toEqual([1, 2, 3, 4, 5]);
    expect(row()).toMatchObject({ state: 'done', lease: null, progress: { at: 5 } });
  });

  it('is started once, however many want that, and again when it has ended', async () => {
    const { start, drain, counted } = bench();
    const started = await Promise.all([start(), start(), start()]);
    expect(started.filter((row) => row !== undefined)).toHaveLength(1);
    await drain();
    expect(counted).toHaveLength(5);
    expect(await start()).toBeDefined();
    await drain();
    expect(counted).toHaveLength(10);
  });

  it('is started anew where its message was lost', async () => {
    const { start, drain, messages, counted, ...work } = bench();
    await start();
    messages.length = 0;
    work.pass(60_000);
    expect(await start()).toBeUndefined();
    work.pass(600_000);
    expect(await start()).toBeDefined();
    await drain();
    expect(counted).toHaveLength(5);
  });

  it('ends in the same after a crash behind any of its writes', async () => {
    for (let writes = 1; ; writes += 1) {
      const work = bench((progress) =>
        progress.at === 2 && work.row()?.turn === 0
          ? { kind: 'put-back', progress, delayMs: 1_000 }
          : undefined,
      );
      await work.start();
      work.killAfter(writes);
      const queue: string[] = [];
      let died = false;
      for (;;) {
        queue.push(...work.messages.splice(0).map(({ text }) => text));
        const text = queue.shift();
        if (text === undefined) break;
        // Whatever it waits for has passed.
        work.pass(300_000);
        await work.handle(JSON.parse(text)).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          died = true;
          work.revive();
          // The platform brings it again.
          queue.push(text);
        });
      }
      expect(work.row(), `killed after write ${writes}`).toMatchObject({
        state: 'done',
        progress: { at: 5 },
      });
      if (!died) return;
    }
  });

  it('that its message brings is begun once, however often the message comes, whatever crashes', async () => {
    const text = jobToBegin({ kind: 'count', id: 'c-1', run: 'first' }, { at: 0, goal: 3 });
    for (let writes = 1; ; writes += 1) {
      const work = bench();
      work.killAfter(writes);
      let died = false;
      for (const item of [text, text, text]) {
        work.pass(300_000);
        await work.handle(JSON.parse(item)).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          died = true;
          work.revive();
        });
      }
      expect(work.row(), `killed after write ${writes}`).toMatchObject({
        run: 'first',
        state: 'done',
        progress: { at: 3 },
        history: [{ state: 'done' }],
      });
      if (!died) {
        expect(work.counted).toEqual([1, 2, 3]);
        return;
      }
    }
  });

  it('that its message brings is on record where the platform gave up before it was begun', async () => {
    const work = bench();
    const text = jobToBegin({ kind: 'count', id: 'c-1', run: 'first' }, { at: 0, goal: 3 });
    const message = { text: Buffer.from(text).toString('base64'), messageId: 'm-1' };
    expect(await recordPoison(message, work.deps)).toBe('recorded');
    expect(work.row()).toMatchObject({ state: 'failed', reason: { code: 'poison' }, progress: { goal: 3 } });
    expect(await recordPoison(message, work.deps)).toBe('recorded');
    await work.handle(JSON.parse(text));
    expect(work.counted).toEqual([]);
  });

  it('is worked on by one at a time; another copy waits for the end of the lease', async () => {
    let steps = 0;
    let atOnce = 0;
    let most = 0;
    const slow = jobKind('slow', z.object({}), async (progress) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      steps += 1;
      return { kind: steps === 3 ? 'done' : 'more', progress };
    });
    const work = processBench(undefined, {}, {}, [slow]);
    await startJob({ kind: 'slow', id: 's' }, () => ({}), work.deps);
    const [message] = work.messages.splice(0);
    const item: unknown = JSON.parse(message?.text ?? '');
    await work.handleAtOnce([item, item, item]);
    expect({ most, steps }).toEqual({ most: 1, steps: 3 });
    await work.drain();
    expect({ most, steps }).toEqual({ most: 1, steps: 3 });
  });

  it('lets others in the queue have their turn after a minute', async () => {
    const { start, drain, counted, messages, handle, row, ...work } = bench((progress) => {
      if (progress.at === 2) work.pass(60_000);
      return undefined;
    });
    await start();
    await handle(JSON.parse(messages.splice(0)[0]?.text ?? ''));
    expect(counted).toEqual([1, 2, 3]);
    expect(row()).toMatchObject({ state: 'waiting', lease: null, turn: 1 });
    expect(messages).toHaveLength(1);
    await drain();
    expect(counted).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes by the schedule of retries, and is given up at its end', async () => {
    let tries = 0;
    const { start, drain, row } = bench((progress) => {
      tries += 1;
      return { kind: 'again', progress, reason: { code: 'source-unavailable', text: 'It answered 503.' } };
    });
    await start();
    await drain();
    expect(tries).toBe(3);
    expect(row()).toMatchObject({ state: 'failed', reason: { code: 'source-unavailable' } });
  });

  it('does not count what failed before a step that went well', async () => {
    let fails = 0;
    const { start, drain, row } = bench((progress) => {
      fails += 1;
      return fails % 3 === 0
        ? undefined
        : { kind: 'again', progress, reason: { code: 'source-unavailable', text: 'It answered 503.' } };
    });
    await start();
    await drain();
    expect(row()).toMatchObject({ state: 'done', progress: { at: 5 } });
  });

  it('waits out a failing storage, with no failure counted', async () => {
    let fails = 0;
    const { start, drain, row } = bench(() => {
      fails += 1;
      if (fails < 4) throw new StorageError('writing: 503');
      return undefined;
    });
    await start();
    await drain();
    expect(row()).toMatchObject({ state: 'done', failures: 0 });
  });

  it('ends as failed where it breaks again and again, or the platform gives up', async () => {
    const { start, drain, row, logged } = bench(() => {
      throw new TypeError('a fault of ours');
    });
    await start();
    await drain();
    expect(row()).toMatchObject({ state: 'failed' });
    expect(logged).toContainEqual(expect.objectContaining({ name: 'job-broke' }));

    const other = bench();
    await other.start();
    const text = Buffer.from(other.messages.splice(0)[0]?.text ?? '').toString('base64');
    expect(await recordPoison({ text, messageId: 'm' }, other.deps)).toBe('recorded');
    expect(other.row()).toMatchObject({ state: 'failed', reason: { code: 'poison' } });
  });

  it('of a kind that only a later version knows waits, and is kept then', async () => {
    const { handle, messages, events } = bench();
    const job = { kind: 'later', id: 'x', run: 'r' };
    await handle({ v: 3, job, turn: 0 });
    expect(messages).toMatchObject([{ delayMs: 3_600_000 }]);
    await handle(JSON.parse(messages.splice(0)[0]?.text ?? ''));
    expect([...events.values()]).toMatchObject([{ value: { summary: { reason: { code: 'unreadable' } } } }]);
  });

  it('of an earlier start, or an earlier turn, is over', async () => {
    const { start, handle, messages, counted, drain } = bench();
    await start();
    const old: unknown = JSON.parse(messages[0]?.text ?? '');
    await drain();
    await handle(old);
    await handle({
      v: 3,
      job: { kind: 'count', id: 'nobody', run: 'r' },
      turn: 0,
    });
    expect(counted).toHaveLength(5);
    expect(messages).toEqual([]);
  });
});
