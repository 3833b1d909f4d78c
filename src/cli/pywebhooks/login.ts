import { prefixOf, type SourceConfig } from '../../config.ts';
import {
  pywebhooks,
  type PyWebhooks,
  type PyWebhooksAccount,
} from '../../sources/pywebhooks/manage/account.ts';
import { UsageError } from '../faults.ts';
import { noteUnread, readSetup, sourceOf, type Setup } from '../setup.ts';
import { lineFromInput } from '../terminal.ts';
import { typed } from '../typed.ts';

/** What every `pywebhooks` command takes. */
export interface Login {
  readonly source?: string;
  readonly apiKeyStdin?: true;
}

export interface CommandContext {
  readonly setup: Setup;
  readonly source: SourceConfig;
  readonly service: PyWebhooks;
}

/** The service of a source, asked as its own account or with another API key. */
export function accountOf({ secrets }: Setup, source: SourceConfig, apiKey?: string): PyWebhooks {
  return pywebhooks({
    base: source.url,
    username: source.username,
    apiKey: async () => apiKey ?? (await secrets.apiKey(source.name)),
    now: Date.now,
    onUnread: noteUnread,
  });
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
  return { setup, source, service: accountOf(setup, source, apiKey) };
}

/** As `askAsAccount`, for what the name alone is enough for. */
export async function contextByName({ source: name }: Login): Promise<CommandContext> {
  const setup = await readSetup();
  const source = sourceOf(setup, 'pywebhooks', name);
  if (source.username === undefined)
    throw new UsageError(`As whom? Set ${prefixOf(source.name)}USERNAME to the name of the account.`);
  return { setup, source, service: accountOf(setup, source) };
}

/** The account of the source: by the id that was kept, else by what it owns. Undefined where neither gives it away. */
export async function ownAccount({
  setup,
  source,
  service,
}: CommandContext): Promise<PyWebhooksAccount | undefined> {
  const kept = await setup.secrets.accountId(source.name);
  const known = kept === undefined ? undefined : await service.account(kept);
  if (known !== undefined) return known;
  const id = await service.ownAccountId();
  return id === undefined ? undefined : await service.account(id);
}
