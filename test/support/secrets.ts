import type { Secrets } from '../../src/pipeline/ports/secrets.ts';

/** Secrets of a source that has none, but for what is given. */
export function secretsWith(given: Partial<Secrets> = {}): Secrets {
  return {
    webhookSecrets: async () => undefined,
    refresh: async () => undefined,
    password: async () => undefined,
    totpSeed: async () => undefined,
    apiKey: async () => undefined,
    accountId: async () => undefined,
    keep: async () => undefined,
    take: async (_source, _which, _value, { begin }) => await begin(),
    withdraw: async () => undefined,
    ...given,
  };
}
