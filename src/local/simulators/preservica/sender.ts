import { createHmac, randomBytes } from 'node:crypto';
import { post } from '../post.ts';
import type { Settings } from './settings.ts';

export interface Sent {
  readonly kind: 'challenge' | 'event';
  readonly url: string;
  /** 0 where no answer came. */
  readonly status: number;
  readonly body: string;
}

export function signEvent(secret: string, body: Uint8Array, encoding: Settings['encoding'] = 'utf8'): string {
  const message = encoding === 'utf8' ? body : Buffer.from(Buffer.from(body).toString('utf8'), 'latin1');
  return createHmac('sha256', Buffer.from(secret, encoding))
    .update('preservica-webhook-auth')
    .update(message)
    .digest('hex');
}

/** Calls the URL with a code; says what was wrong with the answer, or nothing. */
export async function shakeHands(
  url: string,
  secret: string,
  settings: Settings,
  log: (sent: Sent) => void,
  ended?: AbortSignal,
): Promise<string | undefined> {
  const code = settings.challengeCode ?? randomBytes(16).toString('hex');
  const body = settings.challenge === 'json-body' ? Buffer.from('{}') : Buffer.alloc(0);
  const target = new URL(url);
  if (settings.existingQuery === 'replace') target.search = '';
  target.searchParams.append('challengeCode', code);
  const answer = await post(target.href, {
    body,
    framing: 'content-length',
    answerWithinMs: settings.answerWithinMs,
    ...(ended === undefined ? {} : { ended }),
    headers: settings.challenge === 'signed' ? { 'Preservica-Signature': signEvent(secret, body) } : {},
  });
  log({ kind: 'challenge', url, status: answer.status, body: answer.body });
  if (answer.status === 0) return 'The URL could not be reached, or did not answer in time.';
  if (answer.status !== 200) return `The URL answered the challenge with ${answer.status}.`;
  if (settings.strictContentType && !answer.contentType.startsWith('application/json'))
    return 'The answer is not declared as JSON.';
  let read: unknown;
  try {
    read = JSON.parse(answer.body);
  } catch {
    return 'The answer is no JSON.';
  }
  const members = new Map<string, unknown>(Object.entries(read ?? {}));
  const expected = createHmac('sha256', Buffer.from(secret, settings.encoding)).update(code).digest('hex');
  if (members.get('challengeCode') !== code) return 'The answer holds another code.';
  return members.get('challengeResponse') === expected ? undefined : 'The answer to the challenge is wrong.';
}
