import type { Clock } from '../pipeline/ports/clock.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { SecretStore } from '../pipeline/ports/secret-store.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import { localSecrets } from './local-secrets.ts';
import { vaultSecrets } from './vault-secrets.ts';

/** The secrets of all sources: from the vault where there is one, else from settings and the local secrets file. */
export function createSecrets(
  config: {
    readonly sources: ReadonlyMap<string, SourceConfig>;
    readonly localSecretsFile: string | undefined;
    readonly secretOverlapMs: number;
  },
  { vault, ...deps }: { vault: SecretStore | undefined; log: Log } & Clock,
): Secrets {
  const { sources, localSecretsFile: file, secretOverlapMs: overlapMs } = config;
  return vault === undefined
    ? localSecrets(sources, { ...deps, file, overlapMs })
    : vaultSecrets(vault, { ...deps, sources: [...sources.keys()], overlapMs });
}
