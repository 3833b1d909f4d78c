import type { AssetsWebhook } from '../../sources/woodwing/webhooks.ts';
import type { SourceConfig } from '../../config.ts';
import { RefusedError } from '../faults.ts';
import { samePlace, webhookUrl, type Setup } from '../setup.ts';

/** Where the token of a source's webhook is kept, for the app and the command alike. */
export interface TokenStore {
  /** For people. */
  readonly where: string;
  readonly current: string | undefined;
  /** Keeps a token as the current one. Throws a RefusedError where it could not be kept. */
  keep(token: string): Promise<void>;
}

/** Throws a RefusedError where the store cannot be read: then nothing that needs it should be begun. */
export async function tokenStore(
  { config, secrets }: Setup,
  { name }: Pick<SourceConfig, 'name'>,
): Promise<TokenStore> {
  const where =
    config.keyVaultUrl === undefined
      ? `the local secrets file ${config.localSecretsFile}`
      : `the vault ${config.keyVaultUrl}, as source-${name}-secret`;
  const unless = async (what: string, work: Promise<void>): Promise<void> =>
    await work.catch((error: unknown) => {
      throw new RefusedError(`The token cannot be ${what} ${where} (${codeOf(error)}).`);
    });
  await unless('kept: nothing can be read from', secrets.lookAgain(name));
  return {
    where,
    current: (await secrets.webhookSecrets(name))?.[0],
    keep: async (token) => await unless('kept in', secrets.keep(name, 'secret', token)),
  };
}

/**
 * Which of these webhooks is the one of this source: a source has one token, so it is the one that has it. Where none
 * does, those that call an address of the source might be.
 */
export function webhooksOfSource(
  all: readonly AssetsWebhook[],
  { setup, source, url, current }: { setup: Setup; source: SourceConfig; url?: string; current?: string },
): AssetsWebhook[] {
  const holder = all.find(({ secretToken }) => current !== undefined && secretToken === current);
  if (holder !== undefined) return [holder];
  const addresses = [webhookUrl(setup, source), url].filter((address) => address !== undefined);
  return all.filter((webhook) => addresses.some((address) => samePlace(webhook.url, address)));
}

/** The word by which a system or a service names what went wrong; its text might hold what was kept. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Za-z0-9_.-]{1,60}$/.test(code) ? code : error.name;
}
