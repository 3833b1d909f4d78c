import type { AssetEvent } from '../model/event.ts';
import type { ClaimCheck, MessageHead } from '../model/message.ts';
import type { Events, Receiver } from '../ports/receiver.ts';
import type { DeliveryStore } from '../ports/stores.ts';

/** The events that a claim stands for; none where its blob is gone or can no longer be read. */
export async function claimedEvents(
  head: Pick<MessageHead, 'source' | 'deliveryId' | 'receivedAt'>,
  { blob, from, to, eventName, eventId }: ClaimCheck,
  receiver: Receiver,
  deliveries: DeliveryStore,
): Promise<Events> {
  const body = await deliveries.get(blob);
  if (body === undefined) return [];
  const { source, deliveryId } = head;
  const reading = receiver.read(body, {
    source,
    deliveryId,
    receivedAt: new Date(head.receivedAt),
    eventName,
  });
  if (reading.kind !== 'events') return [];
  const { events } = reading;
  const end = Math.min(to, events.length);
  const known = ({ dedupe: _dedupe, ...event }: AssetEvent, id: string): AssetEvent => ({ ...event, id });
  return {
    length: Math.max(0, end - from),
    slice(first, last) {
      const claimed = events.slice(from + first, Math.min(from + last, end));
      return eventId === undefined ? claimed : claimed.map((event) => known(event, eventId));
    },
  };
}
