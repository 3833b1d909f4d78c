import * as z from 'zod';
import type { Log } from '../ports/log.ts';

/**
 * Why calls are refused for good. The list is fixed: whoever calls picks among these, and can make no new ones. What a
 * receiver says beyond them counts as `other`.
 */
export const refusalCodes = [
  'wrong-signature',
  'no-signature',
  'malformed-signature',
  'method',
  'too-large',
  'challenge-code-not-answerable',
  'challenge-with-signature-or-body',
  'no-question',
  'echo-not-answerable',
  'malformed-key',
  'key-not-expected',
  'not-json',
  'unknown-shape',
  'other',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

const Refused = z.object({
  code: z.enum(refusalCodes),
  count: z.number(),
  /** The first and the latest that count, ISO 8601. */
  since: z.string(),
  last: z.string(),
});

/** Calls of a source that were refused for one reason. */
export type Refused = z.infer<typeof Refused>;
/** What is kept of a source: at most one entry a code. */
export const Refusals = z.array(Refused).readonly();
export type Refusals = z.infer<typeof Refusals>;

/** Where the counts of all instances come together. All of it may throw a StorageError. */
export interface RefusalStore {
  /** Writes what `change` makes of what is there; it may be asked several times. */
  update(source: string, change: (there: Refusals) => Refusals): Promise<void>;
  read(source: string): Promise<Refusals>;
}

/** Counts refused calls in memory and adds them to the store now and then; no caller waits for that. */
export interface RefusalCounter {
  count(source: string, why: string): void;
  /** Adds what was counted here. Never throws: what the store does not take is kept for the next time. */
  flush(): Promise<void>;
  /** What all instances counted, as far as they added it. Throws a StorageError. */
  read(source: string): Promise<Refusals>;
}

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
