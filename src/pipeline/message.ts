import * as z from 'zod';
import { AssetEvent, EventId } from './event.ts';

/** Where the events of a message stand when they do not fit into it: a blob with the delivery's bytes, and which of its events. */
export const Claim = z.object({
  blob: z.string().min(1).max(1024),
  from: z.int().min(0),
  /** One past the last. */
  to: z.int().min(1),
  /** What the call said of its event beside those bytes. */
  hint: z.string().max(1024).optional(),
  /** The id that its one event goes by, where that is not the one that the bytes give. */
  eventId: EventId.optional(),
});
export type Claim = z.infer<typeof Claim>;

const common = {
  v: z.literal(1),
  deliveryId: z.string().min(1).max(128),
  source: z.string().regex(/^[a-z0-9-]{1,64}$/),
  receivedAt: z.iso.datetime(),
  traceparent: z.string().max(128).nullish(),
  /** 0 for the first try. */
  attempt: z.int().min(0),
  replayId: z.string().max(128).nullable(),
};

/** A queue message, version 1: events of one delivery, or a claim in their place. */
export const AssetMessage = z.union([
  z.object({ ...common, events: z.array(AssetEvent).min(1), claim: z.undefined().optional() }),
  z.object({ ...common, claim: Claim, events: z.undefined().optional() }),
]);
export type AssetMessage = z.infer<typeof AssetMessage>;

/** What a message says of itself beside its events. */
export type MessageHead = Omit<AssetMessage, 'events' | 'claim'>;

// 64 KiB is what Storage Queue takes, after base64 (reference/functions-host.md, Storage Queue trigger).
const maxTextBytes = 49_152;
// A message grows on its way, by the number of its tries or by a mark; a first one leaves room for that.
const roomToGrow = 512;

/** The message as text, or undefined where it would not fit and needs a claim. Writes out no more than what fits. */
export function encodeMessage({ events, claim, ...head }: AssetMessage): string | undefined {
  const most = head.attempt === 0 ? maxTextBytes - roomToGrow : maxTextBytes;
  if (claim !== undefined) return JSON.stringify({ ...head, claim });
  const pieces: string[] = [];
  let bytes = Buffer.byteLength(JSON.stringify({ ...head, events: [] }));
  for (const event of events) {
    const piece = JSON.stringify(event);
    bytes += Buffer.byteLength(piece) + 1;
    // One event can hold as much as its whole delivery: a thousand of them must not be written out to be counted.
    if (bytes > most) return undefined;
    pieces.push(piece);
  }
  return `${JSON.stringify(head).slice(0, -1)},"events":[${pieces.join(',')}]}`;
}

/** How a queue message came: `item` is what the platform made of its text. */
export interface Arrival {
  readonly item: unknown;
  /** The queue's id of the message. */
  readonly messageId: string;
}

export type DecodedMessage =
  | { kind: 'message'; message: AssetMessage }
  /** From a later version of this app, met during a rolling deployment. */
  | { kind: 'later-version'; members: Readonly<Record<string, unknown>> }
  | { kind: 'unknown' };

/** Reads what the platform made of a message's text: parsed JSON, or the text where it is none. Never throws. */
export function decodeMessage(item: unknown): DecodedMessage {
  const message = AssetMessage.safeParse(item);
  if (message.success) return { kind: 'message', message: message.data };
  const later = z.looseObject({ v: z.int().min(2) }).safeParse(item);
  return later.success ? { kind: 'later-version', members: later.data } : { kind: 'unknown' };
}
