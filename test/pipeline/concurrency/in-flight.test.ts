import { describe, expect, it, vi } from 'vitest';
import { InFlight } from '../../../src/pipeline/concurrency/in-flight.ts';
import { aMessage, processBench } from '../../support/work-bench.ts';

/** So many that are under way until `end` is called. */
function underWay(flights: InFlight, count: number): { end: () => Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const all = Array.from({ length: count }, async () => await flights.track(async () => await promise));
  return {
    async end() {
      resolve('kept');
      expect(await Promise.all(all)).toEqual(Array.from({ length: count }, () => 'kept'));
    },
  };
}

describe('what is in flight', () => {
  it('goes first where it is much, until it is over', async () => {
    const flights = new InFlight();
    const { end } = underWay(flights, 8);
    let waits = true;
    const others = flights.letGoFirst(60_000).then(() => (waits = false));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(waits).toBe(true);
    await end();
    await others;
    expect(waits).toBe(false);
  });

  it('keeps nobody waiting where it is little, or was not kept', async () => {
    const flights = new InFlight();
    const { end } = underWay(flights, 7);
    await expect(flights.track(async () => await Promise.reject(new Error('not kept')))).rejects.toThrow(
      'not kept',
    );
    await flights.letGoFirst(60_000);
    await end();
  });

  it('keeps nobody longer than they wish', async () => {
    const flights = new InFlight();
    underWay(flights, 100);
    await flights.letGoFirst(1);
  });
});

describe('an event', () => {
  it('lets the deliveries that are being kept go first, for two seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const bench = processBench();
      underWay(bench.deps.keeping, 8);
      const handled = bench.handle(aMessage());
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(bench.asked).toHaveLength(0);
      vi.advanceTimersByTime(2_000);
      await handled;
      expect(bench.summary()).toMatchObject({ state: 'done' });
    } finally {
      vi.useRealTimers();
    }
  });
});
