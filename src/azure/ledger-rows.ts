import * as z from 'zod';
import { CanonicalEvent } from '../pipeline/model/deduplication.ts';
import { assetKey } from '../pipeline/model/asset-key.ts';
import { cutText } from '../pipeline/model/sanitize-text.ts';
import { AssetEvent } from '../pipeline/model/event.ts';
import {
  EventState,
  HistoryEntry,
  Reason,
  type AssetState,
  type EventEntry,
  type EventSummary,
} from '../pipeline/model/ledger.ts';
import { ClaimCheck } from '../pipeline/model/message.ts';

// How the ledger lies in its table. One partition a source; in it six families of rows, told apart by the letter
// their keys begin with: an event by its id (the truth), by time, by asset and by state (copies of its summary, in
// the order in which they are listed), an asset's state, and who was first of those alike. An event's rows are written
// in one transaction.

/** The partition of what names no source of ours; no source can have this name. */
const noSource = '~';

export function partitionOf(source: string | null): string {
  return source ?? noSource;
}

// Newest first in a store that sorts upwards: keys count down to the end of what 13 digits of milliseconds hold.
const endOfTime = 9_999_999_999_999;

/** Where an event stands in every list: newest first, alike times in the order of their ids. */
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

export type Columns = Record<string, string | number | boolean | Uint8Array | undefined>;

// Azure keeps 64 KiB in a text column, two bytes a character.
const columnLength = 32_000;

export function summaryColumns(summary: EventSummary): Columns {
  return {
    id: summary.id,
    // The partition says it, but of those that no settings name.
    source: summary.source ?? undefined,
    type: summary.type,
    assetKind: summary.assetKind,
    assetId: summary.assetId ?? undefined,
    title: titleColumn(summary.title),
    state: summary.state,
    reason: summary.reason === null ? undefined : JSON.stringify(summary.reason),
    deliveryId: summary.deliveryId,
    receivedAt: summary.receivedAt,
    occurredAt: summary.occurredAt,
    finishedAt: summary.finishedAt ?? undefined,
    attempts: summary.attempts,
    duplicates: summary.duplicates,
  };
}

function titleColumn(title: string | null): string | undefined {
  return title === null ? undefined : cutText(title, 1000);
}

export function eventColumns(entry: EventEntry): Columns {
  return {
    ...summaryColumns(entry.summary),
    // The oldest tries give way where the whole would not fit.
    history: shortened(entry.history),
    attempt: entry.attempt,
    lease: entry.lease === null ? undefined : JSON.stringify(entry.lease),
    otherDeliveries: JSON.stringify(entry.otherDeliveries),
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
  .transform((text) => text ?? null);

const Summary = z.object({
  id: z.string(),
  source: textOrNull,
  type: z.string(),
  assetKind: z.enum(['asset', 'folder', 'other']),
  assetId: textOrNull,
  title: textOrNull,
  state: EventState,
  reason: json(Reason)
    .nullish()
    .transform((reason) => reason ?? null),
  deliveryId: z.string(),
  receivedAt: z.string(),
  occurredAt: z.string(),
  finishedAt: textOrNull,
  attempts: z.number(),
  duplicates: z.number(),
});

const Lease = z.object({ owner: z.string(), until: z.string() });
const Content = z.union([
  z.object({ event: AssetEvent }),
  z.object({ claim: ClaimCheck }),
  z.object({ unread: z.object({ blob: z.string(), eventName: z.string().optional() }) }),
]);

const Entry = Summary.extend({
  history: json(z.array(HistoryEntry)),
  attempt: z.number(),
  lease: json(Lease)
    .nullish()
    .transform((lease) => lease ?? null),
  otherDeliveries: json(z.array(z.string())),
  content: z
    .instanceof(Uint8Array)
    .transform((bytes) => Buffer.from(bytes).toString('utf8'))
    .pipe(json(Content)),
});

const Asset = z.object({
  fetchedAt: textOrNull,
  fetchedFor: textOrNull,
  title: textOrNull,
  latestEventAt: textOrNull,
  removedAt: textOrNull,
});

export function readSummary(source: string | null, row: unknown): EventSummary {
  const summary = Summary.parse(row);
  return { ...summary, source: summary.source ?? source };
}

export function readEntry(source: string | null, row: unknown): EventEntry {
  const { history, attempt, lease, otherDeliveries, content } = Entry.parse(row);
  return { summary: readSummary(source, row), history, attempt, lease, otherDeliveries, content };
}

export function assetColumns(asset: AssetState): Columns {
  return {
    fetchedAt: asset.fetchedAt ?? undefined,
    fetchedFor: asset.fetchedFor ?? undefined,
    title: titleColumn(asset.title),
    latestEventAt: asset.latestEventAt ?? undefined,
    removedAt: asset.removedAt ?? undefined,
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
