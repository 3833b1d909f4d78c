import type { Events } from '../model/event.ts';
import type { AssetEvent } from '../model/event.ts';
import type { RefusalCode } from '../model/refusals.ts';
import type { KeptSecret, WebhookSecrets } from './secrets.ts';

export type { Events };

/** What is known of a call before its body is read. Header names are lower case; a repeated header arrives joined by `, `. */
export interface CallHead {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
}

/** One call of a webhook, not yet proved. */
export interface Call extends CallHead {
  readonly body: Uint8Array;
}

/** What a reading of proved bytes needs to know beside them. */
export interface Receipt {
  readonly source: string;
  readonly deliveryId: string;
  readonly receivedAt: Date;
  /** What the call said of its event beside the body, unsigned. */
  readonly eventName?: string | undefined;
}

/** A body that holds nothing we could read. */
export interface UnreadableDelivery {
  readonly kind: 'unreadable';
  readonly why: 'not-json' | 'too-dense' | 'unknown-shape';
}

export type Reading = { kind: 'events'; events: Events } | UnreadableDelivery;

/** What a call turned out to be. Every `why` is a code for the log; no stranger ever sees it. */
export type Verdict = HeadVerdict | CallVerdict;

/** What its head alone can say of a call. */
export type HeadVerdict =
  | Exclude<CallVerdict, { kind: 'proved' }>
  /** A new secret, which nothing proves: it counts only while the operator expects one. */
  | { kind: 'secret-offered'; which: KeptSecret; value: string };

/** What a call is, seen whole. */
export type CallVerdict =
  | { kind: 'handshake'; answer: Readonly<Record<string, string>> }
  | { kind: 'proved'; secret: 'current' | 'previous' }
  | { kind: 'not-proved'; why: 'no-signature' | 'malformed-signature' | 'wrong-signature' }
  /** Nothing that could ever be answered. */
  | { kind: 'refused'; why: RefusalCode };

/** How one source is trusted and read. Pure: bytes in, verdict out. */
export interface Receiver {
  readonly methods: readonly ('GET' | 'POST')[];
  /** Answers what needs neither a secret nor the body; undefined for all else. Never throws. */
  verifyWithoutSecret(head: CallHead): HeadVerdict | undefined;
  /** The most bytes of a body that is not signed; undefined for a call that is. */
  unsignedBodyBytes?(head: CallHead): number | undefined;
  /** Says who it is from. Looks at the body as bytes only. Never throws. */
  verify(call: Call, secrets: WebhookSecrets): CallVerdict;
  /** What of the call's headers a reading needs; kept with the bytes. */
  eventName?(call: Call): string | undefined;
  /** Reads proved bytes. The same bytes give the same events with the same ids, every time, in time and memory in proportion to them. Never throws. */
  read(body: Uint8Array, receipt: Receipt): Reading;
  /** True for an event that says that a picture is there now; left out where no event does. */
  announcesThumbnail?(event: AssetEvent): boolean;
  /** The id in the one way we write it, or undefined where this source could not have made it. */
  assetId(text: string): string | undefined;
}
