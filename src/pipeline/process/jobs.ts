import type * as z from 'zod';
import type { JobMessage, JobName, JobRow } from '../model/job.ts';
import type { HistoryEntry, Reason, Stored } from '../model/ledger.ts';
import type { Clock } from '../ports/clock.ts';
import { StorageError } from '../ports/errors.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { Log } from '../ports/log.ts';
import type { WorkQueue } from '../ports/stores.ts';
import { heldUntil, isFinal } from './event-transitions.ts';
import type { ProcessLimits } from './process-deps.ts';
import { retryDelayMs } from './retry-schedule.ts';

// Work that takes many steps, such as a replay of ten thousand events. Its row says how far it is; its message is what
// brings it to an instance. A step that is cut off is done again: it must come to the same.

/** What a step came to; `progress` is what the next one starts from. */
export type JobStep<Progress> =
  | { kind: 'more' | 'done'; progress: Progress }
  /** Not now, and that is no failure. */
  | { kind: 'put-back'; progress: Progress; delayMs: number; reason?: Reason }
  /** It failed, and goes by the schedule of retries. */
  | { kind: 'again'; progress: Progress; reason: Reason; retryAfterMs?: number | undefined }
  | { kind: 'ignored' | 'failed'; progress: Progress; reason: Reason };

export interface JobInHand {
  readonly id: string;
  /** Which run of it. */
  readonly run: string;
  /** Aborts when the step has taken too long: then somebody else may begin with it. */
  readonly signal: AbortSignal;
}

/** A kind of work. */
export interface JobKind {
  readonly name: string;
  step(progress: unknown, job: JobInHand): Promise<JobStep<unknown>>;
  /** Says in the log that one has ended, in words of its own. */
  logEnd?(id: string, row: JobRow): void;
}

/** A kind of work by the shape of its progress and by its step, which takes seconds. A step may throw a StorageError. */
export function jobKind<Progress>(
  name: string,
  shape: z.ZodType<Progress>,
  step: (progress: Progress, job: JobInHand) => Promise<JobStep<Progress>>,
): JobKind {
  return {
    name,
    async step(kept, job) {
      const progress = shape.safeParse(kept);
      if (progress.success) return await step(progress.data, job);
      const text = 'How far it was is not known: another version wrote it.';
      return { kind: 'failed', progress: kept, reason: { code: 'unreadable', text } };
    },
  };
}

export interface JobDeps extends Clock {
  readonly jobs: JobStore;
  readonly jobKinds: ReadonlyMap<string, JobKind>;
  readonly queue: WorkQueue;
  readonly limits: Pick<ProcessLimits, 'retryDelaysMs' | 'retryAfterCapMs'>;
  readonly log: Log;
  newId(): string;
  /** From 0 to 1. */
  random(): number;
}

const stepLimitMs = 90_000;
const leaseMs = 120_000;
// Then others in the queue have their turn.
const workForMs = 60_000;
const lostAfterMs = 600_000;
const historyKept = 50;

/**
 * Starts a job, or one that was lost anew where it stands; undefined where it is under way already. `begin` makes the
 * progress it starts from, of that at which the run before ended; `history` is what its row is to remember of earlier runs.
 */
export async function startJob(
  { kind, id, history = [] }: Pick<JobName, 'kind' | 'id'> & Partial<Pick<JobRow, 'history'>>,
  begin: (before: unknown) => unknown,
  { jobs, queue, now, newId }: Pick<JobDeps, 'jobs' | 'queue' | 'now' | 'newId'>,
): Promise<JobRow | undefined> {
  const run = newId();
  const startedAt = new Date(now()).toISOString();
  const { value } = await jobs.change(kind, id, (there) =>
    there === null || isFinal(there.state) || Date.parse(there.dueAt) + lostAfterMs < now()
      ? {
          run,
          startedAt,
          finishedAt: null,
          state: 'waiting',
          reason: null,
          turn: 0,
          failures: 0,
          history,
          lease: null,
          dueAt: startedAt,
          // What was lost on its way goes on.
          progress: there === null || isFinal(there.state) ? begin(there?.progress) : there.progress,
        }
      : there,
  );
  if (value?.run !== run) return undefined;
  await queue.send(textOf({ v: 3, job: { kind, id, run }, turn: 0 }));
  return value;
}

/** The message that brings a job with it. Of all that come for one id and run the first makes the row; the others are over. */
export function jobToBegin(job: JobName, begin: unknown): string {
  return textOf({ v: 3, job, turn: 0, begin });
}

/** Works on a job until it ends, or for a minute. Throws a StorageError only when our own storage failed. */
export async function handleJob(message: OwnMessage, deps: JobDeps): Promise<void> {
  const { kind, id, run } = message.job;
  const work = deps.jobKinds.get(kind);
  if (work === undefined) throw new Error(`nobody asked whether there are jobs of the kind ${kind}`);
  let row = await claimJob(message, deps);
  const beganAt = deps.now();
  while (row.value?.lease?.owner === message.owner) {
    const signal = AbortSignal.timeout(stepLimitMs);
    const step = await work.step(row.value.progress, { id, run, signal }).catch((error: unknown) => {
      if (error instanceof StorageError) throw error;
      deps.log('error', 'job-broke', { kind, id, error: String(error) });
      const reason = { code: 'gave-up', text: 'It broke inside this app; the log says how.' };
      return { kind: 'again' as const, progress: row.value?.progress, reason };
    });
    const othersTurn = step.kind === 'more' && deps.now() - beganAt >= workForMs;
    row = await saveStep(othersTurn ? { ...step, kind: 'put-back', delayMs: 0 } : step, row, message, deps);
  }
}

/** Says of a job that the platform gave up on it. */
export async function failJob(
  { job, begin }: JobMessage,
  reason: Reason,
  deps: Pick<JobDeps, 'jobs' | 'jobKinds' | 'log' | 'now'>,
): Promise<void> {
  const now = new Date(deps.now());
  let isOurs = false;
  const { value } = await deps.jobs.change(job.kind, job.id, (there) => {
    const row = there ?? (begin === undefined ? null : begun(job.run, begin, now));
    isOurs = row !== null && row.run === job.run && !isFinal(row.state);
    return row === null || !isOurs ? there : ended(row, { state: 'failed', reason }, now);
  });
  if (isOurs && value !== null) logEnd(job, value, deps);
}

type Row = Stored<JobRow | null>;
const noRow: Row = { value: null, etag: '' };
/** A message in our hands, and who we are while we have it. */
type OwnMessage = JobMessage & { readonly owner: string };

/** Takes the lease where it is free; a copy that meets another's waits for its end. */
async function claimJob(message: OwnMessage, deps: JobDeps): Promise<Row> {
  const { owner, turn, leaseOwners, job, begin } = message;
  const now = new Date(deps.now());
  let held: number | undefined;
  // What a message brings with it is new most often: the first write is tried without reading.
  const known = begin === undefined || turn > 0 ? undefined : noRow;
  const claim = (there: JobRow | null): JobRow | null => {
    held = undefined;
    if (there === null) return begin === undefined ? null : leased(begun(job.run, begin, now), owner, now);
    if (there.lease?.owner === owner) return there;
    if (there.run !== job.run || isFinal(there.state) || turn < there.turn) return there;
    held = heldUntil(there.lease, leaseOwners, now);
    return held === undefined
      ? leased({ ...there, turn, state: 'processing', reason: null }, owner, now)
      : there;
  };
  const row = await deps.jobs.change(job.kind, job.id, claim, known);
  if (row.value === null) deps.log('warn', 'job-unknown', { kind: job.kind, id: job.id });
  if (held !== undefined) {
    const { owner: _owner, ...same } = message;
    await deps.queue.send(textOf(same), { delayMs: Math.max(0, held - deps.now()) + 1_000 * deps.random() });
  }
  return row;
}

function begun(run: string, progress: unknown, now: Date): JobRow {
  const startedAt = now.toISOString();
  return {
    run,
    startedAt,
    finishedAt: null,
    state: 'processing',
    reason: null,
    turn: 0,
    failures: 0,
    history: [],
    lease: null,
    dueAt: startedAt,
    progress,
  };
}

function leased(row: JobRow, owner: string, now: Date): JobRow {
  const until = new Date(now.getTime() + leaseMs).toISOString();
  return { ...row, lease: { owner, until }, dueAt: until };
}

/** Keeps what a step came to. A message that must come again goes first: the row first would lose the job in a crash. */
async function saveStep(
  step: JobStep<unknown>,
  row: Row,
  { owner, turn, job }: OwnMessage,
  deps: JobDeps,
): Promise<Row> {
  const delayMs = untilNext(step, row.value?.failures ?? 0, deps);
  if (delayMs !== undefined)
    await deps.queue.send(textOf({ v: 3, job, turn: turn + 1, leaseOwners: [owner] }), { delayMs });
  const now = new Date(deps.now());
  const saved = await deps.jobs.change(
    job.kind,
    job.id,
    (there) => {
      if (there?.lease?.owner !== owner) return there;
      const kept = { ...there, progress: step.progress };
      if (delayMs !== undefined) {
        const dueAt = new Date(now.getTime() + delayMs).toISOString();
        const failures = step.kind === 'again' ? there.failures + 1 : 0;
        const reason = 'reason' in step ? { ...step.reason, nextAttemptAt: dueAt } : null;
        const waiting = {
          ...kept,
          state: 'waiting' as const,
          reason,
          turn: turn + 1,
          failures,
          lease: null,
          dueAt,
        };
        return reason === null ? waiting : remembered(waiting, now);
      }
      switch (step.kind) {
        case 'more':
          return leased({ ...kept, failures: 0 }, owner, now);
        case 'ignored':
        case 'failed':
          return ended(kept, { state: step.kind, reason: step.reason }, now);
        case 'again':
          return ended(kept, { state: 'failed', reason: step.reason }, now);
        default:
          return ended(kept, { state: 'done', reason: null }, now);
      }
    },
    row,
  );
  if (saved.value !== null && isFinal(saved.value.state)) logEnd(job, saved.value, deps);
  return saved;
}

function logEnd(
  { kind, id }: JobName,
  row: JobRow,
  { jobKinds, log }: Pick<JobDeps, 'jobKinds' | 'log'>,
): void {
  const own = jobKinds.get(kind);
  if (own?.logEnd !== undefined) return own.logEnd(id, row);
  const { state, reason } = row;
  log(state === 'failed' ? 'error' : 'info', 'job-ended', { kind, id, state, reason: reason?.text });
}

/** In how many milliseconds a message must come for it; undefined where none must. */
function untilNext(step: JobStep<unknown>, failures: number, deps: JobDeps): number | undefined {
  if (step.kind === 'put-back') return step.delayMs;
  if (step.kind !== 'again') return undefined;
  const { retryAfterMs } = step;
  return retryDelayMs(failures, { ...deps.limits, retryAfterMs, random: deps.random() });
}

function ended(row: JobRow, { state, reason }: Pick<JobRow, 'state' | 'reason'>, now: Date): JobRow {
  return remembered({ ...row, state, reason, finishedAt: now.toISOString(), lease: null }, now);
}

/** The row with how it stands now in its history; that it goes on waiting for the same reason is said once. */
function remembered(row: JobRow, now: Date): JobRow {
  const { state, reason, history, turn } = row;
  const last = history.at(-1);
  if (state === 'waiting' && last?.state === state && last.code === reason?.code) return row;
  const entry: HistoryEntry = {
    at: now.toISOString(),
    attempt: turn,
    state,
    ...(reason === null ? {} : { code: reason.code, text: reason.text }),
  };
  return { ...row, history: [...history, entry].slice(-historyKept) };
}

function textOf(message: JobMessage): string {
  return JSON.stringify(message);
}
