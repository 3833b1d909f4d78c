/** The webhook secrets that count now; the first is the current one, which answers handshakes. */
export type WebhookSecrets = readonly [current: string, previous?: string];

/** A secret that changes while the app runs: the webhook secret, or the key to a source's own API. */
export type KeptSecret = 'secret' | 'api-key';

/** Where a source's secrets come from: settings and a local file, or a vault. */
export interface Secrets {
  /** Undefined: there is none (yet), or the store cannot be read and nothing is remembered. Never throws. */
  webhookSecrets(source: string): Promise<WebhookSecrets | undefined>;
  /** Looks at the store anew, in a look that begins after this call. Throws where the store cannot be read. */
  lookAgain(source: string): Promise<void>;
  password(source: string): Promise<string | undefined>;
  totpSeed(source: string): Promise<string | undefined>;
  apiKey(source: string): Promise<string | undefined>;
  /** Keeps a new secret as the current one; a webhook secret's predecessor still counts for a while. Throws where it could not be kept. */
  keep(source: string, which: KeptSecret, value: string): Promise<void>;
}
