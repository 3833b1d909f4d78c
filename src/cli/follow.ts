import { setTimeout as delay } from 'node:timers/promises';
import { UpstreamError } from '../pipeline/ports/errors.ts';
import { RefusedError } from './faults.ts';
import { runningApp, type ListedEvent, type RunningApp } from './running-app.ts';
import type { Setup } from './setup.ts';
import { note } from './terminal.ts';

const everyMs = 2_000;
const longestMs = 30_000;
const pageOf = 50;
// What one look reads at the most; of more events than that in two seconds the newest are shown.
const mostPages = 20;
const mostAskedAlone = 10;
const mostRemembered = 10_000;

/**
 * Shows the newest events and then whatever comes or changes, oldest first, until it is interrupted. An app that is away
 * is asked again, less and less often.
 */
export async function follow(
  setup: Pick<Setup, 'app'>,
  { filter, first, show }: { filter: URLSearchParams; first: number; show: (event: ListedEvent) => void },
): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  const { signal } = interrupted;
  const app = runningApp(setup, signal);
  const seen = new Seen();
  let pauseMs = everyMs;
  try {
    while (!signal.aborted) {
      try {
        for (const event of await look(app, { filter, first, seen })) if (seen.isNew(event)) show(event);
        if (pauseMs > everyMs) note('The app answers again.');
        pauseMs = everyMs;
      } catch (error) {
        if (signal.aborted) break;
        if (!isAway(error)) throw error;
        if (pauseMs === everyMs) note(`${error.message} Asking again.`);
        pauseMs = Math.min(pauseMs * 2, longestMs);
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

/** What was shown of each event, as far back as it may matter. */
class Seen {
  readonly #states = new Map<string, string>();
  /** Those that will change again; the one that was seen last comes last, so that all have their turn. */
  readonly unfinished = new Set<string>();
  looked = false;
  /** When the oldest event of the first look was received, where that did not show all there was. */
  since: string | undefined;

  has(id: string): boolean {
    return this.#states.has(id);
  }

  /** Remembers it; true where it was not seen like this. */
  isNew({ id, state, reason, attempts }: ListedEvent): boolean {
    const now = JSON.stringify([state, reason, attempts]);
    const isNew = this.#states.get(id) !== now;
    this.#states.delete(id);
    this.#states.set(id, now);
    this.unfinished.delete(id);
    if (state === 'processing' || state === 'waiting') this.unfinished.add(id);
    const [oldest] = this.#states.keys();
    if (this.#states.size > mostRemembered && oldest !== undefined) {
      this.#states.delete(oldest);
      this.unfinished.delete(oldest);
    }
    return isNew;
  }
}

interface Look {
  readonly filter: URLSearchParams;
  /** How many the first look shows. */
  readonly first: number;
  readonly seen: Seen;
}

/** The newest events, and some unfinished ones that are older; oldest first. */
async function look(app: RunningApp, given: Look): Promise<ListedEvent[]> {
  const newest = await latest(app, given);
  // Of those in one state nobody can say what they are to become.
  const older = given.filter.has('state') ? [] : await olderUnfinished(app, given.seen, newest);
  return [...older, ...newest].toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt));
}

/** Reads pages until one holds what was seen before. What is older than the first look showed is no news. */
async function latest(app: RunningApp, { filter, first, seen }: Look): Promise<ListedEvent[]> {
  const most = seen.looked ? pageOf * mostPages : first;
  const found: ListedEvent[] = [];
  let next: string | null = null;
  do {
    const query = new URLSearchParams(filter);
    if (seen.since !== undefined) query.set('from', seen.since);
    query.set('limit', String(Math.min(pageOf, most - found.length)));
    if (next !== null) query.set('after', next);
    const page = await app.events(query);
    found.push(...page.events);
    ({ next } = page);
    if (page.events.some(({ id }) => seen.has(id))) break;
  } while (next !== null && found.length < most);
  if (!seen.looked && next !== null) seen.since = found.at(-1)?.receivedAt;
  seen.looked = true;
  return found;
}

async function olderUnfinished(
  app: RunningApp,
  { unfinished }: Seen,
  newest: readonly ListedEvent[],
): Promise<ListedEvent[]> {
  const listed = new Set(newest.map(({ id }) => id));
  const older = [...unfinished].filter((id) => !listed.has(id)).slice(0, mostAskedAlone);
  const found = await Promise.all(older.map(async (id) => await app.event(id)));
  return found.filter((event) => event !== undefined);
}

/** True for what a wait may cure. */
function isAway(error: unknown): error is Error {
  if (error instanceof RefusedError) return (error.status ?? 0) >= 500;
  return error instanceof UpstreamError;
}
