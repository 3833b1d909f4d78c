/** A source's secrets as settings give them; a vault, where there is one, takes their place. */
export interface SourceSecretSettings {
  readonly secret?: string | undefined;
  readonly secretPrevious?: string | undefined;
  readonly password?: string | undefined;
  readonly totpSeed?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** What every configured source has; each kind adds what its own settings give. */
export interface SourceConfig {
  readonly name: string;
  readonly kind: string;
  /** Base URL of the system's API, without a trailing slash; empty where there is none, of a kind that is never asked. */
  readonly url: string;
  readonly username: string | undefined;
  readonly maxCallsAtOnce: number;
  /** 0 is no limit. */
  readonly maxCallsPerSecond: number;
  readonly secrets: SourceSecretSettings;
  /** Undefined where this kind has no list of changes. */
  readonly catchUp?: CatchUpSettings;
}

/** How missed calls are looked for. */
export interface CatchUpSettings {
  /** Whether the timer does it. */
  readonly isOn: boolean;
  /** From when the first look goes, in milliseconds since 1970; from now where that is not said. */
  readonly from: number | undefined;
}

/** What a source may be called. */
export const sourceName = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** `archive-2` is set by `SOURCE_ARCHIVE_2_…`. */
export function prefixOf(name: string): string {
  return `SOURCE_${name.toUpperCase().replaceAll('-', '_')}_`;
}
