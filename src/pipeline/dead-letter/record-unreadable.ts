import * as z from 'zod';
import { EventId, type AssetEvent } from '../model/event.ts';
import { eventId } from '../model/event-id.ts';
import type { EventEntry } from '../model/ledger.ts';
import type { Arrival, AssetMessage, ClaimCheck, MessageHead } from '../model/message.ts';
import { closeEvent, type CloseDeps } from '../process/close-event.ts';
import type { EventCopy } from '../process/event-copy.ts';
import type { SettledAs } from '../process/event-transitions.ts';
import type { ProcessDeps } from '../process/process-deps.ts';

type Failed = SettledAs<'failed'>['reason'];
type RecordDeps = CloseDeps & Pick<ProcessDeps, 'sources' | 'deliveries'>;

/** Says in the ledger that a message of ours can no longer be worked on, and why: in its event's own row where that is known. */
export async function recordLost(
  head: MessageHead,
  reason: Failed,
  { claim, arrival }: { claim: ClaimCheck | undefined; arrival: Arrival },
  deps: RecordDeps,
): Promise<void> {
  const id = claim?.eventId ?? eventId(head.source, [head.deliveryId, claim?.from, claim?.to]);
  const content: EventEntry['content'] = claim === undefined ? await keepMessage(arrival, deps) : { claim };
  const event = placeholder({ id, assetId: claim?.assetId }, head.receivedAt);
  await fail({ event, head, owner: arrival.messageId, content }, reason, deps);
}

/** One row an event of a source that no settings name; of what can no longer be read without that source, one row a message. */
export async function recordUnknownSource(
  { events, claim, ...head }: AssetMessage,
  arrival: Arrival,
  deps: RecordDeps,
): Promise<void> {
  const reason: Failed = {
    code: 'unknown-source',
    text: `The settings name no source ${head.source}.`,
  };
  const owner = arrival.messageId;
  for (const event of events ?? [])
    await fail({ event, head, owner, content: { event }, ofUnknownSource: true }, reason, deps);
  if (claim === undefined) return;
  const id = claim.eventId ?? eventId(head.source, [head.deliveryId, claim.from, claim.to]);
  const event = placeholder({ id, assetId: claim.assetId }, head.receivedAt);
  await fail({ event, head, owner, content: { claim }, ofUnknownSource: true }, reason, deps);
}

/** What a message of another version says of itself, where it says it as this version would. */
const Recognized = z.object({
  source: z.string(),
  deliveryId: z.string(),
  receivedAt: z.iso.datetime(),
  attempt: z.int().min(0),
  events: z.array(z.object({ id: EventId, assetId: z.string().optional() })).default([]),
  claim: z.object({ eventId: EventId, assetId: z.string().optional() }).optional().catch(undefined),
});

/**
 * Keeps a message that nobody can read, and says so in the ledger: in the rows of the events that it names, else in a row
 * with this id, or one that is the same for the same text.
 */
export async function recordUnreadable(
  { item, messageId }: Arrival,
  deps: RecordDeps,
  ownId?: string,
): Promise<void> {
  const content = await keepMessage({ item, messageId }, deps);
  const { blob } = content.unread;
  const id = ownId ?? eventId('', [blob]);
  const reason: Failed = {
    code: 'unreadable',
    text: `A queue message was none that this version knows; it is kept as ${blob} in deliveries.`,
  };
  const known = Recognized.safeParse(item).data;
  const named: Named[] = [...(known?.events ?? [])];
  if (known?.claim !== undefined) named.push({ ...known.claim, id: known.claim.eventId });
  if (known !== undefined && named.length > 0 && deps.sources.has(known.source)) {
    const { events: _events, claim: _claim, ...members } = known;
    const head = { ...members, v: 1 as const, replayId: null };
    for (const one of named) {
      const event = placeholder(one, head.receivedAt);
      await fail({ event, head, owner: messageId, content }, reason, deps);
    }
    return;
  }
  const now = new Date(deps.now()).toISOString();
  const head = {
    v: 1 as const,
    deliveryId: messageId,
    source: '',
    receivedAt: now,
    attempt: 0,
    replayId: null,
  };
  const event = placeholder({ id }, now);
  await fail({ event, head, owner: messageId, content }, reason, deps);
}

async function fail(copy: EventCopy, reason: Failed, deps: RecordDeps): Promise<void> {
  await closeEvent(copy, { kind: 'ended', settled: { state: 'failed', reason } }, deps);
}

/** Keeps the text of a message as a blob; the same text always as the same one. */
async function keepMessage({ item }: Arrival, deps: RecordDeps): Promise<{ unread: { blob: string } }> {
  const text = typeof item === 'string' ? item : JSON.stringify(item);
  const blob = `unreadable-messages/${eventId('', [text])}`;
  await deps.deliveries.put(blob, { bytes: Buffer.from(text) });
  return { unread: { blob } };
}

interface Named {
  readonly id: string;
  readonly assetId?: string | undefined;
}

/** Stands in the ledger for what could not be read as an event. */
function placeholder({ id, assetId }: Named, occurredAt: string): AssetEvent {
  const about = assetId === undefined ? {} : { assetId };
  return { id, type: 'unreadable', assetKind: 'other', ...about, occurredAt, identifiers: [], data: {} };
}
