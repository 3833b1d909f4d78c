import type { SourceConfig } from '../config.ts';
import type { Kept, Secrets, WebhookSecrets } from '../pipeline/secrets.ts';
import { secretsFile, type KeptVersions } from './secrets-file.ts';

/**
 * Secrets without a vault: as the settings give them, and, where one was changed since, as the local secrets file has
 * them. A setting that was changed after that counts again.
 */
export function localSecrets(
  sources: ReadonlyMap<string, Pick<SourceConfig, 'secrets'>>,
  deps: { file: string; overlapMs: number; now(): number },
): Secrets {
  const file = secretsFile(deps.file);
  const settingsOf = (source: string): SourceConfig['secrets'] | undefined => sources.get(source)?.secrets;
  const settingOf = (source: string, which: Kept): string | undefined => {
    const { secret, apiKey } = settingsOf(source) ?? {};
    return { secret, 'api-key': apiKey, 'account-id': undefined }[which];
  };
  const kept = async (source: string, which: Kept): Promise<KeptVersions | undefined> =>
    await file.read(nameOf(source, which), settingOf(source, which));

  return {
    async webhookSecrets(source): Promise<WebhookSecrets | undefined> {
      const { secret, secretPrevious } = settingsOf(source) ?? {};
      const later = await kept(source, 'secret');
      if (later !== undefined) {
        const overlaps = deps.now() < later.keptAt + deps.overlapMs;
        return overlaps && later.previous !== undefined ? [later.current, later.previous] : [later.current];
      }
      if (secret === undefined) return undefined;
      return secretPrevious === undefined ? [secret] : [secret, secretPrevious];
    },
    lookAgain: async () => await file.reread(),
    password: async (source) => settingsOf(source)?.password,
    totpSeed: async (source) => settingsOf(source)?.totpSeed,
    apiKey: async (source) => (await kept(source, 'api-key'))?.current ?? settingOf(source, 'api-key'),
    accountId: async (source) => (await kept(source, 'account-id'))?.current,
    keep: async (source, which, value) => {
      const setting = settingOf(source, which);
      await file.add(nameOf(source, which), setting, { value, keptAt: deps.now() });
    },
  };
}

function nameOf(source: string, which: Kept): string {
  return `source-${source}-${which}`;
}
