import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { unzipSync } from 'node:zlib';
import { isWebAddress, type Framing } from '../post.ts';

/** What every request to an endpoint carries. */
export const requestHeaders: Readonly<Record<string, string>> = {
  'User-Agent': 'python-requests/2.21.0',
  'Accept-Encoding': 'gzip, deflate',
  Accept: 'application/json',
  Connection: 'keep-alive',
  'Content-Type': 'application/json',
};

export interface EndpointCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly body?: Uint8Array;
  readonly framing?: Framing;
  readonly answerWithinMs: number;
  readonly followRedirects: boolean;
  /** Ends the call early. */
  readonly ended: AbortSignal;
}

export interface EndpointAnswer {
  /** 0 where no whole answer came. */
  readonly status: number;
  readonly body: string;
}

const nothing: EndpointAnswer = { status: 0, body: '' };

/** Calls an endpoint as the Python library does, redirects included. Never throws. */
export async function callEndpoint(url: string, call: EndpointCall): Promise<EndpointAnswer> {
  let target = url;
  let current: EndpointCall = { ...call, headers: { ...requestHeaders, ...call.headers } };
  for (let redirects = 0; redirects <= 30; redirects += 1) {
    if (current.ended.aborted || !isWebAddress(target)) return nothing;
    const answer = await callOnce(new URL(target), current);
    if (answer === undefined) return nothing;
    const { status, body, location } = answer;
    const redirected = [301, 302, 303, 307, 308].includes(status) && location !== undefined;
    if (!redirected || !call.followRedirects) return { status, body };
    if (!URL.canParse(location, target)) return nothing;
    target = new URL(location, target).href;
    if (status !== 307 && status !== 308) current = withoutBody(current);
  }
  return nothing;
}

/** A redirected POST becomes a GET that has nothing but the headers of the event. */
function withoutBody({ body: _body, headers, ...call }: EndpointCall): EndpointCall {
  const { 'Content-Type': _type, ...kept } = headers ?? {};
  return { ...call, headers: kept };
}

async function callOnce(
  url: URL,
  { headers, body, framing, answerWithinMs, ended }: EndpointCall,
): Promise<{ status: number; body: string; location: string | undefined } | undefined> {
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, ...framed(body, framing) },
        agent: false,
        // As the original: it does not look at certificates.
        rejectUnauthorized: false,
        timeout: answerWithinMs,
        signal: ended,
      });
      request.once('response', resolve);
      request.once('timeout', () => request.destroy());
      request.on('error', reject);
      request.once('close', () => reject(new Error('The call ended without an answer.')));
      if (body === undefined) request.end();
      else Readable.from(framing === 'pieces' ? pieces(body) : [body]).pipe(request);
    });
    const bytes = await buffer(answer);
    const { 'content-encoding': encoding, location } = answer.headers;
    const packed = encoding !== undefined && ['gzip', 'deflate'].includes(encoding);
    return {
      status: answer.statusCode ?? 0,
      body: (packed ? unzipSync(bytes) : bytes).toString(),
      location,
    };
  } catch {
    return undefined;
  }
}

function framed(body: Uint8Array | undefined, framing: Framing = 'content-length'): Record<string, string> {
  if (body === undefined) return {};
  return framing === 'content-length'
    ? { 'Content-Length': String(body.byteLength) }
    : { 'Transfer-Encoding': 'chunked' };
}

async function* pieces(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < body.byteLength; from += 7) {
    yield body.subarray(from, from + 7);
    await nextTurn();
  }
}
