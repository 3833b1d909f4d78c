import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCallLimiter, type CallLimiter } from '../../../src/pipeline/concurrency/call-limiter.ts';
import type { Permit } from '../../../src/pipeline/ports/permit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const gateOf = (given: { maxAtOnce?: number; maxPerSecond?: number } = {}): CallLimiter =>
  createCallLimiter({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now, ...given });

async function turnAt(limiter: CallLimiter, maxWaitMs = 5_000): Promise<Permit> {
  const permit = await limiter.acquire(maxWaitMs);
  if (permit === undefined) throw new Error('busy');
  return permit;
}

const lasting = (ms: number) => async () =>
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

describe('a call limiter', () => {
  it('never lets more than its number go at once, and lets everyone go in the end, in order', async () => {
    const job = fc.record({
      arrivesAfterMs: fc.nat(50),
      calls: fc.array(fc.nat(40), { maxLength: 5 }),
      together: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(job, { maxLength: 20 }),
        async (most, jobs) => {
          const limiter = gateOf({ maxAtOnce: most });
          let atOnce = 0;
          let highest = 0;
          let done = 0;
          const arrived: number[] = [];
          const admitted: number[] = [];
          const running = jobs.map(async ({ arrivesAfterMs, calls, together }, index) => {
            await lasting(arrivesAfterMs)();
            arrived.push(index);
            const permit = await turnAt(limiter, 1_000_000);
            admitted.push(index);
            const one = async (ms: number) =>
              await permit.call(async () => {
                highest = Math.max(highest, (atOnce += 1));
                await lasting(ms)();
                atOnce -= 1;
              });
            if (together) await Promise.all(calls.map(one));
            else for (const ms of calls) await one(ms);
            permit.end();
            done += 1;
          });
          await vi.runAllTimersAsync();
          expect(done).toBe(jobs.length);
          await Promise.all(running);
          expect(highest).toBeLessThanOrEqual(most);
          expect(admitted).toEqual(arrived);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never lets more go a second than its number, beyond a burst of as many', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(3_000), { minLength: 1, maxLength: 60 }),
        async (perSecond, arrivals) => {
          const limiter = gateOf({ maxAtOnce: 100, maxPerSecond: perSecond });
          const startedAt: number[] = [];
          const running = arrivals.map(async (ms) => {
            await lasting(ms)();
            const permit = await turnAt(limiter, 1_000_000);
            await permit.call(async () => void startedAt.push(Date.now()));
          });
          await vi.runAllTimersAsync();
          expect(startedAt).toHaveLength(arrivals.length);
          await Promise.all(running);
          for (const [from, start] of startedAt.entries()) {
            for (const [more, end] of startedAt.slice(from).entries()) {
              const allowed = perSecond + ((end - start) / 1000) * perSecond;
              expect(more + 1).toBeLessThanOrEqual(allowed + 1e-6);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('uses its number a second up: nobody waits without need', async () => {
    const limiter = gateOf({ maxAtOnce: 100, maxPerSecond: 10 });
    const began = Date.now();
    const running = Promise.all(
      Array.from({ length: 30 }, async () => await (await turnAt(limiter)).call(async () => Date.now())),
    );
    await vi.runAllTimersAsync();
    expect(Math.max(...(await running)) - began).toBeLessThanOrEqual(2_000 + 30);
  });

  it('lets the calls of those who have begun go before those who have not', async () => {
    const limiter = gateOf({ maxAtOnce: 1 });
    const order: string[] = [];
    const first = await turnAt(limiter);
    const second = limiter.acquire(5_000);
    const calls = ['a', 'b', 'c'].map((name) =>
      first.call(async () => {
        await lasting(10)();
        order.push(name);
      }),
    );
    void second.then(() => order.push('second'));
    await vi.runAllTimersAsync();
    await Promise.all(calls);
    expect(order).toEqual(['a', 'b', 'c', 'second']);
  });

  it('keeps the place of an admission until its first call takes it', async () => {
    const limiter = gateOf({ maxAtOnce: 1 });
    const first = await turnAt(limiter);
    const second = limiter.acquire(10_000);
    await vi.advanceTimersByTimeAsync(4_000);
    await expect(first.call(async () => 'at once')).resolves.toBe('at once');
    await expect(second).resolves.toBeDefined();
  });

  it('gives an unused place on when the permit ends, once, and the call it was counted for', async () => {
    const limiter = gateOf({ maxAtOnce: 1, maxPerSecond: 1 });
    const first = await turnAt(limiter);
    const second = limiter.acquire(0);
    const third = limiter.acquire(0);
    first.end();
    first.end();
    await expect(second).resolves.toBeDefined();
    await vi.advanceTimersByTimeAsync(1);
    await expect(third).resolves.toBeUndefined();
  });

  it('gives a place back when the call fails', async () => {
    const limiter = gateOf({ maxAtOnce: 1 });
    const permit = await turnAt(limiter);
    await expect(permit.call(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(turnAt(limiter, 0)).resolves.toBeDefined();
  });

  it('says that it is busy when nothing became free in time, and leaves no timer behind', async () => {
    const limiter = gateOf({ maxAtOnce: 1, maxPerSecond: 1 });
    const permit = await turnAt(limiter);
    await permit.call(async () => undefined);
    const late = limiter.acquire(500);
    await vi.advanceTimersByTimeAsync(500);
    await expect(late).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a call limiter whose number changes', () => {
  it('lets nobody new go beyond the smaller number, and all who wait once it is larger again', async () => {
    const limiter = gateOf({ maxAtOnce: 4 });
    const first = await turnAt(limiter);
    await turnAt(limiter);
    limiter.setMaxAtOnce(1);
    const waiting = [limiter.acquire(60_000), limiter.acquire(60_000)];
    first.end();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(limiter).toMatchObject({ inUse: 1, waiting: 2 });
    limiter.setMaxAtOnce(4);
    await Promise.all(waiting);
    expect(limiter).toMatchObject({ inUse: 3, waiting: 0 });
  });

  it('lets only its share of calls go a second', async () => {
    const limiter = gateOf({ maxAtOnce: 4, maxPerSecond: 8 });
    limiter.setMaxAtOnce(1);
    const began = Date.now();
    const running = Promise.all(
      Array.from(
        { length: 20 },
        async () => await (await turnAt(limiter, 60_000)).call(async () => Date.now()),
      ),
    );
    await vi.runAllTimersAsync();
    // The burst that was saved up is of the share too.
    expect(Math.max(...(await running)) - began).toBeGreaterThanOrEqual(9_000);
  });
});
