import { setTimeout as delay } from 'node:timers/promises';
import type { AssetsWebhook } from '../../sources/woodwing/manage/webhooks.ts';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import { errorName } from '../error-name.ts';
import { RefusedError } from '../faults.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { samePlace } from '../../sources/same-place.ts';

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
  setup: Pick<Setup, 'config' | 'secrets'>,
  { name }: Pick<SourceConfig, 'name'>,
): Promise<TokenStore> {
  const { config, secrets } = setup;
  const inVault = config.keyVaultUrl !== undefined;
  const where = `${placeOfSecrets(setup)}${inVault ? `, as source-${name}-secret` : ''}`;
  let nextAt = 0;
  const unless = async (what: string, work: Promise<void>): Promise<void> =>
    await work.catch((error: unknown) => {
      throw new RefusedError(`The token cannot be ${what} ${where} (${errorName(error)}).`);
    });
  await unless('kept: nothing can be read from', secrets.refresh(name));
  return {
    where,
    current: (await secrets.webhookSecrets(name))?.[0],
    async keep(token) {
      await delay(Math.max(0, nextAt - performance.now()));
      await unless('kept in', secrets.keep(name, 'secret', token));
      // Which of its versions is the newer one a vault tells by the second in which they were made.
      if (inVault) nextAt = performance.now() + 1_100;
    },
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
  const owner = all.find(({ secretToken }) => current !== undefined && secretToken === current);
  if (owner !== undefined) return [owner];
  const addresses = [webhookUrl(setup, source), url].filter((address) => address !== undefined);
  return all.filter((webhook) => addresses.some((address) => samePlace(webhook.url, address)));
}
