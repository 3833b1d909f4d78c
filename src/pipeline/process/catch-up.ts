import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import * as z from 'zod';
import { carrying, type AssetEvent } from '../model/event.ts';
import { eventId } from '../model/event-id.ts';
import { encodeParts, type MessageHead } from '../model/message.ts';
import type { ChangedAsset, ChangesResult } from '../ports/source-client.ts';
import { jobKind, type JobInHand, type JobKind, type JobStep } from './jobs.ts';
import type { ProcessDeps, ProcessSource } from './process-deps.ts';
import { readRecord } from './store-asset.ts';

// The source's own list of changes is compared with what we have: a call that never came leaves a change of which we know
// nothing. Time goes in slices that are closed, so that the list of one does not change while it is read.

const Time = z.iso.datetime();

/** How far a source is compared. Times are of the source's clock, ISO 8601 in UTC. */
export const CatchUpProgress = carrying({
  /** All before it is compared; null before the first run. */
  coveredUntil: Time.nullable(),
  /** Nothing before it is looked at. */
  since: Time,
  /** Where this run ends. */
  until: Time,
  /** The slice that is being compared, and how far. */
  slice: carrying({
    from: Time,
    to: Time,
    start: z.int(),
    /** A digest of the page before. */
    page: z.string().nullable(),
    /** As below, of this slice. */
    seen: z.int(),
    recovered: z.int(),
    missed: z.int(),
  }).nullable(),
  /** Changes that were looked at, those that were asked for again, and those of assets that we had no record of. */
  seen: z.int(),
  recovered: z.int(),
  missed: z.int(),
});
export type CatchUpProgress = z.infer<typeof CatchUpProgress>;

// What the source has done so lately may not be in its list yet.
const notYetMs = 600_000;
// A list that changes while it is read may lose an entry, which the next run then finds.
const overlapMs = 3_600_000;
// Slices grow where nothing is found, and shrink where a list is too long for one, or too coarse to tell what is covered.
const usualSliceMs = 3_600_000;
const longestSliceMs = 30 * 86_400_000;
const shortestSliceMs = 1_000;
const waitForPermitMs = 5_000;
const readsAtOnce = 16;

/** The progress of a run that has not begun. `since` is from when somebody wants it; the first run of all starts from now. */
export function newCatchUp(
  before: unknown,
  { now, since, first }: { now: number; since: number | undefined; first: number | undefined },
): CatchUpProgress {
  const known = CatchUpProgress.safeParse(before).data;
  const coveredUntil = known?.coveredUntil ?? null;
  const earliest = Math.min(
    since ?? Infinity,
    known === undefined ? (first ?? now) : Date.parse(known.since),
  );
  const goesOn = coveredUntil === null ? earliest : Math.max(earliest, Date.parse(coveredUntil) - overlapMs);
  const until = now - notYetMs;
  return {
    coveredUntil,
    since: iso(earliest),
    until: iso(until),
    slice: sliceFrom(Math.min(since ?? Infinity, goesOn), until),
    seen: 0,
    recovered: 0,
    missed: 0,
  };
}

function sliceFrom(from: number, until: number, lengthMs = usualSliceMs): CatchUpProgress['slice'] {
  const to = iso(Math.min(from + lengthMs, until));
  return from < until ? { from: iso(from), to, ...unread } : null;
}

const unread = { start: 0, page: null, seen: 0, recovered: 0, missed: 0 };

export type CatchUpDeps = Pick<ProcessDeps, 'sources' | 'queue' | 'ledger' | 'assets' | 'log' | 'now'>;

/** The comparison of a source, whose name is the job's id. */
export function catchUpJob(deps: CatchUpDeps): JobKind {
  return jobKind('catch-up', CatchUpProgress, async (progress, job) => {
    const source = deps.sources.get(job.id);
    const client = await source?.client();
    if (source === undefined || client?.listChanges === undefined) {
      const text = `The settings name no source "${job.id}" that has a list of changes.`;
      return { kind: 'failed', progress, reason: { code: 'unknown-source', text } };
    }
    const { slice } = progress;
    if (slice === null)
      return {
        kind: 'done',
        progress: { ...progress, coveredUntil: later(progress.coveredUntil, progress.until) },
      };
    const acquired = await source.limiter.acquire(waitForPermitMs);
    if (acquired.kind === 'busy') return { kind: 'put-back', progress, delayMs: 5_000 };
    if (acquired.kind === 'closed') {
      const { code, text, until } = acquired;
      return {
        kind: 'put-back',
        progress,
        delayMs: Math.max(1_000, until - deps.now()),
        reason: { code, text },
      };
    }
    const { permit } = acquired;
    try {
      const wanted = { from: Date.parse(slice.from), to: Date.parse(slice.to), start: slice.start };
      const listed = await client.listChanges(wanted, permit, job.signal);
      await permit.report(listed.kind === 'again' ? listed.code : 'answered');
      return await compared(listed, { ...progress, slice }, source, job, deps);
    } finally {
      permit.end();
    }
  });
}

type AtSlice = CatchUpProgress & { readonly slice: NonNullable<CatchUpProgress['slice']> };

async function compared(
  listed: ChangesResult,
  progress: AtSlice,
  source: ProcessSource,
  job: JobInHand,
  deps: CatchUpDeps,
): Promise<JobStep<CatchUpProgress>> {
  switch (listed.kind) {
    case 'again': {
      const { code, text, retryAfterMs } = listed;
      return { kind: 'again', progress, reason: { code, text }, retryAfterMs };
    }
    case 'no-list':
      return { kind: 'failed', progress, reason: { code: 'unreadable-answer', text: listed.text } };
    case 'too-many':
      return inShorterSlice(progress);
    case 'page':
      return await comparedPage(listed, progress, source, job, deps);
    default:
      return listed satisfies never;
  }
}

async function comparedPage(
  listed: Extract<ChangesResult, { kind: 'page' }>,
  progress: AtSlice,
  source: ProcessSource,
  { id: name, run }: JobInHand,
  deps: CatchUpDeps,
): Promise<JobStep<CatchUpProgress>> {
  const { slice } = progress;
  const page = createHash('sha256').update(JSON.stringify(listed.assets)).digest('hex');
  // Where the list does not go on as it says, all of it must come in one page.
  if (listed.next !== null && page === slice.page) return inShorterSlice(progress);

  const changes = await lookedUp(listed.assets, { name, source }, deps);
  const open = changes.filter(({ fetchedAt }) => !(Date.parse(fetchedAt ?? '') >= Date.parse(slice.to)));
  const isUnclear = open.some(({ fetchedAt }) => Date.parse(fetchedAt ?? '') >= Date.parse(slice.from));
  // An asset that was fetched during a long slice may have changed before that.
  if (isUnclear && lengthOf(slice) > usualSliceMs) return inShorterSlice(progress);

  await recover(open, { name, run, slice }, deps);
  const counted = {
    seen: slice.seen + changes.length,
    recovered: slice.recovered + open.length,
    missed: slice.missed + open.filter(({ fetchedAt }) => fetchedAt === undefined).length,
  };
  if (listed.next !== null)
    return {
      kind: 'more',
      progress: { ...progress, slice: { ...slice, ...counted, start: listed.next, page } },
    };
  const lengthMs = Math.min(2 * lengthOf(slice), longestSliceMs);
  const next = sliceFrom(Date.parse(slice.to), Date.parse(progress.until), lengthMs);
  const done = {
    ...progress,
    coveredUntil: later(progress.coveredUntil, slice.to),
    slice: next,
    seen: progress.seen + counted.seen,
    recovered: progress.recovered + counted.recovered,
    missed: progress.missed + counted.missed,
  };
  return { kind: next === null ? 'done' : 'more', progress: done };
}

type Slice = AtSlice['slice'];

function lengthOf({ from, to }: Slice): number {
  return Date.parse(to) - Date.parse(from);
}

function inShorterSlice(progress: AtSlice): JobStep<CatchUpProgress> {
  const { slice } = progress;
  const lengthMs = lengthOf(slice);
  if (lengthMs <= shortestSliceMs) {
    const text = `The source lists more changes between ${slice.from} and ${slice.to} than can be read, or the same ones again and again.`;
    return { kind: 'failed', progress, reason: { code: 'unreadable-answer', text } };
  }
  const to = iso(Date.parse(slice.from) + Math.max(shortestSliceMs, Math.floor(lengthMs / 2)));
  return { kind: 'more', progress: { ...progress, slice: { ...slice, to, ...unread } } };
}

/** A change, and when the latest fetch of its asset began; undefined where there was none. */
type Change = ChangedAsset & { readonly fetchedAt: string | undefined };

async function lookedUp(
  listed: readonly ChangedAsset[],
  { name, source }: { name: string; source: ProcessSource },
  deps: CatchUpDeps,
): Promise<Change[]> {
  const assets = new Map<string, ChangedAsset>();
  for (const asset of listed) {
    const id = source.receiver.assetId(asset.id);
    if (id !== undefined) assets.set(`${asset.kind}/${id}`, { ...asset, id });
  }
  return await pLimit(readsAtOnce).map([...assets.values()], async (asset) => ({
    ...asset,
    fetchedAt: await latestFetch(name, asset.id, deps),
  }));
}

/** Queues an event for each change; twice for one slice is once. */
async function recover(
  changes: readonly Change[],
  { name, run, slice }: { name: string; run: string; slice: Slice },
  deps: CatchUpDeps,
): Promise<void> {
  const { from, to } = slice;
  const events = changes.map(({ kind, id, changedAt }): AssetEvent => ({
    id: eventId(name, ['catch-up', kind, id, to]),
    type: 'CATCH_UP',
    assetKind: kind,
    assetId: id,
    occurredAt: changedAt ?? to,
    identifiers: [],
    caughtUp: true,
    data: { from, to },
  }));
  const head: MessageHead = {
    v: 1,
    deliveryId: `catch-up-${run}`,
    source: name,
    receivedAt: iso(deps.now()),
    attempt: 0,
    replayId: null,
  };
  for (const part of encodeParts(head, events))
    if (typeof part === 'object') await deps.queue.send(part.text);
  if (events.length > 0)
    deps.log('info', 'changes-recovered', {
      source: name,
      recovered: changes.length,
      missed: changes.filter(({ fetchedAt }) => fetchedAt === undefined).length,
      from,
      to,
    });
}

/** When the latest fetch of an asset began; undefined where there was none. */
async function latestFetch(
  source: string,
  assetId: string,
  { ledger, assets }: CatchUpDeps,
): Promise<string | undefined> {
  const state = await ledger.assetState(source, assetId);
  // The ledger forgets an asset some day; its record stays.
  const known = state?.value.latestFetchAt ?? undefined;
  return known ?? (await readRecord(assets, { source, assetId }))?.record?.fetchedAt;
}

function later(known: string | null, given: string): string {
  return known !== null && Date.parse(known) > Date.parse(given) ? known : given;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
