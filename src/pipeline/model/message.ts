import * as z from 'zod';
import { JobMessage } from './job.ts';
import { AssetEvent, carrying, EventId, type Events } from './event.ts';

/** Where the events of a message stand when they do not fit into it: a blob with the delivery's bytes, and which of its events. */
export const ClaimCheck = carrying({
  blob: z.string().min(1).max(1024),
  from: z.int().min(0),
  /** One past the last. */
  to: z.int().min(1),
  /** Of a claim to one event: the id that it goes by, and its asset, so that its row is found without the bytes. */
  eventId: EventId.optional(),
  assetId: z.string().max(1024).optional(),
});
export type ClaimCheck = z.infer<typeof ClaimCheck>;

/** What a claim to one event carries of it, so that its row is found should the bytes be gone. */
export function claimedAs(event: AssetEvent | undefined): Pick<ClaimCheck, 'eventId' | 'assetId'> {
  // Whether it is the same as another one, and goes by that one's id, is not known yet.
  if (event === undefined || event.dedupe !== undefined) return {};
  return { eventId: event.id, ...(event.assetId === undefined ? {} : { assetId: event.assetId }) };
}

const common = {
  v: z.literal(1),
  deliveryId: z.string().min(1).max(128),
  source: z.string().regex(/^[a-z0-9-]{1,64}$/),
  receivedAt: z.iso.datetime(),
  traceparent: z.string().max(128).nullish(),
  /** 0 for the first try. */
  attempt: z.int().min(0),
  replayId: z.string().max(128).nullable(),
  /** When somebody asked for the replay. */
  replayedAt: z.iso.datetime().optional(),
  /** How often our own storage kept it from being handled. */
  stumbles: z.int().min(0).optional(),
  /** Those who put it back and may have left their lease on its event. */
  leaseOwners: z.array(z.string().max(128)).max(8).optional(),
  /** Why its event waits, by the ledger, until its source is asked for anything again. */
  waitingFor: z.string().max(128).optional(),
  /** When it was put back to wait for a version or a setting that knows what it holds. */
  putBackAt: z.string().optional(),
  /** It was given up on once as a part of a larger message. */
  fromPoison: z.literal(true).optional(),
};

/** A queue message, version 1: events of one delivery, or a claim in their place. */
export const AssetMessage = z.union([
  carrying({ ...common, events: z.array(AssetEvent).min(1), claim: z.undefined().optional() }),
  carrying({ ...common, claim: ClaimCheck, events: z.undefined().optional() }),
]);
export type AssetMessage = z.infer<typeof AssetMessage>;

/** What a message says of itself beside its events. */
export type MessageHead = Omit<AssetMessage, 'events' | 'claim'>;

// 64 KiB is what Storage Queue takes, after base64.
export const maxTextBytes = 49_152;
// A message grows on its way, by the number of its tries or by a mark; a first one leaves room for that.
const roomToGrow = 512;

// The id alone, and the names of what an event always has, are longer than 96 bytes.
const mostEvents = maxTextBytes / 96;

/** All events as one message, or undefined where they would not fit and need a claim. Makes no more of them than what fits. */
export function encodeAll(head: MessageHead, events: Events): string | undefined {
  return events.length > mostEvents
    ? undefined
    : encodeMessage({ ...head, events: events.slice(0, events.length) });
}

/** A message as text, and how many events it holds. */
export interface MessageText {
  readonly text: string;
  readonly count: number;
}

/** Events in as few messages as hold them, in their order; the index alone where one is too large for any. */
export function* encodeParts(
  head: MessageHead,
  events: readonly AssetEvent[],
): Generator<MessageText | number> {
  const room = roomFor(head);
  let pieces: string[] = [];
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    const piece = JSON.stringify(event);
    const size = Buffer.byteLength(piece) + 1;
    if (pieces.length > 0 && bytes + size > room) {
      yield { text: joined(head, pieces), count: pieces.length };
      pieces = [];
      bytes = 0;
    }
    if (size > room) {
      yield index;
    } else {
      pieces.push(piece);
      bytes += size;
    }
  }
  if (pieces.length > 0) yield { text: joined(head, pieces), count: pieces.length };
}

/** The message as text, or undefined where it would not fit and needs a claim. Writes out no more than what fits. */
export function encodeMessage({ events, claim, ...head }: AssetMessage): string | undefined {
  if (claim !== undefined) return JSON.stringify({ ...head, claim });
  let room = roomFor(head);
  const pieces: string[] = [];
  for (const event of events) {
    const piece = JSON.stringify(event);
    room -= Buffer.byteLength(piece) + 1;
    // One event can hold as much as its whole delivery: a thousand of them must not be written out to be counted.
    if (room < 0) return undefined;
    pieces.push(piece);
  }
  return joined(head, pieces);
}

function roomFor(head: MessageHead): number {
  const isFirst = head.attempt === 0 && head.stumbles === undefined && head.leaseOwners === undefined;
  const most = isFirst ? maxTextBytes - roomToGrow : maxTextBytes;
  return most - Buffer.byteLength(joined(head, []));
}

function joined(head: MessageHead, pieces: readonly string[]): string {
  return `${JSON.stringify(head).slice(0, -1)},"events":[${pieces.join(',')}]}`;
}

const several = '{"v":2,"deliveries":[';

/** The first of some messages in one text, as many as fit; version 2 where that is more than one. */
export function joinMessages(texts: readonly string[]): { text: string; count: number } {
  let bytes = several.length + roomToGrow;
  let count = 0;
  for (const text of texts) {
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > maxTextBytes && count > 0) break;
    count += 1;
  }
  const [only = ''] = texts;
  return { text: count === 1 ? only : `${several}${texts.slice(0, count).join(',')}]}`, count };
}

/** How a queue message came: `item` is what the platform made of its text. */
export interface Arrival {
  readonly item: unknown;
  /** The queue's id of the message. */
  readonly messageId: string;
  /** The trace of the platform's own call of us. */
  readonly traceparent?: string | undefined;
}

export type DecodedMessage =
  | { kind: 'message'; message: AssetMessage }
  /** Several deliveries that shared one write. */
  | { kind: 'deliveries'; deliveries: readonly unknown[] }
  | { kind: 'job'; message: JobMessage }
  /** From a later version of this app, met during a rolling deployment. */
  | { kind: 'later-version'; members: Readonly<Record<string, unknown>> }
  | { kind: 'unknown' };

/** Reads what the platform made of a message's text: parsed JSON, or the text where it is none. Never throws. */
export function decodeMessage(item: unknown): DecodedMessage {
  const message = AssetMessage.safeParse(item);
  if (message.success) return { kind: 'message', message: message.data };
  const grouped = z
    .object({ v: z.literal(2), deliveries: z.array(z.looseObject({})).min(1) })
    .safeParse(item);
  if (grouped.success) {
    const deliveries = grouped.data.deliveries.map((delivery) => ({ v: 1, ...delivery }));
    return { kind: 'deliveries', deliveries };
  }
  const job = JobMessage.safeParse(item);
  if (job.success) return { kind: 'job', message: job.data };
  const later = z.looseObject({ v: z.int().min(2) }).safeParse(item);
  return later.success ? { kind: 'later-version', members: later.data } : { kind: 'unknown' };
}
