import { prefixOf, type SourceConfig } from '../../pipeline/ports/source-config.ts';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { isRefusal, tokenOf, type AssetsWebhook } from '../../sources/woodwing/manage/webhooks.ts';
import type { Answer } from '../answer.ts';
import { RefusedError, sentenceOf } from '../faults.ts';
import { runningApp, type RunningApp } from '../running-app.ts';
import { withinWindow, type SecretWindow } from '../secret-window.ts';
import { webhookUrl } from '../setup.ts';
import { note } from '../terminal.ts';
import { wholeId } from '../whole-id.ts';
import { typed } from '../typed.ts';
import type { CommandContext } from './login.ts';
import { tokenStore, webhooksOfSource, type TokenStore } from './token-store.ts';

const windowMinutes = 10;

/**
 * Gives the source's webhook a new token and keeps it. Meanwhile the running app refuses nothing for its signature: what
 * is signed with a token that it does not have yet is sent again.
 */
export async function newToken(
  given: string,
  { showSecret }: { showSecret?: true },
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const app = runningApp(setup);
  const store = await tokenStore(setup, source);
  const webhook = await ownWebhook(given, { setup, source, webhooks }, store);
  const { id } = webhook;
  // Whoever may see the token can put it where the app has its secrets.
  if (showSecret !== true) await sameStore(app, source.name, store);
  const former = tokenOf(webhook);
  const unkept = former === store.current ? undefined : former;
  if (store.current !== undefined && webhook.secretToken !== store.current) {
    const first =
      unkept === undefined
        ? ''
        : ' The one that it has is kept first, for calls signed with it may still wait.';
    note(
      `Note: until now another token than that of ${id} was in ${store.where}.${first} If calls are refused after this, the app has its secrets elsewhere: give the command the settings of the app, and run it again.`,
    );
  }

  const wanted = {
    app,
    source: source.name,
    which: 'secret',
    minutes: windowMinutes,
    notOpened: (why: string) => `${why} ${unchanged(app)}`,
  } as const;
  const change = { id, unkept, store, app, source, showSecret };
  return await withinWindow(wanted, async (window) => {
    if (unkept !== undefined) await keepFormer(unkept, store);
    const token = await tokenMade(window, async () => await webhooks.newToken(webhook), change);
    // What goes wrong from here on leaves it open, or the app would refuse every call.
    window.afterwards = 'leave-open';
    const answer = await keepToken(token, window, change);
    if (answer.exitCode !== 1) window.afterwards = 'end';
    return answer;
  });
}

interface Change {
  readonly id: string;
  /** The token that the webhook has until now, where that was kept nowhere. */
  readonly unkept: string | undefined;
  readonly store: TokenStore;
  readonly app: RunningApp;
  readonly source: Pick<SourceConfig, 'name'>;
  readonly showSecret: true | undefined;
}

async function tokenMade(
  window: SecretWindow,
  make: () => Promise<string>,
  { id, unkept, store }: Change,
): Promise<string> {
  try {
    return await window.unlessInterrupted(make);
  } catch (error) {
    if (isRefusal(error)) {
      const outcome =
        unkept === undefined
          ? 'Nothing was changed.'
          : `No new token was made; the one that ${id} has is now kept in ${store.where}.`;
      throw new RefusedError(`${sentenceOf(error)} ${outcome}`);
    }
    window.afterwards = 'leave-open';
    throw new RefusedError(
      `${sentenceOf(error)} Whether there is a new token is not certain. Until ${window.until} the app refuses nothing for its signature, so that no call is lost: run this again before then.`,
    );
  }
}

async function keepToken(
  token: string,
  window: SecretWindow,
  { id, store, app, source, showSecret }: Change,
): Promise<Answer> {
  const failure = await store.keep(token).then(() => undefined, sentenceOf);
  const keptIn = failure === undefined ? store.where : null;
  const shown = showSecret === true ? { secretToken: token } : {};
  const secret = showSecret === true ? `\nIts secret token: ${token}` : '';
  if (failure === undefined && (await appTakes(token, app, source.name)) !== false) {
    const text = `${id} has a new token. It is kept in ${store.where}; the one before counts for a while.${secret}`;
    return { json: { id, keptIn, ...shown }, text };
  }

  const setting = `${prefixOf(source.name)}SECRET`;
  const where =
    failure === undefined
      ? `The webhook ${id} has a new token. It is kept in ${store.where}, but the app at ${app.url} does not have it: it has its secrets elsewhere.`
      : `The webhook ${id} has a new token, and it is not kept. ${failure}`;
  const show = typed('woodwing webhooks get --show-secret', source.name, [id]);
  const from = showSecret === true ? 'take the token below' : `take the token from "${show}"`;
  const again = failure === undefined ? '' : 'put the store right and run this again, or ';
  const why = `${where}
Until ${window.until} the app refuses nothing for its signature, so that no call is lost; after that it refuses every call. Before then, ${again}${from} and set it where the app has its secrets, as ${setting} or in the vault as source-${source.name}-secret.`;
  if (showSecret !== true) throw new RefusedError(why);
  return { json: { id, keptIn, why, ...shown }, text: why + secret, exitCode: 1 };
}

/** Undefined where the app does not say. */
async function appTakes(token: string, app: RunningApp, source: string): Promise<boolean | undefined> {
  const states = await app.sources().catch(() => []);
  return states.find(({ name }) => name === source)?.takes(token);
}

/** Keeps the token that the webhook has until now, so that it counts beside its successor. */
async function keepFormer(token: string, store: TokenStore): Promise<void> {
  try {
    await store.keep(token);
  } catch (error) {
    throw new RefusedError(`${sentenceOf(error)} Nothing was changed.`);
  }
}

/** The webhook with that id. Throws where it is not the one of this source. */
async function ownWebhook(
  given: string,
  { setup, source, webhooks }: CommandContext,
  { current }: TokenStore,
): Promise<AssetsWebhook> {
  const all = await webhooks.list();
  const id = wholeId(
    given,
    all.map((each) => each.id),
  );
  const webhook = all.find((each) => each.id === id);
  if (webhook === undefined) throw new RefusedError(`WoodWing Assets knows no webhook ${id}.`);
  const own = webhooksOfSource(all, { setup, source, ...(current === undefined ? {} : { current }) });
  if (own.includes(webhook)) return webhook;
  const address = webhookUrl(setup, source);
  const at = address === undefined ? 'PUBLIC_URL does not say where this app is' : `the app is at ${address}`;
  const [first] = own;
  const why =
    first === undefined ? `it calls ${sanitizeText(webhook.url, 500)}, and ${at}` : `that is ${first.id}`;
  throw new RefusedError(
    `The webhook ${id} is not the one of ${source.name}: ${why}. Kept in its place, its token would make the app refuse what it takes now. Nothing was changed.`,
  );
}

/** Throws where the app plainly has its secrets somewhere else: it would never see the new token. */
async function sameStore(app: RunningApp, source: string, { current, where }: TokenStore): Promise<void> {
  if (current !== undefined) return;
  const sources = await app.sources().catch((error: unknown) => {
    throw new RefusedError(`${sentenceOf(error)} ${unchanged(app)}`);
  });
  if ((sources.find(({ name }) => name === source)?.secrets ?? 0) === 0) return;
  throw new RefusedError(
    `The app at ${app.url} has a token of ${source}, and there is none in ${where}: so the app has its secrets elsewhere. Give the command the same settings, or --show-secret to put the new token there yourself. Nothing was changed.`,
  );
}

function unchanged({ url }: RunningApp): string {
  return `While a token changes, the app at ${url} must know of it, or it would refuse calls for good. Nothing was changed.`;
}
