import type { KeptSecret } from './secrets.ts';

/** A time in which the operator is changing one of a source's secrets. */
export interface OpenWindow {
  readonly which: KeptSecret;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** The first key that was offered in it; a window is for no other. */
  readonly offer?: Offer | undefined;
}

/** A key that was offered in a window, and how far it came. */
export interface Offer {
  /** The key's SHA-256, in hex. */
  readonly digest: string;
  /**
   * `claimed`: nothing was written yet. `writing`: it may be in the store. `refused`: it was offered, and counts for nothing.
   * `taken`: it counts, and that ended the window.
   */
  readonly state: 'claimed' | 'writing' | 'refused' | 'taken';
  /** Whoever is at it: only they, or whoever takes over from them, move it on. */
  readonly claim: string;
  /** When it came so far, in milliseconds since 1970. */
  readonly at: number;
  /** The version of it in the vault that was withdrawn. */
  readonly withdrawn?: string | undefined;
}

/** A window as it was read; `version` is another after each change. */
export type StoredWindow = OpenWindow & { readonly version: string };

/** The windows that the operator opened, known to all instances. All of it may throw a StorageError. */
export interface Windows {
  /** Every window of a source, ended ones included. */
  read(source: string, signal?: AbortSignal): Promise<StoredWindow[]>;
  /**
   * Puts a window in the place of the one of that version, or where there is none if that is undefined. Its new version;
   * undefined where another one is there.
   */
  replace(
    source: string,
    window: OpenWindow,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>;
}

/** Which window is meant. */
export interface WindowName {
  readonly source: string;
  readonly which: KeptSecret;
}

/** What an operator wants of a window: open until then, or ended where that is past. */
export interface NewWindow extends WindowName {
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Takes back the key that was taken in it. */
  readonly withdraw: boolean;
}

/** What became of a key that somebody offered: it counts, it counts for nothing, or for nothing yet: it may be offered again. */
export type OfferOutcome = { kind: 'taken' } | { kind: 'refused' } | { kind: 'not-kept'; error: string };

/** Takes a key, or refuses it. `signal` ends it: a key that is not taken by then is withdrawn. Never throws. */
export type OfferSecret = (
  offer: { readonly which: WindowName['which']; readonly value: string },
  limits: { readonly leftMs: () => number; readonly signal: AbortSignal },
) => Promise<OfferOutcome>;
