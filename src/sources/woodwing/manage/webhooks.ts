import type { Clock } from '../../../pipeline/ports/clock.ts';
import * as z from 'zod';
import { UpstreamError } from '../../../pipeline/ports/errors.ts';
import type { Permit } from '../../../pipeline/ports/permit.ts';
import { sanitizeText } from '../../../pipeline/model/sanitize-text.ts';
import { readJson } from '../../../pipeline/model/read-json.ts';
import type { CallAnswer } from '../../http-call.ts';
import { readEach, type OnUnread } from '../../read-each.ts';
import type { Session } from '../../session.ts';
import { redactSecrets } from '../../redact-secrets.ts';
import { callAssets, systemName } from '../call.ts';

/** The names that are known; there may be more. */
export const knownEvents = [
  'asset_checkin',
  'asset_checkout',
  'asset_create',
  'asset_create_by_copy',
  'asset_create_from_filestore_rescue',
  'asset_create_from_version',
  'asset_move',
  'asset_promote',
  'asset_remove',
  'asset_rename',
  'asset_undo_checkout',
  'asset_update_metadata',
  'authkey_create',
  'authkey_remove',
  'folder_create',
  'folder_remove',
] as const;

const names = z.array(z.string()).nullish();
/** What may be the id of a webhook: it becomes part of a path, so it is no way out of it. */
export const webhookId = /^(?!\.+$)[\x21-\x7e]{1,200}$/;

// Loose, because what a newer server adds must go back to it with an update, as it came.
const Webhook = z.looseObject({
  id: z.string().regex(webhookId),
  name: z.string().nullish(),
  url: z.string(),
  eventTypes: names.transform((types) => types ?? []),
  metadataToReturn: names,
  changedMetadataToReturn: names,
  triggerMetadataFields: names,
  foldersAndQuery: z
    .looseObject({
      folders: names,
      query: z.string().nullish(),
      enableWildcardSelection: z.boolean().nullish(),
    })
    .nullish(),
  // True where it is not said.
  enabled: z.boolean().default(true),
  secretToken: z.string().nullish(),
});

/** A webhook as Assets has it. */
export type AssetsWebhook = z.infer<typeof Webhook>;

/** What a caller says of a webhook; what is left out stays as it is, or as the server has it by default. */
export interface CallerPart {
  readonly name?: string;
  readonly url?: string;
  readonly eventTypes?: readonly string[];
  readonly metadataToReturn?: readonly string[];
  readonly triggerMetadataFields?: readonly string[];
  /** An empty list, or an empty query, takes that filter away. */
  readonly foldersAndQuery?: { readonly folders?: readonly string[]; readonly query?: string };
  readonly enabled?: boolean;
}

/** The webhooks of an Assets Server. All of it may throw an UpstreamError. */
export interface AssetsWebhooks {
  list(): Promise<AssetsWebhook[]>;
  /** Undefined, here and below, where there is none of that id. */
  get(id: string): Promise<AssetsWebhook | undefined>;
  register(
    wanted: CallerPart & { name: string; url: string; eventTypes: readonly string[] },
  ): Promise<AssetsWebhook>;
  update(id: string, changes: CallerPart): Promise<AssetsWebhook | undefined>;
  enable(id: string): Promise<AssetsWebhook | undefined>;
  disable(id: string): Promise<AssetsWebhook | undefined>;
  /** Makes a new token in place of the one that was read. After an error that is no refusal it may have been made all the same. */
  newToken(webhook: Pick<AssetsWebhook, 'id' | 'secretToken'>): Promise<string>;
  /** False where there is none of that id. */
  unregister(id: string): Promise<boolean>;
}

const timeLimitMs = 30_000;
const maxBytes = 8_388_608;

export function assetsWebhooks(
  asking: {
    base: string;
    session: Session;
    permit: Permit;
    onUnread?: OnUnread;
  } & Clock,
): AssetsWebhooks {
  const { base, session, permit } = asking;
  const limits = { maxBytes, timeLimitMs, now: () => asking.now() };
  // What a server says about an error might hold what it was sent, or what it has.
  const unspeakable = new Set<string>();
  const hide = (secretToken: string | null | undefined): void => {
    if (typeof secretToken === 'string') unspeakable.add(secretToken);
  };

  const ask = async (
    path: string,
    init: { method?: 'POST' | 'PUT' | 'DELETE'; body?: object } = {},
  ): Promise<CallAnswer> => {
    const { method = 'GET', body } = init;
    let refusal: CallAnswer | undefined;
    let refusals = 0;
    const call = async (token: string): Promise<CallAnswer> => {
      unspeakable.add(token);
      const headers = {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await permit.call(
        async () =>
          await callAssets(
            new URL(`${base}/services/admin/webhook${path}`),
            { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
            limits,
          ),
      );
      if (answer.status === 401) [refusal, refusals] = [answer, refusals + 1];
      return answer;
    };
    try {
      return await session.ask(permit, call);
    } catch (error) {
      // A token that is refused as soon as it is given out is good, and its account may not do this.
      if (refusal !== undefined && refusals === 2) throw unexpected(refusal);
      throw error;
    }
  };
  const unexpected = (answer: CallAnswer): UpstreamError => {
    const { status } = answer;
    const said = sentence(answer, unspeakable);
    if (status === 401 || status === 403) {
      const it = said === '' ? '' : ` It said: ${said}`;
      const text = `${systemName} does not let this account manage webhooks: it needs the role Super user and a Pro or API licence (before version 6.49 a Pro licence).${it}`;
      return new UpstreamError('UPSTREAM_STATUS', text, { status });
    }
    const text = `${systemName} answered ${status}${said === '' ? '.' : `: ${said}`}`;
    return new UpstreamError('UPSTREAM_STATUS', text, { status });
  };
  const readable = (answer: CallAnswer): AssetsWebhook | undefined => {
    const webhook = Webhook.safeParse(readJson(answer.bytes)).data;
    hide(webhook?.secretToken);
    return webhook;
  };
  /** The webhook after a change: as the answer has it, else as it is asked for. */
  const changed = async (id: string, answer: CallAnswer): Promise<AssetsWebhook | undefined> => {
    if (!isSuccess(answer)) throw unexpected(answer);
    const webhook = readable(answer);
    return webhook?.id === id ? webhook : await get(id);
  };

  const get = async (id: string): Promise<AssetsWebhook | undefined> => {
    const answer = await ask(`/${encodeURIComponent(id)}`);
    if (answer.status === 404) return undefined;
    if (!isSuccess(answer)) throw unexpected(answer);
    const webhook = readable(answer);
    if (webhook !== undefined) return webhook;
    throw unreadable(`described the webhook ${id} in a way that is not known.`);
  };
  const update = async (id: string, changes: CallerPart): Promise<AssetsWebhook | undefined> => {
    const before = await get(id);
    if (before === undefined) return undefined;
    const body = merged(before, changes);
    const path = `/${encodeURIComponent(id)}`;
    const put = await ask(path, { method: 'PUT', body });
    // The documentation says POST, newer servers take PUT. It was there a moment ago: so 404 is the method's.
    return await changed(id, isMissing(put) ? await ask(path, { method: 'POST', body }) : put);
  };
  const switched = async (id: string, enabled: boolean): Promise<AssetsWebhook | undefined> => {
    const path = `/${encodeURIComponent(id)}/${enabled ? 'enable' : 'disable'}`;
    const answer = await ask(path, { method: 'PUT' });
    // Servers before 6.86 have no such call.
    return isMissing(answer) ? await update(id, { enabled }) : await changed(id, answer);
  };
  return {
    async list() {
      const answer = await ask('');
      if (!isSuccess(answer)) throw unexpected(answer);
      const webhooks = readEach(readJson(answer.bytes), Webhook, asking.onUnread);
      if (webhooks === undefined) throw unreadable('listed its webhooks in a way that is not known.');
      for (const { secretToken } of webhooks) hide(secretToken);
      return webhooks;
    },
    get,
    async register(wanted) {
      const answer = await ask('', { method: 'POST', body: merged({}, wanted) });
      if (!isSuccess(answer)) throw unexpected(answer);
      const webhook = readable(answer);
      if (webhook !== undefined) return webhook;
      throw unreadable('confirmed the registration in a way that is not known.');
    },
    update,
    enable: async (id) => await switched(id, true),
    disable: async (id) => await switched(id, false),
    async newToken({ id, secretToken: before }) {
      hide(before);
      // What the object must hold is not documented.
      const make = async (): Promise<string | undefined> => {
        const answer = await ask(`/${encodeURIComponent(id)}/generate-token`, { method: 'POST', body: {} });
        if (isSuccess(answer)) return tokenIn(answer.bytes);
        throw unexpected(answer);
      };
      let failure: unknown = unreadable(unsaid);
      const told = await make().catch((error: unknown) => {
        if (isRefusal(error)) throw error;
        // It may have been made before the answer was lost: then the webhook has it.
        failure = error;
      });
      const token = told ?? tokenOf(await get(id).catch(uncertain));
      if (token !== undefined && token !== before) return token;
      throw failure;
    },
    async unregister(id) {
      const answer = await ask(`/${encodeURIComponent(id)}`, { method: 'DELETE' });
      if (answer.status === 404) return false;
      if (isSuccess(answer)) return true;
      throw unexpected(answer);
    },
  };
}

/**
 * The whole webhook with the changes: right both at a server that merges an update and at one that replaces the webhook.
 * Members that are not known here go back as they came.
 */
function merged(before: Partial<AssetsWebhook>, changes: CallerPart): object {
  const { id: _id, secretToken: _secretToken, ...callerPart } = before;
  const { foldersAndQuery, ...others } = changes;
  if (foldersAndQuery === undefined) return { ...callerPart, ...others };
  const { folders, query, ...more } = { ...before.foldersAndQuery, ...foldersAndQuery };
  const filter = {
    ...(folders === undefined || folders === null || folders.length === 0 ? {} : { folders }),
    ...(query === undefined || query === null || query === '' ? {} : { query }),
  };
  const whole = Object.keys(filter).length === 0 ? null : { ...more, ...filter };
  return { ...callerPart, ...others, foldersAndQuery: whole };
}

const TokenAnswer = z.object({ secretToken: z.string() });

/** The token in an answer whose shape is not documented: an object with it, a whole webhook, a JSON string or plain text. */
function tokenIn(bytes: Uint8Array): string | undefined {
  const json = readJson(bytes);
  if (typeof json === 'string') return usable(json);
  if (typeof json === 'object' && json !== null) return usable(TokenAnswer.safeParse(json).data?.secretToken);
  return usable(new TextDecoder().decode(bytes.subarray(0, 1000)).trim());
}

/** A webhook's token, where it has one that can be kept. */
export function tokenOf(webhook: AssetsWebhook | undefined): string | undefined {
  return usable(webhook?.secretToken);
}

// As text, without a space: a word of thanks, or a page, is no token.
function usable(token: string | null | undefined): string | undefined {
  return typeof token === 'string' && /^[\x21-\x3b\x3d-\x7e]{16,512}$/.test(token) ? token : undefined;
}

function isSuccess({ status }: CallAnswer): boolean {
  return status >= 200 && status < 300;
}

function isMissing({ status }: CallAnswer): boolean {
  return status === 404 || status === 405;
}

/** True for an error that says no: nothing was changed. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { code, status = 0 } = error;
  return code === 'UPSTREAM_LOGIN_REFUSED' || (code === 'UPSTREAM_STATUS' && status < 500);
}

const unsaid = 'was asked for a new token and did not say which it is.';

/** Whatever keeps a webhook from being looked at after it was asked for a new token: it is no refusal of that. */
function uncertain(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error;
  throw unreadable(`${unsaid} ${error.message}`);
}

function unreadable(what: string): UpstreamError {
  return new UpstreamError('UPSTREAM_UNREADABLE', `${systemName} ${what}`);
}

const SaidError = z.object({ message: z.string() });

/** What the server says for people, without what nobody may read. */
function sentence({ bytes }: CallAnswer, unspeakable: ReadonlySet<string>): string {
  const said = SaidError.safeParse(readJson(bytes)).data?.message ?? '';
  return sanitizeText(redactSecrets(said.trim(), unspeakable), 300);
}
