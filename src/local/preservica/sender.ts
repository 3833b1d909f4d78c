import { createHmac, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
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
  /** Ends the call early. */
  readonly ended?: AbortSignal;
}

export interface Received {
  /** 0 where no answer came. */
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

const nothing: Received = { status: 0, body: '', contentType: '' };

/** Sends one POST in exactly that framing (section 5.1). Never throws: status 0 where no whole answer came in time. */
export async function post(
  url: string,
  { body, headers = {}, framing = 'chunked', answerWithinMs = 30_000, ended }: Outgoing,
): Promise<Received> {
  if (ended?.aborted === true || !isWebAddress(url)) return nothing;
  return await new Promise((resolve) => {
    const length =
      framing === 'content-length'
        ? { 'content-length': String(body.byteLength) }
        : { 'transfer-encoding': 'chunked' };
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    const sent = request(
      new URL(url),
      {
        method: 'POST',
        headers: { ...headers, ...length },
        agent: false,
        ...(ended === undefined ? {} : { signal: ended }),
      },
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
    // From the first byte to the last one: an answer that only trickles is late too.
    const late = setTimeout(() => sent.destroy(), answerWithinMs);
    sent.on('error', () => resolve(nothing));
    sent.once('close', () => {
      clearTimeout(late);
      resolve(nothing);
    });
    if (framing !== 'pieces') {
      sent.end(body);
      return;
    }
    // Odd lengths, so that some end inside a character.
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < body.byteLength; from += 7) pieces.push(body.subarray(from, from + 7));
    const writeNext = (): void => {
      const piece = pieces.shift();
      if (sent.destroyed) return;
      if (piece === undefined) sent.end();
      else sent.write(piece, () => setImmediate(writeNext));
    };
    writeNext();
  });
}

/** Whether it is an address that could be called at all. */
export function isWebAddress(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
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
