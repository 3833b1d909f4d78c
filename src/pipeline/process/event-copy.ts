import type { AssetEvent } from '../model/event.ts';
import type { EventEntry, Ledger, RowKeys } from '../model/ledger.ts';
import { claimedAs, type ClaimCheck, type MessageHead } from '../model/message.ts';

/** A copy of an event in our hands: the event, the message it came in, and where it can be found again. */
export interface EventCopy {
  readonly event: AssetEvent;
  readonly head: MessageHead;
  /** Whoever handles this copy; another one each time that its message comes. */
  readonly owner: string;
  readonly content: EventEntry['content'];
  /** No settings name its source: its row stands with those of no source. */
  readonly ofUnknownSource?: true;
}

export function keysOf({ event, head, ofUnknownSource }: EventCopy, assetId?: string): RowKeys {
  const isOfNone = head.source === '' || ofUnknownSource === true;
  const subject = event.assetId ?? event.id;
  return { source: isOfNone ? null : head.source, eventId: event.id, subject, assetId };
}

/** A message's one event in our hands, under the id that it goes by from here on. */
export async function copyOf(
  event: AssetEvent,
  { head, claim, owner }: { head: MessageHead; claim: ClaimCheck | undefined; owner: string },
  ledger: Pick<Ledger, 'canonicalEventId'>,
): Promise<EventCopy> {
  const { dedupe, ...known } = event;
  if (dedupe !== undefined) {
    const candidate = { id: event.id, receivedAt: head.receivedAt };
    known.id = await ledger.canonicalEventId(head.source, dedupe.key, candidate, dedupe.windowMs);
  }
  const content = claim === undefined ? { event: known } : { claim: { ...claim, ...claimedAs(known) } };
  return { event: known, head, owner, content };
}
