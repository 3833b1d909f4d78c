import { createHmac } from 'node:crypto';
import { isWebAddress, post, type Framing, type Received } from '../post.ts';

export interface Sent {
  readonly kind: 'event';
  readonly webhookId: string;
  readonly url: string;
  /** 0 where no answer came. */
  readonly status: number;
  /** Of the answer. */
  readonly body: string;
  /** 1 for the first try. */
  readonly attempt: number;
}

export interface Outgoing {
  readonly body: Uint8Array;
  readonly token: string;
  /** Sent in place of the right one; no header at all if null. */
  readonly signature?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly framing?: Framing;
  readonly answerWithinMs?: number;
  readonly redirects?: 'failed' | 'followed';
}

/** The key is the text of the token, not what it decodes to. */
export function signEvent(token: string, body: Uint8Array): string {
  return createHmac('sha256', token).update(body).digest('hex');
}

/** Sends a body with its signature; never throws. */
export async function sendEvent(
  url: string,
  { body, token, signature = signEvent(token, body), headers = {}, redirects, ...wire }: Outgoing,
  ended: AbortSignal,
): Promise<Received> {
  const all = {
    'Content-Type': 'application/json',
    ...(signature === null ? {} : { 'X-Hook-Signature': signature }),
    ...headers,
  };
  return redirects === 'followed'
    ? await postFollowing(url, body, all, wire.answerWithinMs ?? 30_000, ended)
    : await post(url, { ...wire, body, headers: all, ended });
}

async function postFollowing(
  url: string,
  body: Uint8Array,
  headers: Record<string, string>,
  answerWithinMs: number,
  ended: AbortSignal,
): Promise<Received> {
  const nothing = { status: 0, body: '', contentType: '' };
  if (!isWebAddress(url)) return nothing;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { ...headers, connection: 'close' },
      signal: AbortSignal.any([ended, AbortSignal.timeout(answerWithinMs)]),
    });
    const contentType = answer.headers.get('content-type') ?? '';
    return { status: answer.status, body: await answer.text(), contentType };
  } catch {
    return nothing;
  }
}
