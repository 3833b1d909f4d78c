import type { Clock } from '../pipeline/ports/clock.ts';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { StoredValue, Secrets, WebhookSecrets } from '../pipeline/ports/secrets.ts';
import { secretsFile, type KeptVersions } from './secrets-file.ts';
import { withoutSharedSecrets } from './without-shared-secrets.ts';

/**
 * Secrets without a vault: as the settings give them, and, where one was changed since, as the local secrets file has
 * them. A setting that was changed after that counts again. Without a `file` nothing can be changed.
 */
export function localSecrets(
  sources: ReadonlyMap<string, Pick<SourceConfig, 'secrets'>>,
  deps: { file: string | undefined; overlapMs: number; log: Log } & Clock,
): Secrets {
  const file = deps.file === undefined ? undefined : secretsFile(deps.file);
  const settingsOf = (source: string): SourceConfig['secrets'] | undefined => sources.get(source)?.secrets;
  const settingOf = (source: string, which: StoredValue): string | undefined => {
    const { secret, apiKey } = settingsOf(source) ?? {};
    return { secret, 'api-key': apiKey, 'account-id': undefined }[which];
  };
  const kept = async (source: string, which: StoredValue): Promise<KeptVersions | undefined> =>
    await file?.read(nameOf(source, which), settingOf(source, which));

  const counting = async (source: string): Promise<string[]> => {
    const { secret, secretPrevious } = settingsOf(source) ?? {};
    const later = await kept(source, 'secret');
    const overlaps = later === undefined || deps.now() < later.keptAt + deps.overlapMs;
    const [current, previous] =
      later === undefined ? [secret, secretPrevious] : [later.current, later.previous];
    if (current === undefined) return [];
    return overlaps && previous !== undefined ? [current, previous] : [current];
  };

  const keeper = (): NonNullable<typeof file> => {
    if (file !== undefined) return file;
    throw new Error('What changes while the app runs cannot be kept here without a vault (KEY_VAULT_URL).');
  };

  return {
    async webhookSecrets(source): Promise<WebhookSecrets | undefined> {
      const known = [...sources.keys()].map(async (name) => [name, await counting(name)] as const);
      return withoutSharedSecrets(source, new Map(await Promise.all(known)), deps.log);
    },
    refresh: async () => await file?.reread(),
    password: async (source) => settingsOf(source)?.password,
    totpSeed: async (source) => settingsOf(source)?.totpSeed,
    apiKey: async (source) => (await kept(source, 'api-key'))?.current ?? settingOf(source, 'api-key'),
    accountId: async (source) => (await kept(source, 'account-id'))?.current,
    keep: async (source, which, value) => {
      await keeper().add(nameOf(source, which), settingOf(source, which), { value, keptAt: deps.now() });
    },
    take: async (source, which, value, limits) => {
      const entry = { value, keptAt: deps.now() };
      await keeper().add(nameOf(source, which), settingOf(source, which), entry, limits);
    },
    withdraw: async (source, which, digest) => {
      await keeper().withdraw(nameOf(source, which), digest);
      return undefined;
    },
  };
}

function nameOf(source: string, which: StoredValue): string {
  return `source-${source}-${which}`;
}
