import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SharedRefresh } from '../../../src/pipeline/concurrency/shared-refresh.ts';

/** Looks that find their own number; each ends as `end` says. */
function setup({ everyMs = 0, end = async (look: number): Promise<number> => look } = {}) {
  const beganAt: number[] = [];
  const now = (): number => performance.now();
  const looks = new SharedRefresh({
    refresh: async () => {
      beganAt.push(now());
      return await end(beganAt.length);
    },
    everyMs,
    now,
  });
  const join = async (given: { bytes?: number; maxWaitMs?: number } = {}) =>
    await looks.join({ bytes: 10, maxWaitMs: 60_000, ...given });
  return { beganAt, join };
}

/** Something that ends when it is told to. */
function limiter() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe.concurrent('a look that many wait for', () => {
  it('is one for all who came before it began, and another for who came later', async () => {
    const { opened, open } = limiter();
    const { join, beganAt } = setup({ end: async (look) => await opened.then(() => look) });
    const first = join();
    await expect.poll(() => beganAt).toHaveLength(1);
    const later = [join(), join()];
    open();
    expect(await first).toBe(1);
    expect(await Promise.all(later)).toEqual([2, 2]);
  });

  it('begins only so often', async () => {
    const { join, beganAt } = setup({ everyMs: 300 });
    expect(await join()).toBe(1);
    expect(await join()).toBe(2);
    // A timer may be a millisecond early.
    expect((beganAt[1] ?? 0) - (beganAt[0] ?? 0)).toBeGreaterThanOrEqual(299);
  });

  it('is none for whoever cannot wait until it begins, at once', async () => {
    const { join, beganAt } = setup({ everyMs: 60_000 });
    await join();
    expect(await join({ maxWaitMs: 50_000 })).toBeUndefined();
    expect(beganAt).toHaveLength(1);
  });

  it('finds nothing where it fails, and the next one is tried', async () => {
    const { join } = setup({
      end: async (look) => (look === 1 ? await Promise.reject(new Error('away')) : look),
    });
    expect(await join()).toBeUndefined();
    expect(await join()).toBe(2);
  });

  it('that hangs keeps nobody longer than they can wait, and the next one not away for ever', async () => {
    const { join } = setup({ end: async (look) => (look === 1 ? await new Promise(() => undefined) : look) });
    expect(await join({ maxWaitMs: 10 })).toBeUndefined();
    expect(await join()).toBe(2);
  });

  it.each([
    ['so many', Array.from({ length: 64 }, () => 10)],
    ['so many bytes', [33_554_431]],
  ])('is waited for by only %s', async (_name, waiters) => {
    const { opened, open } = limiter();
    const { join } = setup({ end: async (look) => await opened.then(() => look) });
    const waiting = waiters.map(async (bytes) => await join({ bytes }));
    expect(await join()).toBeUndefined();
    open();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([1]));
    await delay(0);
    expect(await join()).toBe(2);
  });

  it('is waited for by one who holds more than all may, where nobody else waits', async () => {
    const { opened, open } = limiter();
    const { join } = setup({ end: async (look) => await opened.then(() => look) });
    const large = join({ bytes: 40_000_000 });
    expect(await join({ bytes: 1 })).toBeUndefined();
    open();
    expect(await large).toBe(1);
  });
});
