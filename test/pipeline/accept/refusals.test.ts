import { describe, expect, it } from 'vitest';
import { refusalCounter } from '../../../src/pipeline/accept/refusals.ts';
import type { Refusals } from '../../../src/pipeline/model/refusals.ts';
import { until } from '../../support/until.ts';

const hourMs = 3_600_000;
const start = Date.parse('2026-01-05T09:00:00.000Z');

function counting({ flushAfterMs = hourMs }: { flushAfterMs?: number } = {}) {
  const rows = new Map<string, Refusals>();
  const logged: string[] = [];
  let now = start;
  let away = false;
  let writes = 0;
  const counter = refusalCounter({
    store: {
      async update(source, change) {
        if (away) throw new Error('away');
        writes += 1;
        rows.set(source, change(rows.get(source) ?? []));
      },
      read: async (source) => rows.get(source) ?? [],
    },
    flushAfterMs,
    log: (_level, name) => logged.push(name),
    now: () => now,
  });
  return {
    counter,
    rows,
    logged,
    writes: () => writes,
    pass: (ms: number) => void (now += ms),
    goAway: (to: boolean) => void (away = to),
    counts: async () => (await counter.read('archive')).map(({ code, count }) => `${code} ${count}`),
  };
}

describe('refused calls', () => {
  it('are added by themselves after a while, and only where there is something', async () => {
    const { counter, rows, writes } = counting({ flushAfterMs: 1 });
    for (let nr = 0; nr < 1000; nr += 1) counter.count('archive', 'wrong-signature');
    await until(async () => rows.get('archive'));
    expect(rows.get('archive')).toMatchObject([{ code: 'wrong-signature', count: 1000 }]);
    await counter.flush();
    expect(writes()).toBe(1);
  });

  it('are kept for the next time where the store is away', async () => {
    const { counter, counts, goAway, logged } = counting();
    goAway(true);
    counter.count('archive', 'no-signature');
    await counter.flush();
    counter.count('archive', 'no-signature');
    await counter.flush();
    expect(logged).toEqual(['refusals-not-kept', 'refusals-not-kept']);
    goAway(false);
    await counter.flush();
    expect(await counts()).toEqual(['no-signature 2']);
  });

  it('have fixed reasons, however many a caller might cause', async () => {
    const { counter, counts } = counting();
    for (const why of ['a', 'b', '__proto__', 'undefined']) counter.count('archive', why);
    await counter.flush();
    expect(await counts()).toEqual(['other 4']);
  });

  it('are forgotten after a day without one, and then start anew', async () => {
    const { counter, counts, pass } = counting();
    counter.count('archive', 'method');
    counter.count('archive', 'too-large');
    await counter.flush();
    pass(23 * hourMs);
    counter.count('archive', 'method');
    await counter.flush();
    pass(2 * hourMs);
    expect(await counts()).toEqual(['method 2']);
    pass(23 * hourMs);
    expect(await counts()).toEqual([]);
    counter.count('archive', 'method');
    await counter.flush();
    expect(await counter.read('archive')).toEqual([
      {
        code: 'method',
        count: 1,
        since: new Date(start + 48 * hourMs).toISOString(),
        last: new Date(start + 48 * hourMs).toISOString(),
      },
    ]);
  });
});
