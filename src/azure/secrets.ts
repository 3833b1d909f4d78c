import type { SourcesConfig } from '../config.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import { keyVault } from './key-vault.ts';
import { localSecrets } from '../secrets/local-secrets.ts';
import { vaultSecrets } from '../secrets/vault-secrets.ts';

/** The secrets of all sources: from the vault where one is set, else from settings and the local secrets file. */
export function createSecrets(config: SourcesConfig, deps: { now(): number; log: Log }): Secrets {
  const { keyVaultUrl } = config;
  if (keyVaultUrl === undefined) {
    const { sources, localSecretsFile, secretOverlapMs } = config;
    return localSecrets(sources, {
      file: localSecretsFile,
      overlapMs: secretOverlapMs,
      log: deps.log,
      now: () => deps.now(),
    });
  }
  return vaultSecrets(keyVault(keyVaultUrl, config, deps), {
    ...deps,
    sources: [...config.sources.keys()],
    overlapMs: config.secretOverlapMs,
  });
}
