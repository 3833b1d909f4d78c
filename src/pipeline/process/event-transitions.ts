import type { AssetEvent } from '../model/event.ts';
import type {
  AssetState,
  Change,
  EventEntry,
  EventState,
  HistoryEntry,
  Lease,
  Reason,
  Rows,
} from '../model/ledger.ts';
import type { ReasonCode } from '../model/reason-codes.ts';
import type { EventCopy } from './event-copy.ts';

// The rules by which an event's row changes. They decide, and write nothing: `Ledger.change` does.

/** How an event ends, or why it waits. */
export type Settled = { [State in Exclude<EventState, 'processing'>]: SettledAs<State> }[Exclude<
  EventState,
  'processing'
>];

export interface SettledAs<State extends EventState> {
  readonly state: State;
  readonly reason: (Reason & { readonly code: ReasonCode<State> }) | null;
  readonly title?: string | null;
}

/** Whether this copy may do the work of its event. */
export type LeaseResult =
  | { kind: 'ours' }
  /** Ended, or a later try is on its way: this copy has nothing to do. */
  | { kind: 'over' }
  /** Somebody is at it until then (milliseconds). */
  | { kind: 'held'; until: number };

// Two instances' clocks may differ by this much before a lease is taken from somebody who still works.
const leaseMarginMs = 5_000;
const historyKept = 50;
const otherDeliveriesKept = 50;
const replaysKept = 50;

/** Takes the event for work: the row is made or taken over, and leased; its asset learns when the event occurred. */
export function claimEvent(
  rows: Rows,
  copy: EventCopy,
  lease: Lease,
  now: Date,
): { change: Change; answer: LeaseResult } {
  // It was written, and only the answer was lost on its way.
  if (rows.event?.value.lease?.owner === lease.owner) return { change: {}, answer: { kind: 'ours' } };
  const claimed = leaseFor(rows.event?.value, copy, now);
  if (claimed.kind !== 'ours') return { change: counted(rows, copy), answer: claimed };
  const entry = entryFor(rows, copy);
  const interrupted: HistoryEntry[] =
    entry.lease === null
      ? []
      : [
          {
            at: now.toISOString(),
            attempt: entry.attempt,
            state: 'processing',
            text: 'This try was cut off.',
          },
        ];
  return {
    change: {
      event: {
        ...entry,
        summary: { ...entry.summary, state: 'processing', reason: null, finishedAt: null },
        history: [...entry.history, ...interrupted].slice(-historyKept),
        attempt: copy.head.attempt,
        lease,
      },
      asset: withEvent(rows.asset?.value, copy.event),
    },
    answer: claimed,
  };
}

/**
 * Ends an event or puts it to wait. With a `owner` only that owner's lease counts, without one the copy must find
 * the event free. `attempt` is the try that comes next, where it waits.
 */
export function settle(
  rows: Rows,
  copy: EventCopy,
  settled: Settled,
  about: { now: Date; owner?: string; attempt?: number; countsAsTry: boolean; asset?: AssetState },
): { change: Change; answer: LeaseResult } {
  const row = rows.event?.value;
  const at = about.now.toISOString();
  const ended: HistoryEntry = {
    at,
    attempt: copy.head.attempt,
    state: settled.state,
    ...(settled.reason === null ? {} : { code: settled.reason.code, text: settled.reason.text }),
    ...(copy.head.replayId === null ? {} : { replayId: copy.head.replayId }),
  };
  // It was written, and only the answer was lost on its way.
  if (about.owner !== undefined && row?.lease === null && sameEntry(row.history.at(-1), ended))
    return { change: {}, answer: { kind: 'ours' } };
  const claimed: LeaseResult =
    about.owner === undefined
      ? leaseFor(row, copy, about.now)
      : { kind: row?.lease?.owner === about.owner ? 'ours' : 'over' };
  if (claimed.kind !== 'ours') return { change: counted(rows, copy), answer: claimed };
  const entry = entryFor(rows, copy);
  // Put back once more for the same reason, without a try.
  const waitsOn = !about.countsAsTry && settled.state === 'waiting' && sameWait(entry.history.at(-1), ended);
  return {
    change: {
      event: {
        ...entry,
        summary: {
          ...entry.summary,
          title: settled.title ?? entry.summary.title,
          state: settled.state,
          reason: settled.reason,
          finishedAt: settled.state === 'waiting' ? null : at,
          attempts: entry.summary.attempts + (about.countsAsTry ? 1 : 0),
        },
        history: waitsOn ? entry.history : [...entry.history, ended].slice(-historyKept),
        attempt: about.attempt ?? copy.head.attempt,
        lease: null,
      },
      ...(about.asset === undefined ? {} : { asset: withFetch(rows.asset?.value, about.asset) }),
    },
    answer: claimed,
  };
}

function sameWait(one: HistoryEntry | undefined, other: HistoryEntry): boolean {
  return one?.state === other.state && one.code === other.code && one.replayId === other.replayId;
}

function sameEntry(one: HistoryEntry | undefined, other: HistoryEntry): boolean {
  return (
    one?.at === other.at &&
    one.attempt === other.attempt &&
    one.state === other.state &&
    one.code === other.code
  );
}

/** Lengthens a lease that is still ours. */
export function renew(rows: Rows, owner: string, until: string): { change: Change; answer: LeaseResult } {
  const entry = rows.event?.value;
  if (entry?.lease?.owner !== owner) return { change: {}, answer: { kind: 'over' } };
  const lease = { ...entry.lease, until };
  return { change: { event: { ...entry, lease } }, answer: { kind: 'ours' } };
}

function leaseFor(row: EventEntry | undefined, copy: EventCopy, now: Date): LeaseResult {
  if (row === undefined) return { kind: 'ours' };
  const { replayId, attempt } = copy.head;
  if (!isNewReplay(row, replayId)) {
    const ofThePast = replayId !== (row.replays.at(-1) ?? null);
    if (ofThePast || isFinal(row.summary.state) || attempt < row.attempt) return { kind: 'over' };
  }
  const until = heldUntil(row.lease, copy.head.leaseOwners, now);
  return until === undefined ? { kind: 'ours' } : { kind: 'held', until };
}

/**
 * Until when somebody else works on it (milliseconds); undefined where it is free. `letGo` are those who put its message
 * back, and may have left their lease on it.
 */
export function heldUntil(
  lease: Lease | null,
  letGo: readonly string[] | undefined,
  now: Date,
): number | undefined {
  if (lease === null || letGo?.includes(lease.owner) === true) return undefined;
  const until = Date.parse(lease.until) + leaseMarginMs;
  return until <= now.getTime() ? undefined : until;
}

/** True for a replay that has not begun on this event. */
function isNewReplay(row: EventEntry, replayId: string | null): replayId is string {
  return replayId !== null && !row.replays.includes(replayId);
}

export function isFinal(state: EventState): boolean {
  return state === 'done' || state === 'ignored' || state === 'failed';
}

/** The row as it stands with this copy's delivery counted, or a new one. */
function entryFor(rows: Rows, copy: EventCopy): EventEntry {
  const { event, head, content } = copy;
  const known = counted(rows, copy).event ?? rows.event?.value;
  if (known !== undefined) {
    if (!isNewReplay(known, head.replayId)) return known;
    return { ...known, replays: [...known.replays, head.replayId].slice(-replaysKept) };
  }
  return {
    summary: {
      id: event.id,
      source: head.source === '' ? null : head.source,
      type: event.type,
      assetKind: event.assetKind,
      assetId: event.assetId ?? null,
      title: null,
      state: 'processing',
      reason: null,
      deliveryId: head.deliveryId,
      receivedAt: head.receivedAt,
      occurredAt: event.occurredAt,
      finishedAt: null,
      attempts: 0,
      duplicates: 0,
    },
    identifiers: event.identifiers,
    history: [],
    attempt: head.attempt,
    lease: null,
    otherDeliveries: [],
    replays: head.replayId === null ? [] : [head.replayId],
    content,
  };
}

/** A second delivery of an event adds one to `duplicates`, however often that delivery's own message comes. */
function counted(rows: Rows, copy: EventCopy): Change {
  const entry = rows.event?.value;
  const { deliveryId } = copy.head;
  if (
    entry === undefined ||
    entry.summary.deliveryId === deliveryId ||
    entry.otherDeliveries.includes(deliveryId)
  ) {
    return {};
  }
  return {
    event: {
      ...entry,
      summary: { ...entry.summary, duplicates: entry.summary.duplicates + 1 },
      otherDeliveries: [...entry.otherDeliveries, deliveryId].slice(-otherDeliveriesKept),
    },
  };
}

function withEvent(
  asset: AssetState | undefined,
  { occurredAt, timeUnknown, removal }: AssetEvent,
): AssetState {
  const known = asset ?? noneFetched;
  const latestEventAt = timeUnknown === true ? known.latestEventAt : later(known.latestEventAt, occurredAt);
  return {
    ...known,
    latestEventAt,
    // A removal at an unknown time is of what is known; whatever is known to occur after that comes after it too.
    removedAt:
      removal === true
        ? later(known.removedAt, timeUnknown === true ? (latestEventAt ?? occurredAt) : occurredAt)
        : known.removedAt,
  };
}

/** The state of an asset of which nothing was ever fetched. */
export const noneFetched: AssetState = {
  fetchedAt: null,
  fetchedFor: null,
  latestFetchAt: null,
  title: null,
  latestEventAt: null,
  removedAt: null,
};

function later(known: string | null, given: string): string {
  return known !== null && Date.parse(known) >= Date.parse(given) ? known : given;
}

/** What the fetch that began last found; what is known of the asset's events stays. */
function withFetch(
  current: AssetState = noneFetched,
  { fetchedAt, fetchedFor, latestFetchAt, title }: AssetState,
): AssetState {
  const isOlder = Date.parse(current.fetchedAt ?? '') > Date.parse(fetchedAt ?? '');
  const latest = latestFetchAt === null ? current.latestFetchAt : later(current.latestFetchAt, latestFetchAt);
  return isOlder
    ? { ...current, latestFetchAt: latest }
    : { ...current, fetchedAt, fetchedFor, latestFetchAt: latest, title };
}
