import { newKey } from './api-keys.ts';
import { callEndpoint } from './call-endpoint.ts';
import type { Settings } from './settings.ts';

/** One request that was made to an endpoint. */
export interface Sent {
  readonly kind: 'echo' | 'api_key' | 'secret_key' | 'event';
  /** As it was called, so with the key or the echo. */
  readonly url: string;
  /** 0 where no whole answer came, or the request could not be made. */
  readonly status: number;
  /** What was sent. */
  readonly body: string;
  /** What came back. */
  readonly answer: string;
  /** From 1 on; only events are tried again. */
  readonly attempt: number;
}

/** What is needed to call endpoints. */
export interface Calling {
  readonly settings: Settings;
  readonly note: (sent: Sent) => void;
  readonly closed: AbortSignal;
}

/** True when the endpoint gives back what it was asked. */
export async function echoes(endpoint: unknown, calling: Calling): Promise<boolean> {
  const echo = newKey();
  const answer = await ask(endpoint, 'echo', echo, calling);
  return typeof answer === 'object' && answer !== null && 'echo' in answer && answer.echo === echo;
}

/** True when the endpoint took its new key. */
export async function takesKey(
  endpoint: unknown,
  kind: 'api_key' | 'secret_key',
  key: string,
  calling: Calling,
): Promise<boolean> {
  return (await ask(endpoint, kind, key, calling)) !== undefined;
}

/** What JSON text says; undefined where it is none. */
export function readAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function ask(
  endpoint: unknown,
  kind: 'echo' | 'api_key' | 'secret_key',
  value: string,
  { settings: { answerWithinMs, followRedirects }, note, closed }: Calling,
): Promise<unknown> {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined;
  const url = new URL(endpoint);
  // Appended as text: what stands there already stays as it is.
  url.search = `${url.search}${url.search === '' ? '?' : '&'}${kind}=${value}`;
  const { status, body } = await callEndpoint(url.href, { answerWithinMs, followRedirects, ended: closed });
  note({ kind, url: url.href, status, body: '', answer: body, attempt: 1 });
  return status === 200 ? readAnswer(body) : undefined;
}
