import { resolve } from 'node:path';
import type { Setup } from './setup.ts';

/** Where the secrets are kept that change while the app runs, for people. */
export function placeOfSecrets({ config }: Pick<Setup, 'config'>): string {
  return config.keyVaultUrl === undefined
    ? `the local secrets file ${resolve(config.localSecretsFile)}`
    : `the vault ${config.keyVaultUrl}`;
}
