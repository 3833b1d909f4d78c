import pLimit from 'p-limit';
import * as z from 'zod';
import { carrying } from '../model/event.ts';
import { EventState, type EventQuery, type EventSummary } from '../model/ledger.ts';
import { jobKind, type JobKind, type JobStep } from './jobs.ts';
import { replayEvent, type ReplayDeps } from './replay-event.ts';

/** Which events a replay is of; both ends of the time of receipt belong to it. */
export const ReplayFilter = carrying({
  source: z.string().optional(),
  state: EventState.optional(),
  type: z.string().optional(),
  assetId: z.string().optional(),
  from: z.number().optional(),
  to: z.number().optional(),
  q: z.string().optional(),
});
export type ReplayFilter = z.infer<typeof ReplayFilter>;

/** How far a replay is. */
export const ReplayProgress = carrying({
  filter: ReplayFilter,
  /** Where its list goes on. */
  after: z.string().nullable(),
  matched: z.int(),
  queued: z.int(),
  refused: z.int(),
  /** The first of those that cannot be worked on, and why. */
  refusals: z.array(carrying({ id: z.string(), why: z.string() })),
});
export type ReplayProgress = z.infer<typeof ReplayProgress>;

const eventsAStep = 100;
const eventsAtOnce = 8;
const refusalsKept = 10;

/** The progress of a replay that has not begun. What is received from now on is no part of it. */
export function newReplay(filter: ReplayFilter, now: number): ReplayProgress {
  const to = Math.min(filter.to ?? now, now);
  return { filter: { ...filter, to }, after: null, matched: 0, queued: 0, refused: 0, refusals: [] };
}

/** Work on many events again; the id of the job is that of the replay, for which no event is worked on twice. */
export function replayJob(deps: ReplayDeps): JobKind {
  return jobKind('replay', ReplayProgress, async (progress, { id, signal }) => {
    const page = await deps.ledger.list(
      queryOf(progress.filter, { limit: eventsAStep, after: progress.after }),
    );
    const limit = pLimit(eventsAtOnce);
    const results = await limit.map(page.events, async (event) =>
      // A step that has taken too long is done again.
      signal.aborted ? 'skipped' : await replayOnce(event, id, deps),
    );
    if (signal.aborted) return { kind: 'more', progress };
    const refusals = results.flatMap((result) => (typeof result === 'string' ? [] : [result]));
    const next = {
      ...progress,
      after: page.next,
      matched: progress.matched + page.events.length,
      queued: progress.queued + results.filter((result) => result === 'queued').length,
      refused: progress.refused + refusals.length,
      refusals: [...progress.refusals, ...refusals].slice(0, refusalsKept),
    };
    return { kind: page.next === null ? 'done' : 'more', progress: next } satisfies JobStep<ReplayProgress>;
  });
}

/** Filters as the ledger takes them. */
export function queryOf(filter: ReplayFilter, page: { limit: number; after: string | null }): EventQuery {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    limit: page.limit,
    ...(page.after === null ? {} : { after: page.after }),
  };
}

async function replayOnce(
  { id, source, assetId }: EventSummary,
  replayId: string,
  deps: ReplayDeps,
): Promise<'queued' | 'skipped' | { id: string; why: string }> {
  const { event } = await deps.ledger.read({ source, eventId: id, subject: assetId ?? id });
  if (event === undefined || event.value.replays.includes(replayId)) return 'skipped';
  const replayed = await replayEvent(event.value, replayId, deps);
  return replayed.kind === 'queued' ? 'queued' : { id, why: replayed.why };
}
