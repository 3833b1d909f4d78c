import * as z from 'zod';
import { AssetEvent } from './event.ts';

/** Where the events of a message stand when they do not fit into it: a blob with the delivery's bytes, and which of its events. */
export const Claim = z.object({
  blob: z.string().min(1).max(1024),
  from: z.int().min(0),
  /** One past the last. */
  to: z.int().min(1),
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

/** The message as text, or undefined where it would not fit and needs a claim. */
export function encodeMessage(message: AssetMessage): string | undefined {
  const text = JSON.stringify(message);
  return Buffer.byteLength(text) <= maxTextBytes ? text : undefined;
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
