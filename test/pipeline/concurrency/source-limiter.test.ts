import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createSourceLimiter,
  type SourceLimiter,
  type SourceLimiterOptions,
  type SourcePermit,
} from '../../../src/pipeline/concurrency/source-limiter.ts';
import { StorageError } from '../../../src/pipeline/ports/errors.ts';
import { memoryStores } from '../../support/memory-stores.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minute = 60_000;

/** Limiters of several instances on one storage. */
function instances(given: Partial<SourceLimiterOptions> = {}) {
  const { sourceStates: states } = memoryStores();
  const logged: string[] = [];
  let serial = 0;
  return {
    states,
    logged,
    start: (own: Partial<SourceLimiterOptions> = {}): SourceLimiter =>
      createSourceLimiter({
        source: 'archive',
        states,
        owner: `instance-${(serial += 1)}`,
        maxAtOnce: 8,
        maxPerSecond: 0,
        probeAfterMs: 30_000,
        now: Date.now,
        log: (_level, name) => logged.push(name),
        ...given,
        ...own,
      }),
    pause: async (pausedAt: number | null) =>
      await states.change('archive', (state) => ({ ...state, pausedAt })),
  };
}

async function permitOf(limiter: SourceLimiter, maxWaitMs = 5_000): Promise<SourcePermit> {
  const acquired = await limiter.acquire(maxWaitMs);
  if (acquired.kind !== 'permit') throw new Error(acquired.kind);
  return acquired.permit;
}

const lasting = (ms: number) => async () =>
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

/** One event that makes a call: how it was let in, and what the source answered. */
async function ask(limiter: SourceLimiter, answer: Parameters<SourcePermit['report']>[0]): Promise<string> {
  const acquired = await limiter.acquire(5_000);
  if (acquired.kind !== 'permit') return acquired.kind === 'closed' ? acquired.code : acquired.kind;
  await acquired.permit.call(async () => undefined);
  await acquired.permit.report(answer);
  acquired.permit.end();
  return 'asked';
}

async function fail(limiter: SourceLimiter, times: number): Promise<string[]> {
  const asked: string[] = [];
  for (let time = 0; time < times; time += 1) asked.push(await ask(limiter, 'source-unavailable'));
  return asked;
}

describe('permits of several instances', () => {
  it('are never more together than the number, whoever comes, goes or is killed', async () => {
    const job = fc.record({
      instance: fc.nat(2),
      arrivesAfterMs: fc.nat(40_000),
      calls: fc.array(fc.nat(3_000), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(job, { maxLength: 60 }),
        async (most, jobs) => {
          const { start } = instances({ maxAtOnce: most });
          const limiters = [start(), start(), start()];
          let atOnce = 0;
          let highest = 0;
          let done = 0;
          const running = jobs.map(async ({ instance, arrivesAfterMs, calls }) => {
            await lasting(arrivesAfterMs)();
            const limiter = limiters[instance];
            if (limiter === undefined) throw new Error('no such instance');
            // As a message that is put back.
            for (;;) {
              const acquired = await limiter.acquire(5_000);
              if (acquired.kind !== 'permit') {
                await lasting(2_000)();
                continue;
              }
              for (const ms of calls)
                await acquired.permit.call(async () => {
                  highest = Math.max(highest, (atOnce += 1));
                  await lasting(ms)();
                  atOnce -= 1;
                });
              acquired.permit.end();
              done += 1;
              return;
            }
          });
          await vi.advanceTimersByTimeAsync(20 * minute);
          expect(done).toBe(jobs.length);
          await Promise.all(running);
          expect(highest).toBeLessThanOrEqual(most);
          // Nothing runs on where nothing is asked.
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are shared evenly by those who want all', async () => {
    const { start } = instances({ maxAtOnce: 8 });
    const [one, other] = [start(), start()];
    const done = [0, 0];
    const until = Date.now() + 100_000;
    const busy = async (limiter: SourceLimiter, index: number): Promise<void> => {
      while (Date.now() < until) {
        const acquired = await limiter.acquire(5_000);
        if (acquired.kind !== 'permit') {
          await lasting(1_000)();
          continue;
        }
        await acquired.permit.call(lasting(500));
        acquired.permit.end();
        done[index] = (done[index] ?? 0) + 1;
      }
    };
    const running = Array.from({ length: 16 }, async () => await busy(one, 0));
    await vi.advanceTimersByTimeAsync(20_000);
    running.push(...Array.from({ length: 16 }, async () => await busy(other, 1)));
    await vi.advanceTimersByTimeAsync(20_000);
    done.fill(0);
    await vi.advanceTimersByTimeAsync(minute);
    await vi.advanceTimersByTimeAsync(20_000);
    await Promise.all(running);
    const [first = 0, second = 0] = done;
    expect(first + second).toBeGreaterThan(0.9 * 8 * 2 * 60);
    expect(Math.min(first, second) / Math.max(first, second)).toBeGreaterThan(0.8);
  });

  it('that a killed instance had come back by themselves', async () => {
    const { start, states } = instances({ maxAtOnce: 2 });
    const killed = start();
    await permitOf(killed);
    await permitOf(killed);
    // Its timers end with it.
    vi.clearAllTimers();
    const other = start();
    expect(await other.acquire(0)).toEqual({ kind: 'busy' });
    await vi.advanceTimersByTimeAsync(26_000);
    await permitOf(other);
    await permitOf(other);
    expect((await states.read('archive'))?.value.permits).toHaveLength(1);
  });

  it('cost no transaction where nothing is asked, and one in five seconds where much is', async () => {
    const { start, states } = instances();
    let transactions = 0;
    const limiter = start({
      states: {
        read: async (source) => ((transactions += 1), await states.read(source)),
        change: async (source, change) => ((transactions += 1), await states.change(source, change)),
      },
    });
    for (let second = 0; second < 100; second += 1) {
      await ask(limiter, 'answered');
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(transactions).toBeLessThanOrEqual(22);
    await vi.advanceTimersByTimeAsync(minute);
    const before = transactions;
    await vi.advanceTimersByTimeAsync(60 * minute);
    expect(transactions).toBe(before);
    expect((await states.read('archive'))?.value.permits).toEqual([]);
  });

  it('that cannot be renewed let nobody new in, and those who have begun go on', async () => {
    const { start, states, logged } = instances();
    let away = false;
    const limiter = start({
      states: {
        ...states,
        change: async (source, change) => {
          if (away) throw new StorageError('away');
          return await states.change(source, change);
        },
      },
    });
    const begun = await permitOf(limiter);
    await begun.call(async () => undefined);
    away = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(logged).toContain('permits-not-renewed');
    await expect(limiter.acquire(0)).rejects.toThrow(StorageError);
    await expect(begun.call(async () => 'second')).resolves.toBe('second');
    away = false;
    await permitOf(limiter);
  });
});

describe('the circuit', () => {
  it('opens after ten failures in a row, for all instances', async () => {
    const { start } = instances();
    const [one, other] = [start(), start()];
    expect(await ask(other, 'answered')).toBe('asked');
    expect(await fail(one, 9)).toEqual(Array.from({ length: 9 }, () => 'asked'));
    expect(await ask(one, 'answered')).toBe('asked');
    await fail(one, 10);
    expect(await fail(one, 2)).toEqual(['source-unavailable', 'source-unavailable']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await ask(other, 'answered')).toBe('source-unavailable');
  });

  it('opens where more than half of the last fifty failed', async () => {
    const limiter = instances().start();
    // Two of three: never ten in a row.
    let asked = 0;
    for (; asked < 60; asked += 1)
      if ((await ask(limiter, asked % 3 === 2 ? 'answered' : 'source-unavailable')) !== 'asked') break;
    expect(asked).toBe(38);
  });

  it('opens at the first login that is refused, and says so', async () => {
    const limiter = instances().start();
    expect(await ask(limiter, 'login-refused')).toBe('asked');
    expect(await limiter.acquire(0)).toMatchObject({ kind: 'closed', code: 'login-refused' });
  });

  it('never opens for answers, a 404 or a 429 among them', async () => {
    const limiter = instances().start();
    for (let time = 0; time < 60; time += 1)
      expect(await ask(limiter, time % 2 === 0 ? 'answered' : 'rate-limited')).toBe('asked');
  });

  it('lets one event try after 30 s, over all instances, and after twice as long each time up to ten minutes', async () => {
    const { start } = instances();
    const limiters = [start(), start(), start()];
    const [first] = limiters;
    if (first === undefined) throw new Error('no limiter');
    await fail(first, 10);
    const tries: number[] = [];
    const openedAt = Date.now();
    for (let second = 0; second < 3_000; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      const asked = await Promise.all(limiters.map((limiter) => ask(limiter, 'source-unavailable')));
      tries.push(...asked.filter((each) => each === 'asked').map(() => (Date.now() - openedAt) / 1_000));
    }
    const gaps = tries.map((at, index) => at - (tries[index - 1] ?? 0));
    for (const [index, wanted] of [30, 60, 120, 240, 480, 600, 600].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(wanted);
      expect(gaps[index]).toBeLessThanOrEqual(wanted + 7);
    }
  });

  it('closes for all when the try is answered, and lets nobody else in while it lasts', async () => {
    const { start } = instances();
    const [one, other] = [start(), start()];
    await fail(one, 10);
    await vi.advanceTimersByTimeAsync(31_000);
    const probe = await permitOf(other);
    expect(await ask(one, 'answered')).toBe('source-unavailable');
    expect(await ask(other, 'answered')).toBe('source-unavailable');
    expect(await probe.report('answered')).toBeUndefined();
    probe.end();
    expect(await ask(other, 'answered')).toBe('asked');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await ask(one, 'answered')).toBe('asked');
  });

  it('lets another one try where the one that tried was killed, or came to nothing', async () => {
    const { start } = instances();
    const [one, other] = [start(), start()];
    await fail(one, 10);
    await vi.advanceTimersByTimeAsync(31_000);
    (await permitOf(one)).end();
    await permitOf(one);
    expect(await ask(other, 'answered')).toBe('source-unavailable');
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await ask(other, 'answered')).toBe('asked');
  });

  it('tells those who failed while it opened that it is open', async () => {
    const limiter = instances().start();
    const late = await permitOf(limiter);
    await fail(limiter, 10);
    expect(await late.report('source-unavailable')).toMatchObject({ code: 'source-unavailable' });
  });
});

describe('a source that wants quiet', () => {
  it('is left alone by all instances until then, also when a shorter quiet is asked for', async () => {
    const { start } = instances();
    const [one, other] = [start(), start()];
    await ask(other, 'answered');
    await one.pauseFor(minute, 'rate-limited');
    await one.pauseFor(10, 'source-unavailable');
    const until = Date.now() + minute;
    expect(await one.acquire(5_000)).toMatchObject({ kind: 'closed', until, code: 'rate-limited' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await other.acquire(5_000)).toMatchObject({ kind: 'closed', until, code: 'rate-limited' });
    await vi.advanceTimersByTimeAsync(minute);
    expect(await ask(other, 'answered')).toBe('asked');
  });

  it('is waited for where that is short', async () => {
    const limiter = instances().start();
    await limiter.pauseFor(3_000, 'source-unavailable');
    let admitted = false;
    void limiter.acquire(5_000).then(({ kind }) => (admitted = kind === 'permit'));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(admitted).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    expect(admitted).toBe(true);
  });

  it('lets those who have begun go on', async () => {
    const limiter = instances().start();
    const permit = await permitOf(limiter);
    await limiter.pauseFor(minute, 'rate-limited');
    await permit.call(async () => undefined);
    await expect(permit.call(async () => 'second')).resolves.toBe('second');
  });
});

describe('a paused source', () => {
  it('lets nobody in, tells when to come again, and lets all in once it goes on', async () => {
    const { start, pause } = instances();
    const limiter = start();
    await pause(Date.now());
    expect(await limiter.acquire(5_000)).toMatchObject({ code: 'paused', until: Date.now() + 5_000 });
    await vi.advanceTimersByTimeAsync(minute);
    expect(await limiter.acquire(5_000)).toMatchObject({ code: 'paused', until: Date.now() + minute / 2 });
    await vi.advanceTimersByTimeAsync(60 * minute);
    expect(await limiter.acquire(5_000)).toMatchObject({ code: 'paused', until: Date.now() + 5 * minute });
    await pause(null);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await ask(limiter, 'answered')).toBe('asked');
  });
});
