import type { Turn } from './call-gate.ts';
import { closeEvent, untilFree } from './close-event.ts';
import type { EventCopy, Settled } from './event-rules.ts';
import type { Led } from './folding.ts';
import { Hold } from './hold.ts';
import { keepAsset, type Kept } from './keep-asset.ts';
import type { AssetState } from './ledger.ts';
import type { ReasonCode } from './reason-codes.ts';
import type { Finding, Occasion, WantedAsset } from './source-system.ts';
import type { Again, AgainCode, Outcome, WorkDeps, WorkLimits, WorkSource } from './work-deps.ts';

const longestWaitMs = 5_000;
const inFutureMs = 86_400_000;
// An index that lags catches up within seconds or minutes; that it differs for ever has other reasons.
const mostLooksForIndex = 2;

/** Does what one event asks for, and leaves the result in the ledger. Throws a StorageError only when our own storage failed. */
export async function workOnEvent(copy: EventCopy, source: WorkSource, deps: WorkDeps): Promise<void> {
  const wanted = wantedAsset(copy, source, deps.limits);
  if ('settled' in wanted) return await closeEvent(copy, wanted, deps);

  const key = `${copy.head.source}/${wanted.id}`;
  const waitsUntil = deps.now().getTime() + longestWaitMs;
  const lead = async (): Promise<Led<Outcome>> => await lookUp(copy, { ...wanted, waitsUntil }, source, deps);
  if (standsAlone(copy, source)) {
    await lead();
    return;
  }
  // Of a source that may lag behind its events, a look-up made for one of them tells nothing of one that occurred later.
  const order = source.lookUpsMayLag ? Date.parse(copy.event.occurredAt) : 0;
  const shared = await deps.folding.share(key, { order, maxWaitMs: longestWaitMs }, lead);
  switch (shared.kind) {
    case 'led':
      return;
    case 'followed':
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
  source: WorkSource,
  { maxEventAgeMs }: WorkLimits,
): WantedAsset | { kind: 'ended'; settled: Settled } {
  const ignored = (code: ReasonCode<'ignored'>, text: string): { kind: 'ended'; settled: Settled } => ({
    kind: 'ended',
    settled: { state: 'ignored', reason: { code, text } },
  });
  const ageMs = Date.parse(head.receivedAt) - Date.parse(event.occurredAt);
  if (maxEventAgeMs > 0 && ageMs > maxEventAgeMs) {
    return ignored('too-old', 'The event was older than MAX_EVENT_AGE_HOURS allows when it was received.');
  }
  if (maxEventAgeMs > 0 && -ageMs > inFutureMs) {
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
function standsAlone({ event }: EventCopy, source: WorkSource): boolean {
  return event.removal === true || event.timeUnknown === true || source.eventsAreWhole;
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

async function lookUp(
  copy: EventCopy,
  { waitsUntil, ...wanted }: WantedAsset & { waitsUntil: number },
  source: WorkSource,
  deps: WorkDeps,
): Promise<Led<Outcome>> {
  const alone = async (outcome: Outcome): Promise<Led<Outcome>> => {
    await closeEvent(copy, outcome, deps);
    return { value: outcome, shared: outcome.kind === 'put-back' };
  };

  const asset = await deps.ledger.assetState(copy.head.source, wanted.id);
  if (isCovered(copy, asset?.value, source, deps.limits) && !standsAlone(copy, source)) {
    const settled: Settled = { state: 'done', reason: foldedReason, title: asset?.value.title ?? null };
    return await alone({ kind: 'ended', settled });
  }

  const admission = await source.gate.admit(Math.max(0, waitsUntil - deps.now().getTime()));
  if (admission.kind === 'busy')
    return await alone({ kind: 'put-back', delayMs: 1_000 + 4_000 * deps.random() });
  if (admission.kind === 'closed') return await alone(awaitOpening(admission, deps));

  const { turn } = admission;
  try {
    const began = await Hold.begin(copy, wanted.id, { event: undefined, asset }, deps);
    if (began instanceof Hold) {
      const value = await workWith(began, copy, wanted, source, turn, deps);
      return { value, shared: value.kind !== 'over' };
    }
    const outcome: Outcome =
      began.kind === 'over' ? began : { kind: 'put-back', delayMs: untilFree(began, deps) };
    await closeEvent(copy, outcome, deps);
    return { value: outcome, shared: false };
  } finally {
    turn.end();
  }
}

/** True where a look-up that was kept began after this event was received, and was made for none that occurred earlier. */
function isCovered(
  { event, head }: EventCopy,
  asset: AssetState | undefined,
  source: WorkSource,
  { foldMarginMs }: WorkLimits,
): boolean {
  const fetchedAt = Date.parse(asset?.fetchedAt ?? '');
  if (!(fetchedAt - foldMarginMs >= Date.parse(head.receivedAt))) return false;
  return !source.lookUpsMayLag || Date.parse(event.occurredAt) <= Date.parse(asset?.fetchedFor ?? '');
}

function awaitOpening(closed: { until: number; code: AgainCode }, deps: WorkDeps): Outcome {
  const waitMs = Math.max(0, closed.until - deps.now().getTime());
  // Spread over a tenth of the time, so that not all come back in one moment.
  const delayMs = waitMs + (1_000 + waitMs / 10) * deps.random();
  const text = 'The source asked us to stay away for a while, so it was not asked.';
  return { kind: 'put-back', delayMs, waiting: { code: closed.code, text } };
}

async function workWith(
  hold: Hold,
  copy: EventCopy,
  wanted: WantedAsset,
  source: WorkSource,
  turn: Turn,
  deps: WorkDeps,
): Promise<Outcome> {
  const beganAt = deps.now();
  const occasion = occasionOf(copy, hold.asset);
  try {
    if (source.eventsAreWhole && occasion.laterEventKnown) {
      const outcome: Outcome = { kind: 'ended', settled: { state: 'done', reason: foldedReason } };
      await closeEvent(copy, outcome, deps, hold);
      return outcome;
    }
    const system = await source.system();
    const finding = await system.lookUp(wanted, turn, hold.signal, occasion);
    if (hold.lost) return { kind: 'over' };
    const outcome = await keepFinding(finding, { copy, wanted, source, hold, occasion, beganAt }, deps);
    await closeEvent(copy, outcome, deps, hold);
    return outcome;
  } finally {
    hold.letGo();
  }
}

/** The clock is the source's own: when its events occurred. */
function occasionOf({ event }: EventCopy, { latestEventAt, removedAt }: AssetState): Occasion {
  const latest = latestEventAt === null ? -Infinity : Date.parse(latestEventAt);
  return {
    event,
    laterEventKnown: event.timeUnknown !== true && latest > Date.parse(event.occurredAt),
    removed: removedAt !== null && Date.parse(removedAt) >= latest,
  };
}

async function keepFinding(
  finding: Finding,
  about: {
    copy: EventCopy;
    wanted: WantedAsset;
    source: WorkSource;
    hold: Hold;
    occasion: Occasion;
    beganAt: Date;
  },
  deps: WorkDeps,
): Promise<Outcome> {
  const ended = (settled: Settled): Outcome => ({ kind: 'ended', settled });
  switch (finding.kind) {
    case 'found':
    case 'deleted': {
      const deleted = finding.kind === 'deleted';
      const unfinished = finding.kind === 'found' ? unfinishedBusiness(finding, about.hold) : undefined;
      const kept = await keepAsset(
        {
          source: about.copy.head.source,
          assetId: about.wanted.id,
          details: finding.details,
          thumbnail: finding.kind === 'found' ? finding.thumbnail : { kind: 'none' },
          deleted,
          detailsMayBeOld: finding.kind === 'deleted' && finding.detailsMayBeOld === true,
          // What was found could be compared with no event: whether it is behind the latest one, nobody knows.
          complete:
            unfinished === undefined && !(about.source.lookUpsMayLag && about.occasion.laterEventKnown),
          asset: about.hold.asset,
          beganAt: about.beganAt,
        },
        deps.assets,
      );
      return keptOutcome(kept, { deleted, unfinished });
    }
    case 'not-visible': {
      const reason = { code: finding.kind, text: finding.text };
      return { kind: 'again', ...reason, atLast: { state: 'failed', reason } };
    }
    case 'not-found':
      return ended({ state: 'ignored', reason: { code: finding.kind, text: finding.text } });
    case 'no-permission':
    case 'unreadable-answer':
      return ended({ state: 'failed', reason: { code: finding.kind, text: finding.text } });
    case 'again': {
      const quietMs =
        finding.retryAfterMs ?? (finding.code === 'rate-limited' ? deps.limits.retryDelaysMs[0] : undefined);
      if (finding.code !== 'login-refused' && quietMs !== undefined) {
        about.source.gate.close(Math.min(quietMs, deps.limits.retryAfterCapMs), finding.code);
      }
      return { kind: 'again', code: finding.code, text: finding.text, retryAfterMs: finding.retryAfterMs };
    }
    default:
      return finding satisfies never;
  }
}

/** Why what was found is worth another look, and how the event ends when there is none left. */
function unfinishedBusiness(
  { thumbnail, behind }: Extract<Finding, { kind: 'found' }>,
  hold: Hold,
): Again | undefined {
  if (thumbnail.kind === 'pending') {
    const code = 'thumbnail-pending';
    const text = 'The source has not made the thumbnail yet.';
    const last =
      'The source had not made the thumbnail when it was last asked for; the record is there without it.';
    return { kind: 'again', code, text, atLast: doneWith('no-thumbnail-yet', last) };
  }
  if (behind === undefined) return undefined;
  const code = 'index-behind';
  const enough = hold.triesEndedBy(code) >= mostLooksForIndex;
  return { kind: 'again', code, text: behind, atLast: doneWith(code, behind), enough };
}

function doneWith(code: ReasonCode<'done'>, text: string): Settled {
  return { state: 'done', reason: { code, text } };
}

function keptOutcome(
  kept: Kept,
  { deleted, unfinished }: { deleted: boolean; unfinished: Again | undefined },
): Outcome {
  if (kept.kind === 'later-one-there')
    return { kind: 'ended', settled: { state: 'done', reason: foldedReason } };
  if (kept.kind === 'overtaken') {
    const text = 'Another look-up of this asset began later and is not through yet.';
    return { kind: 'again', code: 'overtaken', text };
  }
  const { title } = kept.asset;
  if (unfinished !== undefined) {
    const atLast = unfinished.atLast === undefined ? {} : { atLast: { ...unfinished.atLast, title } };
    return { ...unfinished, ...atLast, asset: kept.asset };
  }
  const gone = { code: 'deleted', text: 'The source says that this asset is deleted.' } as const;
  const settled: Settled = { state: 'done', reason: deleted ? gone : null, title };
  return { kind: 'ended', settled, asset: kept.asset };
}
