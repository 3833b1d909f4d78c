import { prefixOf, type SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { StoredValue } from '../../pipeline/ports/secrets.ts';
import type { NewPyWebhooksAccount } from '../../sources/pywebhooks/manage/account.ts';
import { cutOffAt } from '../../sources/pywebhooks/manage/cut-off.ts';
import { accountOf, ownAccount } from '../../sources/pywebhooks/manage/of-source.ts';
import { canLogIn } from '../../sources/pywebhooks/manage/service-call.ts';
import { tryEcho } from '../../sources/pywebhooks/manage/try-echo.ts';
import { addressToCall } from '../address-to-call.ts';
import { fields, type Answer } from '../answer.ts';
import { errorName } from '../error-name.ts';
import { RefusedError, UsageError } from '../faults.ts';
import type { CommandContext, Login } from './login.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import { manageDeps, readSetup, sourceOf, webhookUrl, type Setup } from '../setup.ts';
import { samePlace } from '../../sources/same-place.ts';
import { note } from '../terminal.ts';
import { typed } from '../typed.ts';

/** `pywebhooks account create`: makes the account, and keeps its keys where the app finds them. */
export async function createAccount(
  { username, url, showSecret }: { username?: string; url?: string; showSecret?: true },
  login: Login,
): Promise<Answer> {
  const setup = await readSetup();
  const source = sourceOf(setup, 'pywebhooks', login.source);
  const name = username ?? source.username;
  const setting = `${prefixOf(source.name)}USERNAME`;
  if (name === undefined) throw new UsageError(`Under which name? Give --username, or set ${setting}.`);
  if (!canLogIn(name))
    throw new UsageError(
      'No account of that name could log in: it must be Latin-1, without blanks around it.',
    );
  const address = addressToCall(url, setup, source);
  await refuseWithKeys(setup, source);

  const made = await accountOf(manageDeps(setup, source)).createAccount({
    endpoint: address,
    username: name,
  });
  if (made.kind === 'name-taken') {
    throw new RefusedError(
      `PyWebhooks already has an account named ${name}. If it is yours, "${typed('pywebhooks reset-api-key', source.name)}" gets a new key for it; else choose another name with --username.`,
    );
  }
  if (made.kind === 'echo-failed') throw new RefusedError(await whyRefused(address));
  const { kept, failure } = await keepKeys(made.account, setup, source);
  if (name !== source.username)
    note(`Note: set ${setting} to this name, or no other command and nothing else logs in as this account.`);

  const { id, apiKey, secretKey } = made.account;
  const keys = showSecret === true ? { apiKey, secretKey } : {};
  const why = failure === undefined ? null : notKept({ kept, failure }, setup, source.name);
  const text = [
    `Made the account ${name}: ${id}`,
    why ?? `Its keys are kept in ${placeOfSecrets(setup)}.`,
    ...Object.entries(keys).map(
      ([key, value]) => `${key === 'apiKey' ? 'API key' : 'Webhook secret'}: ${value}`,
    ),
  ].join('\n');
  return {
    json: { account: { id, username: name, endpoint: address, ...keys }, kept, why },
    text,
    exitCode: why === null ? 0 : 1,
  };
}

/** Nothing is asked for where its keys would have no place, or take the place of others. */
async function refuseWithKeys(setup: Setup, { name }: SourceConfig): Promise<void> {
  const { secrets } = setup;
  try {
    await secrets.refresh(name);
  } catch (error) {
    throw new RefusedError(
      `No account was made: its keys could not be kept, for ${placeOfSecrets(setup)} cannot be read (${errorName(error)}).`,
    );
  }
  if ((await secrets.apiKey(name)) !== undefined) {
    throw new RefusedError(
      `${name} has an API key, and so an account: "${typed('pywebhooks account show', name)}" shows it. For another account, add another source.`,
    );
  }
}

async function whyRefused(address: string): Promise<string> {
  const answered = 'PyWebhooks made no account, for it got no echo.';
  const why = (await tryEcho(address))?.text;
  if (why !== undefined) return `${answered} ${why}`;
  return `${answered} Seen from here the app answers an echo rightly, so PyWebhooks cannot reach ${address}, or waited more than five seconds.`;
}

interface Keeping {
  readonly kept: readonly StoredValue[];
  readonly failure?: unknown;
}

/** Keeps what the service shows only once: the secret first, without which nothing that it sends can be proved. */
async function keepKeys(
  { id, apiKey, secretKey }: NewPyWebhooksAccount,
  { secrets }: Setup,
  { name }: SourceConfig,
): Promise<Keeping> {
  const kept: StoredValue[] = [];
  try {
    for (const [which, value] of [
      ['secret', secretKey],
      ['api-key', apiKey],
      ['account-id', id],
    ] as const) {
      await secrets.keep(name, which, value);
      kept.push(which);
    }
    return { kept };
  } catch (failure) {
    return { kept, failure };
  }
}

function notKept({ kept, failure }: Keeping, setup: Setup, source: string): string {
  const place = `${placeOfSecrets(setup)} did not take`;
  if (kept.includes('api-key'))
    return `Its keys are kept, but ${place} its id (${errorName(failure)}): give the id to "${typed('pywebhooks account show', source)}".`;
  const what = kept.includes('secret') ? 'its API key' : 'its keys';
  const then = kept.includes('secret')
    ? `run "${typed('pywebhooks reset-api-key', source)}"`
    : `run "${typed('pywebhooks reset-api-key', source)}" and then "${typed('pywebhooks reset-secret', source)}"`;
  return `But ${place} ${what} (${errorName(failure)}), and PyWebhooks does not show them again. Once that is put right, ${then}: the app is sent new ones, and keeps them itself.`;
}

/** `pywebhooks account update`: sets where PyWebhooks calls this account, after a look whether the right thing answers there. */
export async function updateAccount(
  { url, anyway }: { url?: string; anyway?: true },
  { setup, source, service }: CommandContext,
): Promise<Answer> {
  const address = addressToCall(url, setup, source);
  // The service itself does not look.
  const why = (await tryEcho(address))?.text;
  if (why !== undefined && anyway !== true)
    throw new RefusedError(`${why} Nothing was changed; with --anyway the address is set all the same.`);
  await service.setEndpoint(address);
  return {
    json: { account: { endpoint: address }, why: why ?? null },
    text: `PyWebhooks calls ${address} from now on, and counts its failed deliveries from 0.`,
  };
}

/** `pywebhooks account show`: what the service has of the account. */
export async function showAccount(
  id: string | undefined,
  { showSecret }: { showSecret?: true },
  asked: CommandContext,
): Promise<Answer> {
  const account =
    id === undefined
      ? await ownAccount(asked.service, { ...asked.setup, ...asked })
      : await asked.service.account(id);
  if (account === undefined) {
    throw new RefusedError(
      id === undefined
        ? 'The key is right, but nothing says which account it is of: no id was kept, and it has neither a subscription nor a registration. Give the id that PyWebhooks answered when the account was made.'
        : `PyWebhooks shows this account no account ${id}: an account may see only itself.`,
    );
  }
  const { secretKey, apiKeyHash, ...open } = account;
  const own = webhookUrl(asked.setup, asked.source);
  const thisApp = own === undefined ? null : samePlace(open.endpoint ?? '', own);
  const hidden = 'hidden; --show-secret shows it';
  const text = fields([
    ['id', open.id],
    ['username', open.username ?? '–'],
    ['endpoint', open.endpoint ?? '–'],
    ['this app', thisApp === null ? '?' : thisApp ? 'yes' : 'no'],
    ['failed deliveries', meaningOf(open.failedCount, asked.source.name)],
    ['administrator', open.isAdmin ? 'yes' : 'no'],
    ['webhook secret', showSecret === true ? (secretKey ?? '–') : hidden],
    ['hash of the API key', showSecret === true ? (apiKeyHash ?? '–') : hidden],
  ]);
  const blocked = (open.failedCount ?? 0) >= cutOffAt;
  return {
    json: { account: { ...open, thisApp, ...(showSecret === true ? { secretKey, apiKeyHash } : {}) } },
    text,
    exitCode: blocked ? 1 : 0,
  };
}

function meaningOf(failedCount: number | undefined, source: string): string {
  if (failedCount === undefined) return '–';
  if (failedCount === 0) return '0';
  if (failedCount < cutOffAt) return `${failedCount} in a row; from ${cutOffAt} on nothing is sent any more`;
  return `${failedCount} in a row: nothing is sent any more, until one still under way succeeds or the endpoint is set anew: ${typed('pywebhooks account update', source)}`;
}
