import { createHash } from 'node:crypto';
import { eventId } from '../model/event-id.ts';
import { claimedAs, encodeAll, encodeMessage, maxTextBytes, type MessageHead } from '../model/message.ts';
import type { Events, UnreadableDelivery } from '../ports/receiver.ts';
import { settleEvent } from '../process/settle-event.ts';
import type { DeliveryBody, DeliveryStore, WorkQueue } from '../ports/stores.ts';
import type { ProcessDeps } from '../process/process-deps.ts';

/** A delivery that was proved. */
export interface ProvedDelivery {
  readonly head: MessageHead;
  readonly body: DeliveryBody;
}

/**
 * Keeps a delivery as one message that holds all of its events, or, where they do not fit, as a blob and a message
 * that claims it; once this returns, nothing of it can be lost. The blob goes first: alone it is harmless.
 */
export async function enqueueDelivery(
  { head, body }: ProvedDelivery,
  events: Events,
  deps: { queue: WorkQueue; deliveries: DeliveryStore; signal: AbortSignal },
): Promise<void> {
  const { signal } = deps;
  // What a body larger than a message says is seldom smaller, and costs much to write out only to find that it is not.
  const inline = body.bytes.byteLength > maxTextBytes ? undefined : encodeAll(head, events);
  if (inline !== undefined) {
    await deps.queue.send(inline, { signal });
    return;
  }
  const blob = blobName(head);
  await deps.deliveries.put(blob, body, { signal });
  const claim = encodeMessage({
    ...head,
    claim: {
      blob,
      from: 0,
      to: events.length,
      ...(events.length === 1 ? claimedAs(events.slice(0, 1)[0]) : {}),
    },
  });
  if (claim === undefined) throw new Error('a claim does not fit into a message');
  await deps.queue.send(claim, { signal });
}

const unreadableTexts: Record<UnreadableDelivery['why'], string> = {
  'not-json': 'no JSON that can be read',
  'too-dense': 'split up into more parts, or nested more deeply, than is read of a body of its length',
  'unknown-shape': 'of no shape that is known',
};

/** Keeps a proved delivery that nobody can read: its bytes, and a row that says so. It can be read again by later code. */
export async function storeUnreadable(
  { head, body }: ProvedDelivery,
  why: UnreadableDelivery['why'],
  deps: Pick<ProcessDeps, 'deliveries' | 'ledger' | 'log' | 'now'> & { signal: AbortSignal },
): Promise<void> {
  const blob = blobName(head);
  await deps.deliveries.put(blob, body, { signal: deps.signal });
  const id = eventId(head.source, [createHash('sha256').update(body.bytes).digest('hex')]);
  const copy = {
    event: {
      id,
      type: 'unreadable',
      assetKind: 'other' as const,
      occurredAt: head.receivedAt,
      identifiers: [],
      data: {},
    },
    head,
    owner: head.deliveryId,
    content: { unread: { blob } },
  };
  const text = `The call was signed rightly, but its body is ${unreadableTexts[why]}; it is kept as ${blob} in deliveries.`;
  const settled = { state: 'failed', reason: { code: 'unreadable', text } } as const;
  await settleEvent(copy, settled, { countsAsTry: false }, deps);
}

function blobName({ source, receivedAt, deliveryId }: MessageHead): string {
  return `${source}/${receivedAt.slice(0, 10)}/${deliveryId}`;
}
