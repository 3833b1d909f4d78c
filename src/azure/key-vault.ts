import type { SecretClient } from '@azure/keyvault-secrets';
import type { Config } from '../config.ts';
import { azureCredential } from './credential.ts';
import { once } from './storage-clients.ts';
import { storageFault } from './storage-errors.ts';
import type { SecretStore, SecretVersion } from './vault-secrets.ts';

// One look may take so long; whoever waits for it has a deadline of their own.
const lookMs = 10_000;

/** The versions of a secret as Key Vault has them. The SDK is loaded at the first look. */
export function keyVault(
  url: string,
  identity: Pick<Config, 'managedIdentity' | 'clientId'>,
  clock: { now(): number },
): SecretStore {
  const vault = once(async (): Promise<SecretClient> => {
    const { SecretClient: Client } = await import('@azure/keyvault-secrets');
    return new Client(url, await azureCredential(identity), {
      retryOptions: { maxRetries: 1, retryDelayInMs: 200 },
    });
  });
  return {
    async newest(name, count): Promise<SecretVersion[]> {
      const client = await vault();
      const abortSignal = AbortSignal.timeout(lookMs);
      const usable: { version: string; createdAt: number }[] = [];
      try {
        for await (const {
          enabled,
          notBefore,
          expiresOn,
          createdOn,
          version,
        } of client.listPropertiesOfSecretVersions(name, { abortSignal })) {
          const valid =
            (notBefore?.getTime() ?? 0) <= clock.now() && clock.now() < (expiresOn?.getTime() ?? Infinity);
          if (enabled !== false && valid && version !== undefined) {
            usable.push({ version, createdAt: createdOn?.getTime() ?? 0 });
          }
        }
      } catch (error) {
        if (storageFault(error).status === 404) return [];
        throw error;
      }
      const newest = usable.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, count);
      return await Promise.all(
        newest.map(async ({ version, createdAt }) => {
          const { value = '' } = await client.getSecret(name, { version, abortSignal });
          return { value, createdAt };
        }),
      );
    },
    async add(name, value) {
      const client = await vault();
      await client.setSecret(name, value, { abortSignal: AbortSignal.timeout(lookMs) });
    },
  };
}
