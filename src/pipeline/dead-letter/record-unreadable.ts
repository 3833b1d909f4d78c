import { closeEvent } from '../process/close-event.ts';
import { eventId } from '../model/event-id.ts';
import type { AssetEvent } from '../model/event.ts';
import type { SettledAs } from '../process/event-transitions.ts';
import type { EventEntry } from '../model/ledger.ts';
import type { Arrival, ClaimCheck, MessageHead } from '../model/message.ts';
import type { ProcessDeps } from '../process/process-deps.ts';

/** Says in the ledger that a message of ours can no longer be worked on, and why. */
export async function recordLost(
  head: MessageHead,
  reason: SettledAs<'failed'>['reason'],
  { claim, arrival }: { claim: ClaimCheck | undefined; arrival: Arrival },
  deps: ProcessDeps,
): Promise<void> {
  const id = eventId(head.source, [head.deliveryId, claim?.from, claim?.to]);
  const content: EventEntry['content'] = claim === undefined ? await keepMessage(arrival, deps) : { claim };
  await closeEvent(
    { event: placeholder(id, head.receivedAt), head, owner: arrival.messageId, content },
    { kind: 'ended', settled: { state: 'failed', reason } },
    deps,
  );
}

/** Keeps a message that nobody can read, and says so in the ledger. */
export async function recordUnreadable({ item, messageId }: Arrival, deps: ProcessDeps): Promise<void> {
  const content = await keepMessage({ item, messageId }, deps);
  const { blob } = content.unread;
  const id = eventId('', [blob]);
  const now = deps.now().toISOString();
  await closeEvent(
    {
      event: placeholder(id, now),
      head: { v: 1, deliveryId: messageId, source: '', receivedAt: now, attempt: 0, replayId: null },
      owner: messageId,
      content,
    },
    {
      kind: 'ended',
      settled: {
        state: 'failed',
        reason: {
          code: 'unreadable',
          text: `A queue message was none of ours; it is kept as ${blob} in deliveries.`,
        },
      },
    },
    deps,
  );
}

/** Keeps the text of a message as a blob; the same text always as the same one. */
async function keepMessage({ item }: Arrival, deps: ProcessDeps): Promise<{ unread: { blob: string } }> {
  const text = typeof item === 'string' ? item : JSON.stringify(item);
  const blob = `unreadable-messages/${eventId('', [text])}`;
  await deps.deliveries.put(blob, Buffer.from(text));
  return { unread: { blob } };
}

/** Stands in the ledger for what could not be read as an event. */
function placeholder(id: string, occurredAt: string): AssetEvent {
  return { id, type: 'unreadable', assetKind: 'other', occurredAt, identifiers: [], data: {} };
}
