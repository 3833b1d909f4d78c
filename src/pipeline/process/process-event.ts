import type { LeaderResult } from '../concurrency/coalescer.ts';
import type { SourceAnswer, SourceClosed, SourcePermit } from '../concurrency/source-limiter.ts';
import type { AssetState, Rows } from '../model/ledger.ts';
import type { ReasonCode } from '../model/reason-codes.ts';
import type { AgainResult, FetchContext, FetchResult, WantedAsset } from '../ports/source-client.ts';
import { closeEvent, untilFree } from './close-event.ts';
import { EventLease } from './event-lease.ts';
import { keysOf, type EventCopy } from './event-copy.ts';
import { isFinal, noneFetched, type Settled } from './event-transitions.ts';
import type { Again, Outcome, ProcessDeps, ProcessLimits, ProcessSource } from './process-deps.ts';
import { readRecord, storeAsset, type StoredRecord } from './store-asset.ts';

const longestWaitMs = 5_000;
const inFutureMs = 86_400_000;
// An index that lags catches up within seconds or minutes; that it differs for ever has other reasons.
const mostLooksForIndex = 2;
// Each time that another record came between, somebody stored one; the message goes back for more.
const mostFetches = 3;

/** Does what one event asks for, and leaves the result in the ledger. Throws a StorageError only when our own storage failed. */
export async function processEvent(copy: EventCopy, source: ProcessSource, deps: ProcessDeps): Promise<void> {
  const wanted = wantedAsset(copy, source, deps.limits);
  if ('settled' in wanted) return await closeEvent(copy, wanted, deps);

  const key = `${copy.head.source}/${wanted.kind}/${wanted.id}`;
  const waitsUntil = deps.now() + longestWaitMs;
  const lead = async (): Promise<LeaderResult<Outcome>> =>
    await fetchWithPermit(copy, { ...wanted, waitsUntil }, source, deps);
  if (standsAlone(copy, source)) {
    await lead();
    return;
  }
  // Of a source that may lag behind its events, a look-up made for one of them tells nothing of one that occurred later.
  const order = source.eventuallyConsistent ? Date.parse(copy.event.occurredAt) : 0;
  const shared = await deps.coalescer.share(key, { order, maxWaitMs: longestWaitMs }, lead);
  switch (shared.kind) {
    case 'led':
      return;
    case 'followed':
      if (shared.value.kind === 'put-back' && source.receiver.announcesThumbnail?.(copy.event) === true) {
        await lead();
        return;
      }
      return await closeEvent(copy, folded(shared.value), deps);
    case 'busy':
      return await closeEvent(copy, { kind: 'put-back', delayMs: 2_000 }, deps);
    default:
      shared satisfies never;
  }
}

/** The asset to ask for, or why there is none to ask for. Ages count from the time of receipt: an outage of ours ages nothing. */
function wantedAsset(
  { event, head }: EventCopy,
  source: ProcessSource,
  { maxEventAgeMs }: ProcessLimits,
): WantedAsset | { kind: 'ended'; settled: Settled } {
  const ignored = (code: ReasonCode<'ignored'>, text: string): { kind: 'ended'; settled: Settled } => ({
    kind: 'ended',
    settled: { state: 'ignored', reason: { code, text } },
  });
  const ageMs = Date.parse(head.receivedAt) - Date.parse(event.occurredAt);
  // Whoever replays an event, or looks for missed ones, wants it whatever its age.
  const checksAge = maxEventAgeMs > 0 && head.replayId === null && event.caughtUp !== true;
  if (checksAge && ageMs > maxEventAgeMs) {
    return ignored('too-old', 'The event was older than MAX_EVENT_AGE_HOURS allows when it was received.');
  }
  if (checksAge && -ageMs > inFutureMs) {
    return ignored('in-future', 'The event says that it happens more than 24 hours after it was received.');
  }
  if (event.assetId === undefined || event.assetKind === 'other') {
    return ignored('not-an-asset', 'The event is about no asset or folder.');
  }
  const id = source.receiver.assetId(event.assetId);
  if (id === undefined) {
    return ignored(
      'impossible-id',
      'The event names an asset by a reference that this source could not have made.',
    );
  }
  return { kind: event.assetKind, id };
}

/** True for an event that no look-up for another one covers, because of what it says itself, or leaves out. */
function standsAlone({ event }: EventCopy, source: ProcessSource): boolean {
  return event.removal === true || event.timeUnknown === true || source.selfContainedEvents;
}

/** What a look-up led by another event on the same asset means for this one. */
function folded(outcome: Outcome): Outcome {
  if (outcome.kind === 'again') {
    // Do not copy the leader's asset and counters.
    const { asset: _asset, enough: _enough, ...again } = outcome;
    return again;
  }
  if (outcome.kind !== 'ended' || outcome.settled.state !== 'done') return outcome;
  const { settled } = outcome;
  return { kind: 'ended', settled: { ...settled, reason: settled.reason ?? foldedReason } };
}

const foldedReason = {
  code: 'folded',
  text: 'A look-up that began after this event was received covers it.',
} as const;

async function fetchWithPermit(
  copy: EventCopy,
  { waitsUntil, ...wanted }: WantedAsset & { waitsUntil: number },
  source: ProcessSource,
  deps: ProcessDeps,
): Promise<LeaderResult<Outcome>> {
  const alone = async (outcome: Outcome): Promise<LeaderResult<Outcome>> => {
    await closeEvent(copy, outcome, deps);
    return { value: outcome, shared: outcome.kind === 'put-back' };
  };

  const known = await knownRows(copy, wanted.id, deps);
  const asset = known.asset?.value;
  const isFolded =
    (isCovered(copy, asset, source, deps) && !standsAlone(copy, source)) ||
    isOvertaken(fetchContextOf(copy, asset), source);
  if (isFolded) {
    const settled: Settled = { state: 'done', reason: foldedReason, title: asset?.title ?? null };
    return await alone({ kind: 'ended', settled });
  }

  const marginMs = marginLeftMs(copy, asset, source, deps);
  if (marginMs > 0) {
    const { event: row } = await deps.ledger.read(keysOf(copy, wanted.id));
    // A second copy of what has ended has nothing to wait for, and is counted.
    if (row !== undefined && isFinal(row.value.summary.state)) {
      await closeEvent(copy, { kind: 'ended', settled: { state: 'done', reason: foldedReason } }, deps);
      return { value: { kind: 'over' }, shared: false };
    }
    return await alone({ kind: 'put-back', delayMs: marginMs });
  }

  const acquired = await source.limiter.acquire(Math.max(0, waitsUntil - deps.now()));
  if (acquired.kind === 'busy')
    return await alone({ kind: 'put-back', delayMs: 1_000 + 4_000 * deps.random() });
  if (acquired.kind === 'closed') return await alone(awaitOpening(acquired, deps));

  const { permit } = acquired;
  try {
    const lease = await EventLease.claim(copy, wanted.id, known, deps);
    if (lease instanceof EventLease) {
      const value = await runLeased({ copy, wanted, source, lease, permit }, deps);
      return { value, shared: value.kind !== 'over' };
    }
    const outcome: Outcome =
      lease.kind === 'over' ? lease : { kind: 'put-back', delayMs: untilFree(lease, deps) };
    await closeEvent(copy, outcome, deps);
    return { value: outcome, shared: false };
  } finally {
    permit.end();
  }
}

/** Most events come once: their row is read only where there must be one already. */
async function knownRows(copy: EventCopy, assetId: string, deps: Pick<ProcessDeps, 'ledger'>): Promise<Rows> {
  const { attempt, leaseOwners, replayId, source } = copy.head;
  if (attempt > 0 || leaseOwners !== undefined || replayId !== null)
    return await deps.ledger.read(keysOf(copy, assetId));
  return { event: undefined, asset: await deps.ledger.assetState(source, assetId) };
}

/** True for an event that is all there is to know of an asset of which a later one is known. */
function isOvertaken({ laterEventKnown }: FetchContext, source: ProcessSource): boolean {
  return source.selfContainedEvents && laterEventKnown;
}

/** True where a look-up that was kept began after this event was received, and was made for none that occurred earlier. */
function isCovered(
  { event, head }: EventCopy,
  asset: AssetState | undefined,
  source: ProcessSource,
  { limits: { foldMarginMs }, now }: Pick<ProcessDeps, 'limits' | 'now'>,
): boolean {
  const fetchedAt = Date.parse(asset?.fetchedAt ?? '');
  const since = Date.parse(head.replayedAt ?? head.receivedAt);
  if (!(fetchedAt - foldMarginMs >= since) || isAhead(fetchedAt, foldMarginMs, now())) return false;
  return !source.eventuallyConsistent || Date.parse(event.occurredAt) <= Date.parse(asset?.fetchedFor ?? '');
}

/**
 * How long an event waits because its asset was fetched just now: one look-up then covers all events that come meanwhile.
 * What brings the picture that the record waits for, is tried again, or is replayed, does not wait.
 */
function marginLeftMs(
  copy: EventCopy,
  asset: AssetState | undefined,
  source: ProcessSource,
  { limits: { foldMarginMs }, now }: Pick<ProcessDeps, 'limits' | 'now'>,
): number {
  const { attempt, replayId } = copy.head;
  if (asset?.latestFetchAt == null || attempt > 0 || replayId !== null || standsAlone(copy, source)) return 0;
  const latest = Date.parse(asset.latestFetchAt);
  if (isAhead(latest, foldMarginMs, now())) return 0;
  const isUnfinished = asset.fetchedAt !== asset.latestFetchAt;
  if (isUnfinished && source.receiver.announcesThumbnail?.(copy.event) === true) return 0;
  return Math.min(foldMarginMs, latest + foldMarginMs - now());
}

/** True for a look-up of the future: a clock has jumped back, and tells nothing of what came before what. */
function isAhead(fetchedAt: number, foldMarginMs: number, now: number): boolean {
  return fetchedAt - now > foldMarginMs;
}

function awaitOpening(closed: SourceClosed, deps: Pick<ProcessDeps, 'now' | 'random'>): Outcome {
  const { code, text } = closed;
  return { kind: 'put-back', delayMs: untilOpen(closed, deps), waiting: { code, text } };
}

/** When to come again to a source that is closed. */
export function untilOpen({ until }: SourceClosed, deps: Pick<ProcessDeps, 'now' | 'random'>): number {
  const waitMs = Math.max(0, until - deps.now());
  // Spread over a tenth of the time, so that not all come back in one moment.
  return waitMs + (1_000 + waitMs / 10) * deps.random();
}

/** What a leased event is worked on with. */
interface Leased {
  readonly copy: EventCopy;
  readonly wanted: WantedAsset;
  readonly source: ProcessSource;
  readonly lease: EventLease;
  readonly permit: SourcePermit;
}

async function runLeased(leased: Leased, deps: ProcessDeps): Promise<Outcome> {
  const { copy, lease } = leased;
  try {
    const outcome = await fetchAndStore(leased, deps);
    if (outcome.kind !== 'over') await closeEvent(copy, outcome, deps, lease);
    return outcome;
  } finally {
    lease.release();
  }
}

/** Fetches until what was found follows the record that was there when that fetch began. */
async function fetchAndStore(leased: Leased, deps: ProcessDeps): Promise<Outcome> {
  const { copy, wanted, source, lease, permit } = leased;
  const name = { source: copy.head.source, assetId: wanted.id };
  const client = await source.client();
  let { asset } = lease;
  for (let fetches = 1; ; fetches += 1) {
    const beganAt = new Date(deps.now());
    // Where none was ever fetched there is no record to read. Should there be one all the same, none is written over it.
    const isFirst = fetches === 1 && asset.latestFetchAt === null;
    const before = isFirst ? undefined : await readRecord(deps.assets, name);
    const context = fetchContextOf(copy, asset);
    if (isOvertaken(context, source))
      return { kind: 'ended', settled: { state: 'done', reason: foldedReason } };
    const fetchResult = await client.fetchAsset(wanted, permit, lease.signal, context);
    // Somebody else has the event, or will: its message comes again.
    if (lease.signal.aborted) return { kind: 'over' };
    const closed = await permit.report(answerOf(fetchResult));
    // Its try says nothing of this event where the source is down for all.
    if (closed?.code === 'source-unavailable' && fetchResult.kind === 'again')
      return awaitOpening(closed, deps);
    const outcome = await storeResult(fetchResult, { ...leased, asset, context, before, beganAt }, deps);
    if (outcome.kind !== 'record-changed') return outcome;
    if (fetches === mostFetches) return { kind: 'put-back', delayMs: 1_000 + 4_000 * deps.random() };
    asset = (await deps.ledger.assetState(name.source, name.assetId))?.value ?? asset;
  }
}

/** The clock is the source's own: when its events occurred. */
function fetchContextOf({ event }: EventCopy, asset: AssetState = noneFetched): FetchContext {
  const { latestEventAt, removedAt } = asset;
  const latest = latestEventAt === null ? -Infinity : Date.parse(latestEventAt);
  return {
    event,
    laterEventKnown: event.timeUnknown !== true && latest > Date.parse(event.occurredAt),
    removed: removedAt !== null && Date.parse(removedAt) >= latest,
  };
}

interface Fetch extends Leased {
  readonly asset: AssetState;
  readonly context: FetchContext;
  readonly before: StoredRecord | undefined;
  readonly beganAt: Date;
}

async function storeResult(
  fetchResult: FetchResult,
  fetch: Fetch,
  deps: ProcessDeps,
): Promise<Outcome | { kind: 'record-changed' }> {
  const ended = (settled: Settled): Outcome => ({ kind: 'ended', settled });
  switch (fetchResult.kind) {
    case 'found':
    case 'deleted':
      return await storeFound(fetchResult, fetch, deps);
    case 'not-visible': {
      const reason = { code: fetchResult.kind, text: fetchResult.text };
      return { kind: 'again', ...reason, atLast: { state: 'failed', reason } };
    }
    case 'not-found':
      return ended({ state: 'ignored', reason: { code: fetchResult.kind, text: fetchResult.text } });
    case 'no-permission':
    case 'unreadable-answer':
      return ended({ state: 'failed', reason: { code: fetchResult.kind, text: fetchResult.text } });
    case 'again': {
      await pauseSource(fetchResult, fetch.source, deps.limits);
      const { code, text, retryAfterMs } = fetchResult;
      return { kind: 'again', code, text, retryAfterMs };
    }
    default:
      return fetchResult satisfies never;
  }
}

/** Keeps everybody from a source that asked for a pause. */
async function pauseSource(
  { code, retryAfterMs }: AgainResult,
  { limiter }: ProcessSource,
  { retryDelaysMs, retryAfterCapMs }: ProcessLimits,
): Promise<void> {
  const quietMs = retryAfterMs ?? (code === 'rate-limited' ? retryDelaysMs[0] : undefined);
  if (code === 'login-refused' || quietMs === undefined) return;
  await limiter.pauseFor(Math.min(quietMs, retryAfterCapMs), code);
}

function answerOf(fetchResult: FetchResult): SourceAnswer {
  return fetchResult.kind === 'again' ? fetchResult.code : 'answered';
}

async function storeFound(
  found: Extract<FetchResult, { kind: 'found' | 'deleted' }>,
  { copy, wanted, source, lease, asset, context, before, beganAt }: Fetch,
  deps: ProcessDeps,
): Promise<Outcome | { kind: 'record-changed' }> {
  const deleted = found.kind === 'deleted';
  const unfinished = deleted ? undefined : unfinishedBusiness(found, lease);
  if (!deleted && found.unfinished !== undefined) await pauseSource(found.unfinished, source, deps.limits);
  const stored = await storeAsset(
    {
      source: copy.head.source,
      assetId: wanted.id,
      details: found.details,
      thumbnail: deleted ? { kind: 'none' } : found.thumbnail,
      deleted,
      detailsMayBeOld: deleted && found.detailsMayBeOld === true,
      before,
      beganAt,
    },
    deps.assets,
  );
  if (stored.kind !== 'stored') return stored;
  const { title, fetchedAt } = stored.record;
  // What was found could be compared with no event: whether it is behind the latest one, nobody knows.
  const mayLag = source.eventuallyConsistent && context.laterEventKnown;
  // Other events are folded only into a fetch that brought all there is.
  const whole = unfinished === undefined && !mayLag ? { fetchedAt, fetchedFor: asset.latestEventAt } : {};
  const state: AssetState = { ...asset, ...whole, latestFetchAt: fetchedAt, title };
  if (unfinished !== undefined) {
    const atLast = unfinished.atLast === undefined ? {} : { atLast: { ...unfinished.atLast, title } };
    return { ...unfinished, ...atLast, asset: state };
  }
  const gone = { code: 'deleted', text: 'The source says that this asset is deleted.' } as const;
  const settled: Settled = { state: 'done', reason: deleted ? gone : null, title };
  return { kind: 'ended', settled, asset: state };
}

/** Why what was found is worth another look, and how the event ends when there is none left. */
function unfinishedBusiness(
  { thumbnail, behind, unfinished }: Extract<FetchResult, { kind: 'found' }>,
  lease: EventLease,
): Again | undefined {
  if (unfinished !== undefined) {
    const text = `Parts of the asset could not be read. ${unfinished.text}`;
    return { ...unfinished, text, atLast: doneWith('incomplete', text) };
  }
  if (thumbnail.kind === 'pending') {
    const code = 'thumbnail-pending';
    const text = 'The source has not made the thumbnail yet.';
    const last =
      'The source had not made the thumbnail when it was last asked for; the record is there without it.';
    return { kind: 'again', code, text, atLast: doneWith('no-thumbnail-yet', last) };
  }
  if (behind === undefined) return undefined;
  const code = 'index-behind';
  const enough = lease.triesEndedBy(code) >= mostLooksForIndex;
  return { kind: 'again', code, text: behind, atLast: doneWith(code, behind), enough };
}

function doneWith(code: ReasonCode<'done'>, text: string): Settled {
  return { state: 'done', reason: { code, text } };
}
