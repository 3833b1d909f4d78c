import type { AssetEvent } from './event.ts';
import type { Claim, MessageHead } from './message.ts';
import type { Receiver } from './receiver.ts';
import type { DeliveryStore } from './stores.ts';

/** The events that a claim stands for; none where its blob is gone or can no longer be read. */
export async function claimedEvents(
  head: Pick<MessageHead, 'source' | 'deliveryId' | 'receivedAt'>,
  claim: Claim,
  receiver: Receiver,
  deliveries: DeliveryStore,
): Promise<AssetEvent[]> {
  const body = await deliveries.get(claim.blob);
  if (body === undefined) return [];
  const receipt = {
    source: head.source,
    deliveryId: head.deliveryId,
    receivedAt: new Date(head.receivedAt),
    hint: claim.hint,
  };
  const reading = receiver.read(body, receipt);
  if (reading.kind !== 'events') return [];
  const events = reading.events.slice(claim.from, claim.to);
  const { eventId } = claim;
  return eventId === undefined
    ? events
    : events.map(({ alike: _alike, ...event }) => ({ ...event, id: eventId }));
}
