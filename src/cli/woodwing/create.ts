import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { usualFields } from '../../sources/woodwing/details.ts';
import {
  isRefusal,
  tokenOf,
  type AssetsWebhook,
  type AssetsWebhooks,
} from '../../sources/woodwing/manage/webhooks.ts';
import { usualEvents } from '../../sources/woodwing/manage/usual-events.ts';
import { addressToCall } from '../address-to-call.ts';
import type { Answer } from '../answer.ts';
import { RefusedError, sentenceOf } from '../faults.ts';
import type { CommandContext } from './login.ts';
import { callerPart, checkFilters, type Filters } from './filters.ts';
import { shown } from './shown.ts';
import { typed } from '../typed.ts';
import { tokenStore, webhooksOfSource, type TokenStore } from './token-store.ts';

/** Registers the source's webhook: switched off, its token kept, then switched on, so that no call comes before its key. */
export async function create(
  { showSecret, ...filters }: Filters & { showSecret?: true },
  { setup, source, webhooks }: CommandContext,
): Promise<Answer> {
  const given = callerPart(filters);
  const url = addressToCall(given.url, setup, source);
  const wanted = {
    name: `Asset Webhooks (${source.name})`,
    eventTypes: usualEvents,
    // Of an asset that was removed, its event is all that can still be known.
    metadataToReturn: [...new Set([...usualFields, ...source.metadataFields])],
    ...given,
    url,
    enabled: false,
  };
  checkFilters(wanted, filters);

  const store = await tokenStore(setup, source);
  const { current } = store;
  const [existing] = webhooksOfSource(await webhooks.list(), {
    setup,
    source,
    url,
    ...(current === undefined ? {} : { current }),
  });
  if (existing !== undefined) throw new RefusedError(alreadyThere(existing, source.name));

  const webhook = await webhooks.register(wanted).catch((error: unknown) => uncertain(error, source.name));
  try {
    await keepToken(webhook, webhooks, store);
  } catch (error) {
    throw await undone(error, webhook, { webhooks, source: source.name });
  }
  const enabled = await webhooks.enable(webhook.id).catch(sentenceOf);
  const why =
    typeof enabled === 'string'
      ? enabled
      : enabled?.enabled === true
        ? undefined
        : 'WoodWing Assets did not say that it is.';
  const done = `Registered ${webhook.id}, which calls ${sanitizeText(url, 500)}. Its token is kept in ${store.where}.`;
  const json = {
    webhook: shown({ ...webhook, enabled: why === undefined }, { setup, source, showSecret }),
    keptIn: store.where,
  };
  const secret = showSecret === true ? `\nIts secret token: ${webhook.secretToken ?? '–'}` : '';
  if (why === undefined) return { json, text: `${done} It is enabled.${secret}` };
  const text = `${done} But it could not be enabled: ${why} Until "${typed('woodwing webhooks enable', source.name, [webhook.id])}" is done, nothing comes.${secret}`;
  return { json: { ...json, why }, text, exitCode: 1 };
}

async function keepToken(webhook: AssetsWebhook, webhooks: AssetsWebhooks, store: TokenStore): Promise<void> {
  // A server that does not take it may call at once, and nobody has the key yet.
  if (webhook.enabled && (await webhooks.disable(webhook.id))?.enabled !== false)
    throw new RefusedError('WoodWing Assets registers webhooks enabled, and does not disable this one.');
  const token = tokenOf(webhook) ?? tokenOf(await webhooks.get(webhook.id));
  if (token === undefined) throw new RefusedError('WoodWing Assets did not say the token of the webhook.');
  await store.keep(token);
}

/** Takes away what was registered and cannot be used; answers with what to say of it. */
async function undone(
  error: unknown,
  { id }: AssetsWebhook,
  { webhooks, source }: { webhooks: AssetsWebhooks; source: string },
): Promise<unknown> {
  const failure = await webhooks.unregister(id).then(() => undefined, sentenceOf);
  const outcome =
    failure === undefined
      ? `The webhook ${id} was unregistered again.`
      : `The webhook ${id} could not be unregistered again (${failure}): do so with "${typed('woodwing webhooks delete', source, [id])}".`;
  return new RefusedError(`${sentenceOf(error)} ${outcome}`);
}

function uncertain(error: unknown, source: string): never {
  if (!(error instanceof UpstreamError) || isRefusal(error)) throw error;
  throw new RefusedError(
    `${error.message} It may have been registered all the same, and would stand disabled: look with "${typed('woodwing webhooks list', source)}".`,
  );
}

function alreadyThere({ id, url, enabled }: AssetsWebhook, source: string): string {
  return [
    `WoodWing Assets already has a webhook for ${source}: ${id}, which calls ${sanitizeText(url, 500)}${enabled ? '' : ' and is disabled'}.`,
    `A source has one. Change it with "${typed('woodwing webhooks update', source, [id])}", give it a new token that is kept here with "${typed('woodwing webhooks new-token', source, [id])}", or take it away with "${typed('woodwing webhooks delete', source, [id])}".`,
  ].join('\n');
}
