import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventSlots } from '../../../src/pipeline/concurrency/event-slots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const clock = { now: () => Date.now() };

describe('the slots of a source', () => {
  it.each([
    [2, 20],
    [3, 12],
    [5, 8],
    [40, 8],
  ])('beside others, of %i in all, are %i, and nobody waits for one', async (sources, most) => {
    const slots = eventSlots(sources, clock);
    const taken = await Promise.all(Array.from({ length: most }, async () => await slots.take(1)));
    expect(taken).not.toContain(undefined);
    expect(await slots.take(1)).toBeUndefined();
    taken[0]?.();
    expect(await slots.take(1)).toBeDefined();
  });

  it('without others are all there is, and are waited for', async () => {
    const slots = eventSlots(1, clock);
    const taken = await Promise.all(Array.from({ length: 40 }, async () => await slots.take(1)));
    const [late, never] = [slots.take(1), slots.take(1)];
    // A message of many would only make the queue longer.
    expect(await slots.take(2)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(4_000);
    taken[0]?.();
    expect(await late).toBeDefined();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await never).toBeUndefined();
  });

  it('send those who find none away for as long as those before them will take, spread out', async () => {
    const slots = eventSlots(3, clock);
    for (let times = 0; times < 200; times += 1) {
      const release = await slots.take(1);
      await vi.advanceTimersByTimeAsync(24_000);
      release?.();
    }
    // Twelve at a time, 24 seconds each: one in two seconds, and somewhat earlier.
    for (let nth = 1; nth <= 10; nth += 1) {
      const delayMs = slots.untilRoomMs(1);
      expect(delayMs).toBeGreaterThan(nth * 1_500);
      expect(delayMs).toBeLessThanOrEqual(nth * 2_000);
    }
    expect(slots.untilRoomMs(1_000)).toBe(120_000);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(slots.untilRoomMs(1)).toBeLessThanOrEqual(2_000);
  });
});
