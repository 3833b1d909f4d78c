import type { AssetEvent } from '../model/event.ts';
import {
  claimedAs,
  encodeMessage,
  encodeParts,
  type ClaimCheck,
  type MessageHead,
  type MessageText,
} from '../model/message.ts';
import type { Events } from '../ports/receiver.ts';

// Events that are sent on as messages of their own at once; more are first split into batches of so many.
const batchOf = 64;

/** Smaller messages with all the events, in their order; an event that is too large for any stays a claim with its index. */
export function* splitDelivery(
  head: MessageHead,
  events: Events,
  claim: ClaimCheck | undefined,
): Generator<MessageText> {
  const size = events.length > batchOf ? batchOf : 1;
  for (let from = 0; from < events.length; from += size) {
    const batch = events.slice(from, from + size);
    for (const part of encodeParts(head, batch)) {
      yield typeof part === 'object'
        ? part
        : { text: claimOf(head, claim, { index: from + part, event: batch[part] }), count: 1 };
    }
  }
}

function claimOf(
  head: MessageHead,
  claim: ClaimCheck | undefined,
  { index, event }: { index: number; event: AssetEvent | undefined },
): string {
  const from = (claim?.from ?? 0) + index;
  const own = claim && { ...claim, from, to: from + 1, ...claimedAs(event) };
  const text = own && encodeMessage({ ...head, claim: own });
  // What came inside a message fits into one; only a claim can hold more.
  if (text === undefined) throw new Error(`an event of delivery ${head.deliveryId} fits into no message`);
  return text;
}
