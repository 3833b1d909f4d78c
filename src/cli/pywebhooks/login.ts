import { prefixOf } from '../../pipeline/ports/source-config.ts';
import type { PyWebhooks } from '../../sources/pywebhooks/manage/account.ts';
import { accountOf } from '../../sources/pywebhooks/manage/of-source.ts';
import type { PyWebhooksSource } from '../../sources/pywebhooks/settings.ts';
import { UsageError } from '../faults.ts';
import { manageDeps, readSetup, sourceOf, type Setup } from '../setup.ts';
import { lineFromInput } from '../terminal.ts';
import { typed } from '../typed.ts';

/** What every `pywebhooks` command takes. */
export interface Login {
  readonly source?: string;
  readonly apiKeyStdin?: true;
}

export interface CommandContext {
  readonly setup: Setup;
  readonly source: PyWebhooksSource;
  readonly service: PyWebhooks;
}

/** Asks as the account of the source. Throws a UsageError where nothing says as whom, or there is no key. */
export async function contextAsAccount(login: Login): Promise<CommandContext> {
  const { setup, source } = await contextByName(login);
  const apiKey = login.apiKeyStdin === undefined ? undefined : await lineFromInput('The API key');
  if (apiKey === undefined && (await setup.secrets.apiKey(source.name)) === undefined) {
    throw new UsageError(
      `There is no API key for ${source.name}: make an account with "${typed('pywebhooks account create', source.name)}", set the key in the vault or the settings, or give it with --api-key-stdin.`,
    );
  }
  return { setup, source, service: accountOf({ ...manageDeps(setup, source), apiKey }) };
}

/** As `contextAsAccount`, for what the name alone is enough for. */
export async function contextByName({ source: name }: Login): Promise<CommandContext> {
  const setup = await readSetup();
  const source = sourceOf(setup, 'pywebhooks', name);
  if (source.username === undefined)
    throw new UsageError(`As whom? Set ${prefixOf(source.name)}USERNAME to the name of the account.`);
  return { setup, source, service: accountOf(manageDeps(setup, source)) };
}
