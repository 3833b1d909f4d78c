import { createHmac, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Settings } from './settings.ts';

export interface Sent {
  readonly kind: 'challenge' | 'event';
  readonly url: string;
  /** 0 where no answer came. */
  readonly status: number;
  readonly body: string;
}

export interface Outgoing {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly framing?: Settings['framing'];
  readonly answerWithinMs?: number;
}

/** Sends one POST in exactly that framing (section 5.1); status 0 where no answer came in time. */
export async function post(
  url: string,
  { body, headers = {}, framing = 'chunked', answerWithinMs = 30_000 }: Outgoing,
): Promise<{ status: number; body: string; contentType: string }> {
  return await new Promise((resolve) => {
    const length =
      framing === 'content-length'
        ? { 'content-length': String(body.byteLength) }
        : { 'transfer-encoding': 'chunked' };
    const nothing = { status: 0, body: '', contentType: '' };
    const sent = request(
      url,
      { method: 'POST', headers: { ...headers, ...length }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', () => resolve(nothing));
        response.once('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            contentType: response.headers['content-type'] ?? '',
          });
        });
      },
    );
    sent.setTimeout(answerWithinMs, () => sent.destroy());
    sent.once('error', () => resolve(nothing));
    if (framing !== 'pieces') {
      sent.end(body);
      return;
    }
    // Odd lengths, so that some end inside a character.
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < body.byteLength; from += 7) pieces.push(body.subarray(from, from + 7));
    const writeNext = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) sent.end();
      else sent.write(piece, () => setImmediate(writeNext));
    };
    writeNext();
  });
}

/** Section 2.7. */
export function signEvent(secret: string, body: Uint8Array, encoding: Settings['encoding'] = 'utf8'): string {
  const message = encoding === 'utf8' ? body : Buffer.from(Buffer.from(body).toString('utf8'), 'latin1');
  return createHmac('sha256', Buffer.from(secret, encoding))
    .update('preservica-webhook-auth')
    .update(message)
    .digest('hex');
}

/** Section 2.5: calls the URL with a code; says what was wrong with the answer, or nothing. */
export async function shakeHands(
  url: string,
  secret: string,
  settings: Settings,
  log: (sent: Sent) => void,
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
