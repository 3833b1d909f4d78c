import type { ActionConfig } from '../pipeline/ports/action.ts';
import type { SecretStore } from '../pipeline/ports/secret-store.ts';
import { CachedSecret, type CachedSecretDeps } from './vault-secrets.ts';

/** Gives the values of an action's secret that count now, the newest first. Never throws. */
export type ActionSecrets = (action: ActionConfig, secret: string) => Promise<readonly string[]>;

/** The secrets of actions: from the vault where there is one (`action-<name>-<secret>`), else from settings. */
export function actionSecrets(
  vault: SecretStore | undefined,
  { overlapMs, ...deps }: CachedSecretDeps & { readonly overlapMs: number },
): ActionSecrets {
  if (vault === undefined) return async ({ secrets }, secret) => secrets.get(secret) ?? [];
  const cache = new Map<string, CachedSecret>();
  return async ({ name: action }, secret) => {
    const name = `action-${action}-${secret}`;
    const cached = cache.get(name) ?? new CachedSecret(name, 2, vault, deps);
    cache.set(name, cached);
    const [current, previous] = await cached.read();
    if (current === undefined) return [];
    const overlaps = previous !== undefined && deps.now() < current.createdAt + overlapMs;
    return overlaps ? [current.value, previous.value] : [current.value];
  };
}
