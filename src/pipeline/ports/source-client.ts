import type { AssetEvent } from '../model/event.ts';
import type { AssetDetails } from '../model/record.ts';
import type { Permit } from './permit.ts';

/** What we ask a source for. */
export interface WantedAsset {
  readonly kind: 'asset' | 'folder';
  /** Checked: an id that this source could have made. */
  readonly id: string;
}

/** What brought us to ask, and what else is known of the asset. */
export interface FetchContext {
  readonly event: AssetEvent;
  /** An event that occurred after this one has been seen. */
  readonly laterEventKnown: boolean;
  /** An event has said that the asset is gone, and none that occurred after it has been seen. */
  readonly removed: boolean;
}

/** The picture as it came; what it really is, is read from its bytes later. */
export type FoundThumbnail =
  { kind: 'bytes'; bytes: Uint8Array } | { kind: 'none' } | { kind: 'pending' } | { kind: 'too-large' };

/** What became of a look-up: everything that can be expected is a value, with a sentence for people where it is no success. */
export type FetchResult =
  | {
      kind: 'found';
      details: AssetDetails;
      thumbnail: FoundThumbnail;
      /** Why what was found is older than the event, where it seems to be. */
      behind?: string;
      /** Why parts are missing that the source may give later; `details` says which. */
      unfinished?: AgainResult;
    }
  /** The source itself says that it is deleted; `details` is what it still tells, which counts only where nothing is known if it may be old. */
  | { kind: 'deleted'; details: AssetDetails; detailsMayBeOld?: true }
  | { kind: 'not-found'; text: string }
  /** Not there for us to see, which may change by itself. */
  | { kind: 'not-visible'; text: string }
  | { kind: 'no-permission'; text: string }
  /** An answer that no retry will make readable: a DTD, too large, not the shape. */
  | { kind: 'unreadable-answer'; text: string }
  | AgainResult;

/** The source could not answer now. */
export interface AgainResult {
  readonly kind: 'again';
  readonly code: 'source-unavailable' | 'rate-limited' | 'login-refused';
  readonly text: string;
  /** What the source asked for, from now; not yet capped. */
  readonly retryAfterMs?: number;
}

/** A part of the source's own list of what changed. Times are milliseconds since 1970. */
export interface WantedChanges {
  readonly from: number;
  readonly to: number;
  /** Where the list goes on, from 0. */
  readonly start: number;
}

export interface ChangedAsset extends WantedAsset {
  /** When it changed, where the list tells that. ISO 8601. */
  readonly changedAt?: string;
}

export type ChangesResult =
  /** `next` is where the list goes on; null at its end. */
  | { kind: 'page'; assets: readonly ChangedAsset[]; next: number | null }
  /** The source lists so many at most, or this list is not to be trusted: ask for a shorter time. */
  | { kind: 'too-many' }
  /** What it answers, or its refusal, makes no list. */
  | { kind: 'no-list'; text: string }
  | AgainResult;

/** The side of a source that we ask. */
export interface SourceClient {
  /**
   * Fetches details and thumbnail. Every HTTP call goes through `permit`. Never throws for what the source does;
   * when `signal` aborts, the fetchResult is `again`.
   */
  fetchAsset(
    asset: WantedAsset,
    permit: Permit,
    signal: AbortSignal,
    context: FetchContext,
  ): Promise<FetchResult>;

  /** Lists what changed at the source, as `fetchAsset` asks; absent where the source has no such list. */
  listChanges?(wanted: WantedChanges, permit: Permit, signal: AbortSignal): Promise<ChangesResult>;
}
