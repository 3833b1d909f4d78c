import type { SourceConfig } from '../config.ts';
import type { Secrets } from '../pipeline/secrets.ts';

/** Secrets as the settings give them; they change only with a new start. */
export function settingsSecrets(sources: ReadonlyMap<string, Pick<SourceConfig, 'secrets'>>): Secrets {
  const of = (source: string): SourceConfig['secrets'] | undefined => sources.get(source)?.secrets;
  return {
    async webhookSecrets(source) {
      const { secret, secretPrevious } = of(source) ?? {};
      if (secret === undefined) return undefined;
      return secretPrevious === undefined ? [secret] : [secret, secretPrevious];
    },
    lookAgain: async () => false,
    password: async (source) => of(source)?.password,
    totpSeed: async (source) => of(source)?.totpSeed,
  };
}
