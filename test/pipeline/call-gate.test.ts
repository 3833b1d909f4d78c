import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCallGate, type CallGate, type Turn } from '../../src/pipeline/call-gate.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const gateOf = (given: { maxAtOnce?: number; maxPerSecond?: number } = {}): CallGate =>
  createCallGate({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now, ...given });

async function turnAt(gate: CallGate, maxWaitMs = 5_000): Promise<Turn> {
  const admission = await gate.admit(maxWaitMs);
  if (admission.kind !== 'turn') throw new Error(admission.kind);
  return admission.turn;
}

const lasting = (ms: number) => async () =>
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

describe('a call gate', () => {
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
          const gate = gateOf({ maxAtOnce: most });
          let atOnce = 0;
          let highest = 0;
          let done = 0;
          const arrived: number[] = [];
          const admitted: number[] = [];
          const running = jobs.map(async ({ arrivesAfterMs, calls, together }, index) => {
            await lasting(arrivesAfterMs)();
            arrived.push(index);
            const turn = await turnAt(gate, 1_000_000);
            admitted.push(index);
            const one = async (ms: number) =>
              await turn.call(async () => {
                highest = Math.max(highest, (atOnce += 1));
                await lasting(ms)();
                atOnce -= 1;
              });
            if (together) await Promise.all(calls.map(one));
            else for (const ms of calls) await one(ms);
            turn.end();
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
          const gate = gateOf({ maxAtOnce: 100, maxPerSecond: perSecond });
          const startedAt: number[] = [];
          const running = arrivals.map(async (ms) => {
            await lasting(ms)();
            const turn = await turnAt(gate, 1_000_000);
            await turn.call(async () => void startedAt.push(Date.now()));
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
    const gate = gateOf({ maxAtOnce: 100, maxPerSecond: 10 });
    const began = Date.now();
    const running = Promise.all(
      Array.from({ length: 30 }, async () => await (await turnAt(gate)).call(async () => Date.now())),
    );
    await vi.runAllTimersAsync();
    expect(Math.max(...(await running)) - began).toBeLessThanOrEqual(2_000 + 30);
  });

  it('lets the calls of those who have begun go before those who have not', async () => {
    const gate = gateOf({ maxAtOnce: 1 });
    const order: string[] = [];
    const first = await turnAt(gate);
    const second = gate.admit(5_000);
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
    const gate = gateOf({ maxAtOnce: 1 });
    const first = await turnAt(gate);
    const second = gate.admit(10_000);
    await vi.advanceTimersByTimeAsync(4_000);
    await expect(first.call(async () => 'at once')).resolves.toBe('at once');
    await expect(second).resolves.toMatchObject({ kind: 'turn' });
  });

  it('gives an unused place on when the turn ends, once, and the call it was counted for', async () => {
    const gate = gateOf({ maxAtOnce: 1, maxPerSecond: 1 });
    const first = await turnAt(gate);
    const second = gate.admit(0);
    const third = gate.admit(0);
    first.end();
    first.end();
    await expect(second).resolves.toMatchObject({ kind: 'turn' });
    await vi.advanceTimersByTimeAsync(1);
    await expect(third).resolves.toEqual({ kind: 'busy' });
  });

  it('gives a place back when the call fails', async () => {
    const gate = gateOf({ maxAtOnce: 1 });
    const turn = await turnAt(gate);
    await expect(turn.call(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(turnAt(gate, 0)).resolves.toBeDefined();
  });

  it('says that it is busy when nothing became free in time, and leaves no timer behind', async () => {
    const gate = gateOf({ maxAtOnce: 1, maxPerSecond: 1 });
    const turn = await turnAt(gate);
    await turn.call(async () => undefined);
    const late = gate.admit(500);
    await vi.advanceTimersByTimeAsync(500);
    await expect(late).resolves.toEqual({ kind: 'busy' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a closed call gate', () => {
  const until = (ms: number) => Date.now() + ms;

  it('turns away at once whoever would wait in vain', async () => {
    const gate = gateOf();
    gate.close(5_001, 'rate-limited');
    await expect(gate.admit(5_000)).resolves.toEqual({
      kind: 'closed',
      until: until(5_001),
      code: 'rate-limited',
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('admits after a short closing', async () => {
    const gate = gateOf();
    gate.close(3_000, 'source-unavailable');
    let admitted = false;
    void gate.admit(5_000).then(() => (admitted = true));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(admitted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(admitted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('turns away those who already wait, unless it opens in time for them', async () => {
    const gate = gateOf();
    const turn = await turnAt(gate);
    const short = gate.admit(1_000);
    const long = gate.admit(60_000);
    gate.close(10_000, 'source-unavailable');
    await expect(short).resolves.toMatchObject({ kind: 'closed', until: until(10_000) });
    turn.end();
    const opensAt = until(10_000);
    await vi.runAllTimersAsync();
    await expect(long).resolves.toMatchObject({ kind: 'turn' });
    expect(Date.now()).toBe(opensAt);
  });

  it('lets those who have begun go on', async () => {
    const gate = gateOf();
    const turn = await turnAt(gate);
    gate.close(60_000, 'rate-limited');
    await turn.call(async () => undefined);
    await expect(turn.call(async () => 'second')).resolves.toBe('second');
  });

  it('is not opened early by a shorter closing', async () => {
    const gate = gateOf();
    gate.close(60_000, 'rate-limited');
    gate.close(10, 'source-unavailable');
    await expect(gate.admit(5_000)).resolves.toMatchObject({ code: 'rate-limited', until: until(60_000) });
  });
});
