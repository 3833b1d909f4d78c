import { refusalCodes, type Refused, type Refusals } from '../model/refusals.ts';
import type { Log } from '../ports/log.ts';
import type { RefusalCounter, RefusalStore } from '../ports/refusal-store.ts';

const dayMs = 86_400_000;

export function refusalCounter(deps: {
  store: RefusalStore;
  flushAfterMs: number;
  log: Log;
  now(): number;
}): RefusalCounter {
  const { store, flushAfterMs, log } = deps;
  let counted = new Map<string, Refusals>();
  let timer: NodeJS.Timeout | undefined;

  const keep = (source: string, more: Refusals): void => {
    counted.set(source, added(counted.get(source) ?? [], more));
    timer ??= setTimeout(() => void flush(), flushAfterMs).unref();
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const taken = counted;
    counted = new Map();
    await Promise.all(
      [...taken].map(async ([source, more]) => {
        try {
          await store.update(source, (there) => added(there, more));
        } catch (error) {
          keep(source, more);
          const why = error instanceof Error ? error.message : 'unknown';
          log('warn', 'refusals-not-kept', { source, error: why });
        }
      }),
    );
  };
  return {
    count(source, why) {
      const code = refusalCodes.find((each) => each === why) ?? 'other';
      const at = new Date(deps.now()).toISOString();
      keep(source, [{ code, count: 1, since: at, last: at }]);
    },
    flush,
    async read(source) {
      const refusals = await store.read(source);
      return refusals.filter(({ last }) => deps.now() - Date.parse(last) <= dayMs);
    },
  };
}

/** Both together. A reason that did not come for a day starts anew. */
function added(there: Refusals, more: Refusals): Refusals {
  const sums = new Map(there.map((each) => [each.code, each]));
  for (const each of more) {
    const before = sums.get(each.code);
    const isOver = before === undefined || Date.parse(each.since) - Date.parse(before.last) > dayMs;
    sums.set(each.code, isOver ? each : together(before, each));
  }
  return [...sums.values()];
}

function together(a: Refused, b: Refused): Refused {
  return {
    code: a.code,
    count: a.count + b.count,
    since: a.since < b.since ? a.since : b.since,
    last: a.last > b.last ? a.last : b.last,
  };
}
