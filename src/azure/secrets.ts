import type { Config } from '../config.ts';
import type { Log } from '../pipeline/log.ts';
import type { Secrets } from '../pipeline/secrets.ts';
import { settingsSecrets } from './settings-secrets.ts';
import { keyVault } from './key-vault.ts';
import { vaultSecrets } from './vault-secrets.ts';

/** The secrets of all sources: from the vault where one is set, else from settings. */
export function createSecrets(config: Config, deps: { now(): number; log: Log }): Secrets {
  const { keyVaultUrl } = config;
  if (keyVaultUrl === undefined) return settingsSecrets(config.sources);
  return vaultSecrets(keyVault(keyVaultUrl, config, deps), {
    ...deps,
    sources: [...config.sources.keys()],
    overlapMs: config.secretOverlapMs,
  });
}
