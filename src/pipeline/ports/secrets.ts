import { createHash } from 'node:crypto';

/** The webhook secrets that count now; the first is the current one, which answers handshakes. */
export type WebhookSecrets = readonly [current: string, previous?: string];

/** A secret that changes while the app runs: the webhook secret, or the key to a source's own API. */
export type KeptSecret = 'secret' | 'api-key';

/** What is kept of a source: its secrets that change, and beside them the id of the account that they belong to. */
export type StoredValue = KeptSecret | 'account-id';

/** Where a source's secrets come from: settings and a local file, or a vault. */
export interface Secrets {
  /** Undefined: there is none (yet), or the store cannot be read and nothing is remembered. Never throws. */
  webhookSecrets(source: string): Promise<WebhookSecrets | undefined>;
  /** Looks at the store anew, in a look that begins after this call. Throws where the store cannot be read. */
  refresh(source: string): Promise<void>;
  password(source: string): Promise<string | undefined>;
  totpSeed(source: string): Promise<string | undefined>;
  apiKey(source: string): Promise<string | undefined>;
  /** Whose keys these are at the source's own service; no setting gives it. */
  accountId(source: string): Promise<string | undefined>;
  /** Keeps a new value as the current one; a webhook secret's predecessor still counts for a while. Throws where it could not be kept. */
  keep(source: string, which: StoredValue, value: string): Promise<void>;
  /**
   * Keeps a value that was offered as the current one, after `begin`, which may throw, and which is left out where it is
   * the current one already. Throws where it is not certain that it was kept.
   */
  take(source: string, which: KeptSecret, value: string, limits: TakeLimits): Promise<void>;
  /**
   * Makes an offered value, known by its digest, count no more, as if it had never come. By what `take` finds it again,
   * where it is still there. Throws where it is not certain that it counts no more.
   */
  withdraw(source: string, which: KeptSecret, digest: string): Promise<string | undefined>;
}

export interface TakeLimits {
  /** Nothing is written once it is aborted. */
  readonly signal: AbortSignal;
  /** The value is there already, and was withdrawn. */
  readonly withdrawn?: string | undefined;
  /** Called right before something is written. */
  begin(this: void): Promise<void>;
}

/** By which a value is known where the value itself has no business. */
export function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** What may be asked with: random enough that no answer is of use to another question. */
export const proofNonce = /^[A-Za-z0-9_-]{22,64}$/;

/** Shows that somebody holds a secret, without the secret; undefined where it is too short for that. */
export type SecretProof = (secret: string, about: { source: string; nonce: string }) => string | undefined;
