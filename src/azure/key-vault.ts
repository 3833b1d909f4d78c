import * as z from 'zod';
import type { Clock } from '../pipeline/ports/clock.ts';
import type { KeyVaultSecret, SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { azureCredential } from './credential.ts';
import { once } from './storage-clients.ts';
import { storageFault } from './storage-errors.ts';
import type { SecretStore, SecretVersion } from '../pipeline/ports/secret-store.ts';

// One look may take so long; whoever waits for it has a deadline of their own.
const lookMs = 10_000;
// A vault gives at most 25 versions at a time, one page after the other and in no order.
const listingMs = 60_000;
const offeredTag = 'asset-webhooks-offered';

type Listed = Pick<SecretVersion, 'id' | 'createdAt'>;

interface Predecessor {
  /** The version that it came before. */
  readonly of: string;
  /** Undefined where there is none. */
  readonly id: string | undefined;
}

interface Identity {
  readonly managedIdentity: boolean;
  readonly clientId: string | undefined;
}

/** The vault that the settings name; undefined where they name none. */
export function configuredVault(
  { keyVaultUrl, ...identity }: Identity & { readonly keyVaultUrl: string | undefined },
  clock: Clock,
): SecretStore | undefined {
  return keyVaultUrl === undefined ? undefined : keyVault(keyVaultUrl, identity, clock);
}

/** The versions of a secret as Key Vault has them. The SDK is loaded at the first look. */
export function keyVault(url: string, identity: Identity, clock: Clock): SecretStore {
  const client = async (maxRetries: number): Promise<SecretClient> => {
    const { SecretClient: Client } = await import('@azure/keyvault-secrets');
    return new Client(url, await azureCredential(identity), {
      retryOptions: { maxRetries, retryDelayInMs: 200 },
    });
  };
  const reader = once(async () => await client(1));
  // A write that is tried twice could make two versions.
  const writer = once(async () => await client(0));
  const predecessors = new Map<string, Predecessor>();
  const listings = new Map<string, Promise<string | undefined>>();

  const counts = ({ enabled, notBefore, expiresOn }: SecretProperties): boolean =>
    enabled !== false &&
    (notBefore?.getTime() ?? 0) <= clock.now() &&
    clock.now() < (expiresOn?.getTime() ?? Infinity);

  /** The version with that id, or the newest of all; undefined where it does not count. */
  const versionOf = async (
    name: string,
    abortSignal: AbortSignal,
    version?: string,
  ): Promise<SecretVersion | undefined> => {
    const vault = await reader();
    try {
      const secret = await vault.getSecret(name, {
        ...(version === undefined ? {} : { version }),
        abortSignal,
      });
      return counts(secret.properties) ? asVersion(secret) : undefined;
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  };

  /** All versions that count, newest first. */
  const list = async (name: string, abortSignal: AbortSignal): Promise<Listed[]> => {
    const vault = await reader();
    const found: Listed[] = [];
    try {
      for await (const properties of vault.listPropertiesOfSecretVersions(name, { abortSignal })) {
        const { version, createdOn } = properties;
        if (version === undefined || !counts(properties)) continue;
        found.push({ id: version, createdAt: createdOn?.getTime() ?? 0 });
      }
    } catch (error) {
      if (storageFault(error).status === 404) return [];
      throw error;
    }
    return found.toSorted((a, b) => b.createdAt - a.createdAt);
  };

  /** The id of the newest version before that one. All who look meanwhile share one listing, which goes on without them. */
  const listPredecessor = async (
    name: string,
    { id: of, createdAt }: Listed,
  ): Promise<string | undefined> => {
    const key = `${name}/${of}`;
    const running =
      listings.get(key) ??
      list(name, AbortSignal.timeout(listingMs))
        .then((versions) => {
          const id = versions.find((each) => each.id !== of && each.createdAt <= createdAt)?.id;
          predecessors.set(name, { of, id });
          return id;
        })
        .finally(() => listings.delete(key));
    listings.set(key, running);
    return await running;
  };

  /** The version that counts beside its successor. What stood before a version stays the same, so it is listed once. */
  const predecessorOf = async (
    name: string,
    successor: SecretVersion,
    abortSignal: AbortSignal,
  ): Promise<SecretVersion | undefined> => {
    const remembered = predecessors.get(name);
    if (remembered?.of === successor.id) {
      if (remembered.id === undefined) return undefined;
      const version = await versionOf(name, abortSignal, remembered.id);
      if (version !== undefined) return version;
    }
    const id = await unlessAborted(listPredecessor(name, successor), abortSignal);
    return id === undefined ? undefined : await versionOf(name, abortSignal, id);
  };

  return {
    async newest(name, count, { signal, onFirst } = {}) {
      const abortSignal = withinLook(signal);
      const first = await versionOf(name, abortSignal);
      if (first === undefined) {
        const listed = (await list(name, abortSignal)).slice(0, count);
        const versions = listed.map(async ({ id }) => await versionOf(name, abortSignal, id));
        return (await Promise.all(versions)).filter((version) => version !== undefined);
      }
      onFirst?.(first);
      const second = count === 1 ? undefined : await predecessorOf(name, first, abortSignal);
      return second === undefined ? [first] : [first, second];
    },
    async add(name, value, { signal, isOffered } = {}) {
      const vault = await writer();
      await vault.setSecret(name, value, {
        abortSignal: withinLook(signal),
        ...(isOffered === true ? { tags: { [offeredTag]: 'yes' } } : {}),
      });
    },
    async withdraw(name, id) {
      const abortSignal = AbortSignal.timeout(lookMs);
      const vault = await writer();
      const { properties } = await vault.getSecret(name, { version: id, abortSignal });
      if (properties.tags?.[offeredTag] !== 'yes') return false;
      await vault.updateSecretProperties(name, id, { enabled: false, abortSignal });
      return true;
    },
    async restore(name, id, { signal } = {}) {
      const vault = await writer();
      const abortSignal = withinLook(signal);
      await vault.updateSecretProperties(name, id, { enabled: true, abortSignal });
    },
  };
}

function asVersion({ value = '', properties }: KeyVaultSecret): SecretVersion {
  const { version: id = '', createdOn, tags } = properties;
  const isOffered = tags?.[offeredTag] === 'yes';
  return { id, value, createdAt: createdOn?.getTime() ?? 0, ...(isOffered ? { isOffered } : {}) };
}

function withinLook(signal: AbortSignal | undefined): AbortSignal {
  const timeUp = AbortSignal.timeout(lookMs);
  return signal === undefined ? timeUp : AbortSignal.any([signal, timeUp]);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const Refusal = z.object({
  details: z.object({ error: z.object({ innerError: z.object({ code: z.string() }) }) }),
});

/** True where there is no such version, or none that may be used: a vault answers 403 for one that is disabled or not valid yet. */
function isNotThere(error: unknown): boolean {
  const { status } = storageFault(error);
  if (status !== 403) return status === 404;
  const why = Refusal.safeParse(error).data?.details.error.innerError.code ?? '';
  // Whoever may not ask, or not from here, learns nothing of what is there.
  return !/^(?:ForbiddenBy|AccessDenied)/.test(why);
}
