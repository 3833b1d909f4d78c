import * as z from 'zod';
import type { CanonicalEvent } from './deduplication.ts';
import { carrying, type AssetEvent, type Identifier } from './event.ts';
import type { ClaimCheck } from './message.ts';

export const eventStates = ['processing', 'waiting', 'done', 'ignored', 'failed'] as const;
export const EventState = z.enum(eventStates);
export type EventState = z.infer<typeof EventState>;

export const Reason = carrying({
  code: z.string(),
  text: z.string(),
  nextAttemptAt: z.string().optional(),
});
export type Reason = z.infer<typeof Reason>;

/** What the list of events shows of one. Times are ISO 8601 in UTC. */
export interface EventSummary {
  readonly id: string;
  /** Null for what came from the queue and names no source of ours. */
  readonly source: string | null;
  readonly type: string;
  readonly assetKind: AssetEvent['assetKind'];
  readonly assetId: string | null;
  readonly title: string | null;
  readonly state: EventState;
  readonly reason: Reason | null;
  readonly deliveryId: string;
  readonly receivedAt: string;
  readonly occurredAt: string;
  readonly finishedAt: string | null;
  /** Tries that have ended. */
  readonly attempts: number;
  /** Other deliveries that brought the same event. */
  readonly duplicates: number;
}

export const HistoryEntry = carrying({
  at: z.string(),
  attempt: z.number(),
  /** `processing` stands for a try that never ended, because its process did. */
  state: EventState,
  code: z.string().optional(),
  text: z.string().optional(),
  /** The replay that this try was a part of. */
  replayId: z.string().optional(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** One event's row: what happened to it, and who works on it. */
export interface EventEntry {
  readonly summary: EventSummary;
  /** The event's own, such as the batch of an ingest that made no asset; bounded. */
  readonly identifiers: readonly Identifier[];
  readonly history: readonly HistoryEntry[];
  /** The try that is due or under way, from 0; a message with a lower one is of the past. */
  readonly attempt: number;
  readonly lease: Lease | null;
  /** The other deliveries that have been counted, the newest last; bounded. */
  readonly otherDeliveries: readonly string[];
  /** The replays that it took part in, the latest last; bounded. A message of none of them, or of an earlier one, is of the past. */
  readonly replays: readonly string[];
  /** What a replay starts from: the event itself, where it stands, or the bytes that could not be read. */
  readonly content: { event: AssetEvent } | { claim: ClaimCheck } | { unread: { readonly blob: string } };
}

/** Who works on an event or a job. */
export const Lease = carrying({
  /** Another one each time that a message is handled. */
  owner: z.string(),
  /** ISO 8601. */
  until: z.string(),
});
export type Lease = z.infer<typeof Lease>;

/** What is known of an asset across its events. */
export interface AssetState {
  /** When the latest fetch that was stored whole began, ISO 8601, and its title: what other events are folded into. */
  readonly fetchedAt: string | null;
  /** The latest event on it that was known when that fetch began. ISO 8601. */
  readonly fetchedFor: string | null;
  /** When the latest fetch began that was stored at all, ISO 8601. */
  readonly latestFetchAt: string | null;
  readonly title: string | null;
  /** When the latest event on it that was begun occurred, and the latest that said that it is gone. ISO 8601. */
  readonly latestEventAt: string | null;
  readonly removedAt: string | null;
}

/** A row as it was read or written, with what a conditional write needs. */
export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

/** An event's row and its asset's, as far as they are known; undefined is "there is none". */
export interface Rows {
  readonly event: Stored<EventEntry> | undefined;
  readonly asset: Stored<AssetState> | undefined;
}

/** Whose rows: an event, and the asset it is about. Both are in one partition, so both change together. */
export interface RowKeys {
  readonly source: string | null;
  readonly eventId: string;
  /** What settles the partition: the id of what the event is about, or else its own. */
  readonly subject: string;
  /** Left out where the asset's row is of no concern. */
  readonly assetId?: string | undefined;
}

/** What a decision writes; what it leaves out stays as it is. */
export interface Change {
  readonly event?: EventEntry;
  readonly asset?: AssetState;
}

export interface EventQuery {
  readonly source?: string;
  readonly state?: EventState;
  readonly type?: string;
  readonly assetId?: string;
  /** Times of receipt in milliseconds, both ends included. */
  readonly from?: number;
  readonly to?: number;
  /** Part of a title, an id, an asset's id or a reason, whatever the case. */
  readonly q?: string;
  readonly limit: number;
  readonly after?: string;
}

export interface EventPage {
  readonly events: readonly EventSummary[];
  readonly next: string | null;
  /** Rows that this version cannot read, where there are some: they are left out. */
  readonly unread?: number;
}

/** The history of every event. All of it may throw a StorageError. */
export interface Ledger {
  /**
   * Decides on the rows as they are and writes the decision in one transaction, only if nobody changed them in
   * between; otherwise reads them again and decides anew. `known` spares the first reading; it may be out of date.
   * `decide` must do nothing but decide, for it may be asked several times.
   */
  change<T>(
    keys: RowKeys,
    known: Rows | undefined,
    decide: (rows: Rows) => { change: Change; answer: T },
  ): Promise<{ answer: T; rows: Rows }>;
  read(keys: RowKeys): Promise<Rows>;
  assetState(source: string, assetId: string): Promise<Stored<AssetState> | undefined>;
  /** The id of the first event of this digest that a candidate belongs to, or its own; that is settled once for all who come. */
  canonicalEventId(
    source: string,
    digest: string,
    candidate: CanonicalEvent,
    withinMs: number,
  ): Promise<string>;
  list(query: EventQuery): Promise<EventPage>;
  /** Looks in the given source, which may be one of earlier settings; else in every one of today. */
  find(eventId: string, source?: string): Promise<EventEntry | undefined>;
  /** The ids of some events, or of some assets of a source, that begin with a text of harmless characters. */
  idsBeginning(text: string, of: 'events' | { readonly assetsOf: string }): Promise<string[]>;
}
