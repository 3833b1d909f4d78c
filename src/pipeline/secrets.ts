/** The webhook secrets that count now; the first is the current one, which answers handshakes. */
export type WebhookSecrets = readonly [current: string, previous?: string];

/** Where a source's secrets come from: settings, or a vault. All may throw nothing and answer undefined instead. */
export interface Secrets {
  /** Undefined: there is none (yet), or the store cannot be read and nothing is remembered. */
  webhookSecrets(source: string): Promise<WebhookSecrets | undefined>;
  /**
   * To be called when a well-formed signature fits no secret: looks at the store again, if it may (rate limited).
   * True when that look found other secrets than before, so that the check is worth repeating.
   */
  lookAgain(source: string): Promise<boolean>;
  password(source: string): Promise<string | undefined>;
  totpSeed(source: string): Promise<string | undefined>;
}
