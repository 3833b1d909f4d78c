import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SourceAnswer, SourceLimiter } from '../concurrency/source-limiter.ts';
import { carrying } from '../model/event.ts';
import type { JobRow } from '../model/job.ts';
import type { AssetRecord } from '../model/record.ts';
import {
  CallNotAllowedError,
  type ActionConfig,
  type ActionResult,
  type ActionTools,
  type Occasion,
} from '../ports/action.ts';
import type { Clock } from '../ports/clock.ts';
import { UpstreamError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { AssetStore, WorkQueue } from '../ports/stores.ts';
import type { EventCopy } from './event-copy.ts';
import { jobKind, jobToBegin, type JobInHand, type JobKind, type JobStep } from './jobs.ts';
import { untilOpen } from './process-event.ts';
import { readRecord } from './store-asset.ts';

// A run is a job: one action at work on one event. Its message is sent before the event ends, so that no end is without
// its runs; it may come twice, and makes the same row then.

/** What a run's row keeps beside what every job's does. */
export const RunProgress = carrying({
  action: z.string(),
  source: z.string(),
  assetId: z.string(),
  eventId: z.string(),
  type: z.string(),
  occurredAt: z.string(),
  receivedAt: z.string(),
  title: z.string().nullable().default(null),
  /** What the action came to, and where to see it. */
  result: carrying({ text: z.string(), link: z.string().optional() }).nullable().default(null),
});
export type RunProgress = z.infer<typeof RunProgress>;

/** An action as the work needs it. */
export interface RunnableAction {
  readonly config: ActionConfig;
  readonly limiter: SourceLimiter;
  readonly tools: ActionTools;
}

export interface RunDeps extends Clock {
  readonly actions: ReadonlyMap<string, RunnableAction>;
  /** Which sources have assets with tags that say who may see them. */
  readonly tagged: ReadonlySet<string>;
  readonly assets: AssetStore;
  readonly log: Log;
  random(): number;
}

const longestWaitMs = 5_000;

/** The runs of an event all begin so. */
export function runsBeginning(
  action: string,
  { source, eventId }: { source: string; eventId: string },
): string {
  return `${action}-${digest(source, eventId).slice(0, 24)}-`;
}

/** The action that a run's id names. */
export function actionOfRun(id: string): string {
  return id.replace(/-[0-9a-f]{24}-[0-9a-f]{8}$/, '');
}

/** Queues a run of each action that wants the event. Done twice it is done once. May throw a StorageError. */
export async function startRuns(
  { event, head }: EventCopy,
  { actions, queue }: Pick<RunDeps, 'actions'> & { readonly queue: WorkQueue },
): Promise<void> {
  const { assetId, assetKind, type, occurredAt } = event;
  if (assetId === undefined) return;
  const { source, receivedAt, replayId } = head;
  const wanting = [...actions.values()].filter(({ config: { sources, types, assetKinds } }) =>
    [
      [sources, source],
      [types, type],
      [assetKinds, assetKind],
    ].every(([wanted, is]) => wanted === undefined || wanted.includes(String(is))),
  );
  await Promise.all(
    wanting.map(async ({ config: { name: action } }) => {
      const id = runsBeginning(action, { source, eventId: event.id }) + digest(replayId ?? '').slice(0, 8);
      const begin = { action, source, assetId, eventId: event.id, type, occurredAt, receivedAt };
      await queue.send(jobToBegin({ kind: 'run', id, run: 'first' }, begin));
    }),
  );
}

/** Lets an action work on an asset as it is now. */
export function runJob(deps: RunDeps): JobKind {
  return {
    ...jobKind('run', RunProgress, async (progress, job) => await step(progress, job, deps)),
    logEnd: (id, row) => logEnd(id, row, deps.log),
  };
}

function logEnd(id: string, { state, reason, turn, finishedAt, progress }: JobRow, log: Log): void {
  const { action, source, eventId, type, receivedAt } = RunProgress.safeParse(progress).data ?? {};
  log(state === 'failed' ? 'error' : 'info', 'run-ended', {
    run: id,
    action: action ?? actionOfRun(id),
    source,
    eventId,
    type,
    state,
    code: reason?.code,
    attempts: turn + 1,
    lagMs: Date.parse(finishedAt ?? '') - Date.parse(receivedAt ?? ''),
  });
}

async function step(progress: RunProgress, job: JobInHand, deps: RunDeps): Promise<JobStep<RunProgress>> {
  const action = deps.actions.get(progress.action);
  const failed = (code: string, text: string): JobStep<RunProgress> => ({
    kind: 'failed',
    progress,
    reason: { code, text },
  });
  if (action === undefined)
    return failed(
      'unknown-action',
      `ACTIONS names no action ${progress.action}, or its settings are faulty. When it is back, replay this run.`,
    );
  const { source, assetId } = progress;
  const record = (await readRecord(deps.assets, { source, assetId }))?.record;
  if (record === undefined) return failed('no-record', 'There is no record of this asset that can be read.');
  const known = { ...progress, title: record.title };
  if (!mayLeave(record, action.config, deps.tagged))
    return {
      kind: 'ignored',
      progress: known,
      reason: {
        code: 'may-not-leave',
        text: `Assets with the security tag ${record.securityTag ?? 'that is none'} may not leave by this action.`,
      },
    };

  const acquired = await action.limiter.acquire(longestWaitMs);
  if (acquired.kind === 'busy')
    return { kind: 'put-back', progress: known, delayMs: 1_000 + 4_000 * deps.random() };
  if (acquired.kind === 'closed') {
    const { code } = acquired;
    const text = whyClosed[code];
    return { kind: 'put-back', progress: known, delayMs: untilOpen(acquired, deps), reason: { code, text } };
  }
  const { permit } = acquired;
  try {
    const result = await permit.call(async () => await runOnce(record, known, job, action));
    const closed = await permit.report(answerOf(result));
    if (result.kind === 'again' && result.retryAfterMs !== undefined)
      await action.limiter.pauseFor(result.retryAfterMs, 'rate-limited');
    if (closed?.code === 'source-unavailable' && result.kind === 'again') {
      const reason = { code: closed.code, text: result.text };
      return { kind: 'put-back', progress: known, delayMs: untilOpen(closed, deps), reason };
    }
    return ended(result, known);
  } finally {
    permit.end();
  }
}

const whyClosed = {
  'source-unavailable':
    'The other side failed too often; a single run tries now and then whether it is back.',
  'rate-limited': 'The other side asked us to stay away for a while.',
  'login-refused': 'The other side refuses us; a single run tries now and then whether that has changed.',
  paused: 'The action is paused.',
};

async function runOnce(
  record: AssetRecord,
  { eventId, type, occurredAt, receivedAt }: RunProgress,
  { id, run }: JobInHand,
  { config, tools }: RunnableAction,
): Promise<ActionResult> {
  const occasion: Occasion = {
    event: { id: eventId, type, occurredAt, receivedAt },
    idempotencyKey: `run_${digest(id, run).slice(0, 40)}`,
  };
  try {
    return await config.run(record, occasion, tools);
  } catch (error) {
    if (error instanceof UpstreamError)
      return { kind: 'again', text: error.message, retryAfterMs: error.retryAfterMs };
    if (error instanceof CallNotAllowedError) return { kind: 'failed', text: error.message };
    throw error;
  }
}

function answerOf(result: ActionResult): SourceAnswer {
  if (result.kind === 'again') return result.isBusy === true ? 'rate-limited' : 'source-unavailable';
  return result.kind === 'failed' && result.isGone === true ? 'login-refused' : 'answered';
}

function ended(result: ActionResult, progress: RunProgress): JobStep<RunProgress> {
  const { text } = result;
  switch (result.kind) {
    case 'done': {
      const { link } = result;
      const done = { ...progress, result: { text, ...(link === undefined ? {} : { link }) } };
      return { kind: 'done', progress: done };
    }
    case 'nothing-to-do':
      return { kind: 'ignored', progress, reason: { code: result.kind, text } };
    case 'again': {
      const code = result.isBusy === true ? 'rate-limited' : 'source-unavailable';
      return { kind: 'again', progress, reason: { code, text }, retryAfterMs: result.retryAfterMs };
    }
    case 'failed':
      return {
        kind: 'failed',
        progress,
        reason: { code: result.isGone === true ? 'gone' : 'refused', text },
      };
    default:
      return result satisfies never;
  }
}

/** What decides is the record as it is now. */
function mayLeave(record: AssetRecord, { securityTags }: ActionConfig, tagged: ReadonlySet<string>): boolean {
  if (securityTags === undefined || !tagged.has(record.source)) return true;
  return (
    securityTags.includes('*') || (record.securityTag != null && securityTags.includes(record.securityTag))
  );
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
