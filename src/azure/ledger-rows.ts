import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CanonicalEvent } from '../pipeline/model/deduplication.ts';
import { assetKey } from '../pipeline/model/asset-key.ts';
import { cutText } from '../pipeline/model/sanitize-text.ts';
import { AssetEvent, carrying, Identifier } from '../pipeline/model/event.ts';
import {
  EventState,
  HistoryEntry,
  Lease,
  Reason,
  type AssetState,
  type EventEntry,
  type EventSummary,
} from '../pipeline/model/ledger.ts';
import { ClaimCheck } from '../pipeline/model/message.ts';

// How the ledger lies in its table. Sixteen partitions a source, because Azure takes only so many rows a second in one;
// an event is in that of its asset, so that both change in one transaction. In a partition are six families of rows, told
// apart by the letter that their keys begin with: an event by its id (the truth), by time, by asset and by state (copies
// of its summary, in the order in which they are listed), an asset's state, and the first event of each digest.

/** The partition of what names no source of ours; no source can have this name. */
const noSource = '~';
const buckets = Array.from({ length: 16 }, (_, bucket) => bucket.toString(16));

/** The partition of what is about this asset, or about none: then of the event's own id. */
export function partitionOf(source: string | null, subject: string): string {
  if (source === null) return noSource;
  // A source may write the same id in capitals or not.
  return `${source}:${createHash('sha256').update(subject.toLowerCase()).digest('hex').slice(0, 1)}`;
}

/** All partitions of a source. */
export function partitionsOf(source: string | null): string[] {
  return source === null ? [noSource] : buckets.map((bucket) => `${source}:${bucket}`);
}

// Newest first in a store that sorts upwards: keys count down to the end of what 13 digits of milliseconds hold.
const endOfTime = 9_999_999_999_999;

/** Where an event stands in every list: newest first, those of one time in the order of their ids. */
export function placeOf(receivedAtMs: number, id = ''): string {
  return `${String(endOfTime - Math.min(Math.max(receivedAtMs, 0), endOfTime)).padStart(13, '0')}:${id}`;
}

export const rowKey = {
  event: (id: string) => `e:${id}`,
  asset: (assetId: string) => `x:${assetKey(assetId)}`,
  /** The keys of assets whose ids stand in them as they are. */
  assetsBeginning: 'x:',
  dedupe: (digest: string) => `f:${digest}`,
};

/** The range of the keys that begin with the letter of a family: its first, and the first of what follows it. */
export function familyOf(prefix: string): { beginning: string; end: string } {
  // A semicolon comes after the colon.
  return { beginning: prefix, end: `${prefix.slice(0, 1)};` };
}

/** The prefix of a list's keys; the place follows. */
export const listPrefix = {
  time: 't:',
  asset: (assetId: string) => `a:${assetKey(assetId)}:`,
  state: (state: EventState) => `s:${state}:`,
};

/** The keys of the copies of an event's summary. */
export function copyKeys(summary: EventSummary): string[] {
  const place = placeOf(Date.parse(summary.receivedAt), summary.id);
  return [
    listPrefix.time + place,
    listPrefix.state(summary.state) + place,
    ...(summary.assetId === null ? [] : [listPrefix.asset(summary.assetId) + place]),
  ];
}

export type Columns = Record<string, string | number | boolean | Uint8Array>;

// Azure keeps 64 KiB in a text column, two bytes a character.
const columnLength = 32_000;
// They stand in each of an event's four rows.
const identifiersLength = 4_000;

// Rows are merged, so that columns of a later version stay: what is no longer there becomes an empty text.
const none = '';

export function summaryColumns({ summary, identifiers }: EventEntry): Columns {
  return {
    id: summary.id,
    // The partition says it, but of those that no settings name.
    source: summary.source ?? none,
    type: summary.type,
    assetKind: summary.assetKind,
    assetId: summary.assetId ?? none,
    title: titleColumn(summary.title),
    state: summary.state,
    reason: summary.reason === null ? none : JSON.stringify(summary.reason),
    deliveryId: summary.deliveryId,
    receivedAt: summary.receivedAt,
    occurredAt: summary.occurredAt,
    finishedAt: summary.finishedAt ?? none,
    attempts: summary.attempts,
    duplicates: summary.duplicates,
    identifiers: identifiersColumn(identifiers),
  };
}

function titleColumn(title: string | null): string {
  return title === null ? none : cutText(title, 1000);
}

function identifiersColumn(identifiers: readonly Identifier[]): string {
  const text = JSON.stringify(identifiers);
  return text.length <= identifiersLength ? text : identifiersColumn(identifiers.slice(0, -1));
}

export function eventColumns(entry: EventEntry): Columns {
  return {
    ...summaryColumns(entry),
    // The oldest tries give way where the whole would not fit.
    history: shortened(entry.history),
    attempt: entry.attempt,
    lease: entry.lease === null ? none : JSON.stringify(entry.lease),
    otherDeliveries: JSON.stringify(entry.otherDeliveries),
    replays: JSON.stringify(entry.replays),
    // As bytes, because an event of 48 KiB of text would be 96 KiB as a text column.
    content: Buffer.from(JSON.stringify(entry.content)),
  };
}

function shortened(history: readonly HistoryEntry[]): string {
  const text = JSON.stringify(history);
  return text.length <= columnLength ? text : shortened(history.slice(1));
}

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('not JSON');
        return z.NEVER;
      }
    })
    .pipe(schema);

const textOrNull = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === none ? null : text));
const jsonOrNull = <T extends z.ZodType>(schema: T) =>
  textOrNull.transform((text) => text ?? 'null').pipe(json(schema.nullable()));

const Summary = z.object({
  id: z.string(),
  source: textOrNull,
  type: z.string(),
  assetKind: z.enum(['asset', 'folder', 'other']),
  assetId: textOrNull,
  title: textOrNull,
  state: EventState,
  reason: jsonOrNull(Reason),
  deliveryId: z.string(),
  receivedAt: z.string(),
  occurredAt: z.string(),
  finishedAt: textOrNull,
  attempts: z.number(),
  duplicates: z.number(),
  identifiers: json(z.array(Identifier)),
});

const Content = z.union([
  z.object({ event: AssetEvent }),
  z.object({ claim: ClaimCheck }),
  z.object({ unread: carrying({ blob: z.string() }) }),
]);

const Entry = Summary.extend({
  history: json(z.array(HistoryEntry)),
  attempt: z.number(),
  lease: jsonOrNull(Lease),
  otherDeliveries: json(z.array(z.string())),
  replays: json(z.array(z.string())).default([]),
  content: z
    .instanceof(Uint8Array)
    .transform((bytes) => Buffer.from(bytes).toString('utf8'))
    .pipe(json(Content)),
});

const Asset = z.object({
  fetchedAt: textOrNull,
  fetchedFor: textOrNull,
  latestFetchAt: textOrNull,
  title: textOrNull,
  latestEventAt: textOrNull,
  removedAt: textOrNull,
});

/** What a list's row holds. */
export function readSummary(
  source: string | null,
  row: unknown,
): Pick<EventEntry, 'summary' | 'identifiers'> {
  const { identifiers, ...summary } = Summary.parse(row);
  return { summary: { ...summary, source: summary.source ?? source }, identifiers };
}

export function readEntry(source: string | null, row: unknown): EventEntry {
  const { history, attempt, lease, otherDeliveries, replays, content } = Entry.parse(row);
  return { ...readSummary(source, row), history, attempt, lease, otherDeliveries, replays, content };
}

export function assetColumns(asset: AssetState): Columns {
  return {
    fetchedAt: asset.fetchedAt ?? none,
    fetchedFor: asset.fetchedFor ?? none,
    latestFetchAt: asset.latestFetchAt ?? none,
    title: titleColumn(asset.title),
    latestEventAt: asset.latestEventAt ?? none,
    removedAt: asset.removedAt ?? none,
  };
}

export function readAsset(row: unknown): AssetState {
  return Asset.parse(row);
}

const CanonicalEvents = z.object({ canonicalEvents: json(z.array(CanonicalEvent)) });

export function canonicalColumns(canonicalEvents: readonly CanonicalEvent[]): Columns {
  return { canonicalEvents: JSON.stringify(canonicalEvents) };
}

export function readCanonicalEvents(row: unknown): readonly CanonicalEvent[] {
  return CanonicalEvents.parse(row).canonicalEvents;
}
