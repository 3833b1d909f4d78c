import pLimit from 'p-limit';
import type { AssetEvent } from '../model/event.ts';
import type { ClaimCheck, MessageHead } from '../model/message.ts';
import type { Events, Receiver } from '../ports/receiver.ts';
import type { DeliveryStore } from '../ports/stores.ts';

/** The events that a claim stands for; none where its blob is gone or can no longer be read. */
export type ClaimedEvents = (
  head: Pick<MessageHead, 'source' | 'deliveryId' | 'receivedAt'>,
  claim: ClaimCheck,
  receiver: Receiver,
) => Promise<Events>;

// Claims to one body come in a row; what nobody asks for any longer must not stay in memory.
const rememberedMs = 10_000;

/**
 * Reads claimed bodies one at a time, and remembers the last: a body may hold hundreds of events that each fit into no
 * message, and reading it takes ten times its memory.
 */
export function claimReader(deliveries: DeliveryStore): ClaimedEvents {
  const oneAtATime = pLimit(1);
  let last: { blob: string; events: Events; forget: NodeJS.Timeout } | undefined;

  const eventsIn = async (
    { source, deliveryId, receivedAt }: Parameters<ClaimedEvents>[0],
    blob: string,
    receiver: Receiver,
  ): Promise<Events> => {
    if (last?.blob === blob) {
      last.forget.refresh();
      return last.events;
    }
    clearTimeout(last?.forget);
    last = undefined;
    const body = await deliveries.get(blob);
    if (body === undefined) return noEvents;
    const { bytes, eventName } = body;
    const receipt = { source, deliveryId, receivedAt: new Date(receivedAt), eventName };
    const reading = receiver.read(bytes, receipt);
    if (reading.kind !== 'events') return noEvents;
    const forget = setTimeout(() => (last = undefined), rememberedMs).unref();
    last = { blob, events: reading.events, forget };
    return reading.events;
  };

  return async (head, { blob, from, to, eventId }, receiver) => {
    const events = await oneAtATime(async () => await eventsIn(head, blob, receiver));
    const end = Math.min(to, events.length);
    return {
      length: Math.max(0, end - from),
      slice(first, final) {
        const claimed = events.slice(from + first, Math.min(from + final, end));
        return eventId === undefined ? claimed : claimed.map((event) => known(event, eventId));
      },
    };
  };
}

const noEvents: Events = { length: 0, slice: () => [] };

function known({ dedupe: _dedupe, ...event }: AssetEvent, id: string): AssetEvent {
  return { ...event, id };
}
