import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** How a body is put on the wire: `pieces` are chunks of seven bytes, some of which end inside a character. */
export type Framing = 'chunked' | 'pieces' | 'content-length';

export interface Outgoing {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly framing?: Framing;
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

/** Sends one POST in exactly that framing. Never throws: status 0 where no whole answer came in time. */
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
