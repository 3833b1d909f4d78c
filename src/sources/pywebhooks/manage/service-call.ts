import type { Clock } from '../../../pipeline/ports/clock.ts';
import * as z from 'zod';
import { UpstreamError } from '../../../pipeline/ports/errors.ts';
import { sanitizeText } from '../../../pipeline/model/sanitize-text.ts';
import { readJson } from '../../../pipeline/model/read-json.ts';
import { callSource, type CallAnswer } from '../../http-call.ts';
import type { OnUnread } from '../../read-each.ts';

export const systemName = 'PyWebhooks';

/** An account of PyWebhooks, as far as it is known. */
export interface Caller extends Clock {
  /** Base address of the API, without a trailing slash. */
  readonly base: string;
  readonly username: string | undefined;
  apiKey(): Promise<string | undefined>;
  readonly onUnread?: OnUnread;
}

export interface ServiceCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: object;
  /** Most routes want both headers, a reset of the API key the name, a new account none. */
  readonly as: 'caller' | 'name-only' | 'nobody';
  /** A page of a list may be long. */
  readonly answer?: 'page';
}

// Before it answers, the service may call our endpoint, and wait five seconds or more for it.
const timeLimitMs = 30_000;
// A page holds a hundred registrations, each with a payload of any size; all else has some kilobytes.
const maxPageBytes = 67_108_864;
const maxBytes = 1_048_576;

/** One call of the API. Throws an UpstreamError where no whole answer comes, or nobody can log in. */
export async function callService(
  { base, ...caller }: Caller,
  path: string,
  { method = 'GET', body, as, answer }: ServiceCall,
): Promise<CallAnswer> {
  const headers = {
    accept: 'application/json',
    // Without it not even a GET is looked at.
    'content-type': 'application/json',
    ...(as === 'nobody' ? {} : { username: nameOf(caller) }),
    ...(as === 'caller' ? { 'api-key': await keyOf(caller) } : {}),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const limits = {
    maxBytes: answer === 'page' ? maxPageBytes : maxBytes,
    timeLimitMs,
    now: () => caller.now(),
  };
  return await callSource(systemName, new URL(`${base}/v1/${path}`), init, limits);
}

/** True for a name that can log in: a header is Latin-1, and loses the blanks around it. */
export function canLogIn(username: string): boolean {
  return /^[\x20-\x7e\xa0-\xff]{1,256}$/.test(username) && username.trim() === username;
}

function nameOf({ username }: Pick<Caller, 'username'>): string {
  if (username === undefined) throw noLogin(`There is no user name for ${systemName}.`);
  if (!canLogIn(username))
    throw noLogin(`The user name cannot log in at ${systemName}: no header can hold it.`);
  return username;
}

async function keyOf(caller: Pick<Caller, 'apiKey'>): Promise<string> {
  const key = await caller.apiKey();
  if (key === undefined) throw noLogin(`There is no API key for ${systemName}.`);
  if (!/^[\x21-\x7e]{1,1024}$/.test(key))
    throw noLogin(`The API key for ${systemName} is none: no header can hold it.`);
  return key;
}

function noLogin(text: string): UpstreamError {
  return new UpstreamError('UPSTREAM_LOGIN_REFUSED', text);
}

const Said = z.object({
  Error: z.string().optional().catch(undefined),
  Message: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

/** What an answer says for people, without anything that could be a key or the hash of one. */
export function saidBy({ bytes }: CallAnswer): string {
  const { Error: error, Message, message } = Said.safeParse(readJson(bytes)).data ?? {};
  const text = error ?? Message ?? message ?? '';
  return sanitizeText(text.replaceAll(/[0-9a-f]{32,}/gi, '…'), 300);
}

/** What the service says of a record that is not there, or is somebody else's. */
export function isNotOurs(answer: CallAnswer): boolean {
  return answer.status === 401 && saidBy(answer) === 'Not authorized';
}

/** What an answer that nobody asked for comes to. */
export function unexpected(answer: CallAnswer): UpstreamError {
  const { status, retryAfterMs } = answer;
  const said = saidBy(answer);
  const inBrackets = said === '' ? '' : ` (${said})`;
  if (status === 401) {
    const text = `${systemName} refused the login${inBrackets}: user name or API key is not right.`;
    return new UpstreamError('UPSTREAM_LOGIN_REFUSED', text, { status });
  }
  // The service itself always says why; a page in its place is somebody else's.
  const text =
    status === 404 && said === ''
      ? `${systemName} is not at this address: it answered 404.`
      : `${systemName} answered ${status}${inBrackets}.`;
  return new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
}

/** An answer of a right status whose content nobody knows. */
export function unreadable(what: string): UpstreamError {
  return new UpstreamError('UPSTREAM_UNREADABLE', `${systemName} ${what} in a way that is not known.`);
}
