import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import type { KeptSecret } from '../../pipeline/ports/secrets.ts';
import type { KeyReset } from '../../sources/pywebhooks/manage/account.ts';
import { accountOf, ownAccount } from '../../sources/pywebhooks/manage/of-source.ts';
import { tryEcho } from '../../sources/pywebhooks/manage/try-echo.ts';
import type { Answer } from '../answer.ts';
import { errorName } from '../error-name.ts';
import { isForPeople, RefusedError } from '../faults.ts';
import type { CommandContext } from './login.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import { runningApp, type RunningApp } from '../running-app.ts';
import { withinWindow } from '../secret-window.ts';
import { manageDeps, secretsNow, webhookUrl, type Setup } from '../setup.ts';
import { samePlace } from '../../sources/same-place.ts';
import { progress } from '../terminal.ts';
import { typed } from '../typed.ts';

// Longer than the longest call to PyWebhooks (30 s), and short, because meanwhile the app takes any key.
const windowMinutes = 2;

/** `pywebhooks reset-secret`: tells the running app to expect a new webhook secret, and PyWebhooks to send it one. */
export async function resetSecret(asked: CommandContext): Promise<Answer> {
  const app = runningApp(asked.setup);
  const endpoint = (await ownAccount(asked.service, { ...asked.setup, ...asked }))?.endpoint;
  const ask = async (): Promise<KeyReset> => await asked.service.resetSecretKey();
  const { outcome, arrived } = await reset('secret', ask, { ...asked, app, endpoint });
  const { name } = asked.source;
  const hours = asked.setup.config.secretOverlapMs / 3_600_000;
  if (outcome.kind !== 'sent') {
    const onlyHere = `But the app got a new secret, and PyWebhooks may go on with the one before, which counts for another ${hours} hours: run this again, so that both have the same.`;
    return await notReset('secret', outcome, { ...asked, endpoint, arrived, onlyHere });
  }
  if (!arrived) return unseen('secret', asked);
  const text = `The new webhook secret of ${name} arrived at the app and is kept. What was signed with the one before is taken for another ${hours} hours.`;
  return { json: { source: name, key: 'secret', reset: true, arrived }, text };
}

/** `pywebhooks reset-api-key`: the same for the key to the API of the service, and whether the service takes it. */
export async function resetApiKey(asked: CommandContext): Promise<Answer> {
  const app = runningApp(asked.setup);
  const endpoint = await endpointIfShown(asked);
  const ask = async (): Promise<KeyReset> => await asked.service.resetApiKey();
  const { outcome, arrived } = await reset('api-key', ask, { ...asked, app, endpoint });
  const { name } = asked.source;
  if (outcome.kind !== 'sent') {
    const onlyHere =
      'But the app got a new key and keeps it, and PyWebhooks may go on with the one before: run this again, so that both have the same.';
    return await notReset('api-key', outcome, { ...asked, endpoint, arrived, onlyHere });
  }
  if (!arrived) return unseen('api-key', asked);
  const why = await whyNoLogin(asked);
  const then = why === undefined ? 'PyWebhooks takes it.' : `But nobody could log in with it. ${why}`;
  return {
    json: {
      source: name,
      key: 'api-key',
      reset: true,
      arrived,
      accepted: why === undefined,
      why: why ?? null,
    },
    text: `The new API key of ${name} arrived at the app and is kept. ${then}`,
    exitCode: why === undefined ? 0 : 1,
  };
}

const called = { secret: 'webhook secret', 'api-key': 'API key' };

interface Resetting extends CommandContext {
  readonly app: RunningApp;
  /** Where PyWebhooks would send the new key, as far as it says so. */
  readonly endpoint: string | undefined;
}

type Outcome = KeyReset | { kind: 'broken'; why: string };

/** Asks for a new key while the app expects one; `arrived`: another is kept than before, seen from here. */
async function reset(
  which: KeptSecret,
  ask: () => Promise<KeyReset>,
  { app, endpoint, setup, source }: Resetting,
): Promise<{ outcome: Outcome; arrived: boolean }> {
  const own = webhookUrl(setup, source);
  if (endpoint !== undefined && own !== undefined && !samePlace(endpoint, own)) {
    throw new RefusedError(
      `Nothing was reset: PyWebhooks would send the new key to ${endpoint}, and this app is at ${own}.`,
    );
  }
  const before = await keptNow(which, setup, source).catch((error: unknown) => {
    throw new RefusedError(
      `Nothing was reset, for nobody could see whether the new key arrives: ${placeOfSecrets(setup)} cannot be read (${errorName(error)}).`,
    );
  });
  progress('Telling the app to expect a new key …');
  const wanted = {
    app,
    source: source.name,
    which,
    minutes: windowMinutes,
    notOpened: (why: string) =>
      `Nothing was reset, for the app at ${app.url} could not be told to expect a new key. ${why}`,
  };
  const outcome = await withinWindow(wanted, async (window) => {
    progress('Asking PyWebhooks for a new key …');
    const answer = await outcomeOf(async () => await window.unlessInterrupted(ask));
    // PyWebhooks goes on with the key that it has; so what the app took in its place was somebody else's.
    if (answer.kind === 'refused') window.afterwards = 'take-back';
    return answer;
  });
  const after = await keptNow(which, setup, source).catch(() => undefined);
  return { outcome, arrived: after !== undefined && after !== before };
}

/** Never throws, so that the app can be told in any case that it is over. */
async function outcomeOf(ask: () => Promise<KeyReset>): Promise<Outcome> {
  try {
    return await ask();
  } catch (error) {
    return {
      kind: 'broken',
      why: isForPeople(error) ? error.message : 'Something went wrong here.',
    };
  }
}

/** What is kept at this moment; a setup may remember what was. Throws where nobody can see it. */
async function keptNow(which: KeptSecret, setup: Setup, { name }: SourceConfig): Promise<string | undefined> {
  const secrets = secretsNow(setup);
  // A secret that cannot be read would pass for one that is not there, and then for one that has come.
  await secrets.refresh(name);
  return which === 'secret' ? (await secrets.webhookSecrets(name))?.[0] : await secrets.apiKey(name);
}

/** Undefined where it cannot be asked for: who needs a new API key may have none that is taken. */
async function endpointIfShown(asked: CommandContext): Promise<string | undefined> {
  try {
    return (await ownAccount(asked.service, { ...asked.setup, ...asked }))?.endpoint;
  } catch (error) {
    if (error instanceof UpstreamError) return undefined;
    throw error;
  }
}

async function notReset(
  which: KeptSecret,
  outcome: Exclude<Outcome, { kind: 'sent' }>,
  found: CommandContext & { endpoint: string | undefined; arrived: boolean; onlyHere: string },
): Promise<Answer> {
  const { source, arrived, onlyHere } = found;
  const asBefore =
    outcome.kind === 'refused'
      ? `The ${called[which]} stays as it was.`
      : `As far as can be seen from here the ${called[which]} stays as it was.`;
  const text = `${await whyNotReset(outcome, found)} ${arrived ? onlyHere : asBefore}`;
  return { json: { source: source.name, key: which, reset: false, arrived, why: text }, text, exitCode: 1 };
}

async function whyNotReset(
  outcome: Exclude<Outcome, { kind: 'sent' }>,
  { endpoint, setup, source }: CommandContext & { endpoint: string | undefined },
): Promise<string> {
  if (outcome.kind === 'broken') return outcome.why;
  const { status, said } = outcome;
  const answered = `PyWebhooks answered ${status} (${said}).`;
  // A 404 is about the name or the account, and nobody was called.
  const address = endpoint ?? webhookUrl(setup, source);
  if (status !== 400 || address === undefined) return answered;
  const why = (await tryEcho(address))?.text;
  if (why !== undefined) return `${answered} ${why}`;
  return `${answered} Seen from here the app at ${address} answers, so PyWebhooks cannot reach it, or the app did not take the key: its log says why.`;
}

/** PyWebhooks says that the endpoint took the new key, and it is not where this command looks. */
function unseen(which: KeptSecret, { setup, source: { name } }: CommandContext): Answer {
  const sent = `PyWebhooks handed a new ${called[which]} over to its endpoint, and goes by it from now on.`;
  const place = placeOfSecrets(setup);
  if (setup.config.keyVaultUrl === undefined) {
    const text = `${sent} Whether the app kept it cannot be seen from here: it is not in ${place}, so the app must have a secrets file of its own.`;
    return { json: { source: name, key: which, reset: true, arrived: null, why: text }, text };
  }
  const text = `${sent} But ${place} does not show it: look with "${typed('pywebhooks account show', name)}" whether the endpoint is this app, and whether the app uses this vault.`;
  return { json: { source: name, key: which, reset: true, arrived: false, why: text }, text, exitCode: 1 };
}

async function whyNoLogin({ setup, source }: CommandContext): Promise<string | undefined> {
  try {
    await accountOf(manageDeps({ secrets: secretsNow(setup) }, source)).ownAccountId();
    return undefined;
  } catch (error) {
    if (error instanceof UpstreamError) return error.message;
    throw error;
  }
}
