import type { Clock } from '../pipeline/ports/clock.ts';
import { UpstreamError } from '../pipeline/ports/errors.ts';
import { readRetryAfter } from '../pipeline/ports/retry-after.ts';
import { tracedCall } from '../pipeline/ports/telemetry.ts';
import type { LargePlace } from './large-answers.ts';
import { isCutOffPicture } from './cut-off-picture.ts';
import { isPageForPeople, type Expected } from './page-for-people.ts';

export interface CallAnswer {
  readonly status: number;
  /** Of a refusal only what is short: a sentence and not a page. */
  readonly bytes: Uint8Array;
  readonly retryAfterMs: number | undefined;
}

export interface CallLimits extends Clock {
  readonly maxBytes: number;
  readonly timeLimitMs: number;
  /** Absent where nobody may stop the call. */
  readonly signal?: AbortSignal;
  /** Where a success that turns out to be large waits before it is read on. */
  readonly large?: LargePlace;
  /** What a success holds; a page for people in its place is an error that passes. Absent: anything. */
  readonly expects?: Expected;
}

const maxRefusalBytes = 65_536;

export interface CallInit {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: URLSearchParams | string;
}

/**
 * One call to a source system, which `system` names for people: ended after a time, its answer read up to `maxBytes`,
 * no redirect followed. Throws an UpstreamError when no whole answer comes, or a success that is larger.
 */
export async function callSource(
  system: string,
  url: URL,
  init: CallInit,
  limits: CallLimits,
): Promise<CallAnswer> {
  const { method = 'GET' } = init;
  const operation = `${method} ${templateOf(url.pathname)}`;
  const attributes = {
    'http.request.method': method,
    'server.address': url.hostname,
    'url.full': url.origin + url.pathname,
    'asset_webhooks.operation': operation,
  };
  return await tracedCall(
    { system, operation, attributes },
    async () => await call(system, url, init, limits),
  );
}

/** A path without what is of one thing only: ids have digits, or are long. */
function templateOf(path: string): string {
  return path
    .split('/')
    .map((part) => (/\d|^.{33,}$/.test(part) && !/^v\d{1,2}(?:\.\d{1,2})?$/.test(part) ? '{id}' : part))
    .join('/');
}

async function call(system: string, url: URL, init: CallInit, limits: CallLimits): Promise<CallAnswer> {
  const timeUp = AbortSignal.timeout(limits.timeLimitMs);
  const { signal = timeUp, large, expects } = limits;
  const ended = AbortSignal.any([signal, timeUp]);
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: ended,
    });
    const { status } = response;
    const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), limits.now());
    if (!response.ok) {
      // What a refusal says matters less than that it is one, and when to come back: one that is too long or breaks off
      // counts all the same.
      const body = await readAtMost(response, maxRefusalBytes).catch(() => undefined);
      return { status, bytes: body?.whole === true ? body.bytes : new Uint8Array(), retryAfterMs };
    }
    const place = large && { overBytes: large.overBytes, enter: async () => await large.enter(ended) };
    const { bytes, whole } = await readAtMost(response, limits.maxBytes, place);
    if (expects !== undefined && isPageForPeople(expects, response.headers.get('content-type'), bytes)) {
      const text = `${system} answered with a page for people in place of its data.`;
      throw new UpstreamError('UPSTREAM_CONNECTION', text, { status, retryAfterMs });
    }
    if (whole && expects === 'picture' && isCutOffPicture(bytes)) {
      const text = `${system} sent a picture that breaks off.`;
      throw new UpstreamError('UPSTREAM_CONNECTION', text, { status, retryAfterMs });
    }
    if (whole) return { status, bytes, retryAfterMs };
    throw new UpstreamError('UPSTREAM_TOO_LARGE', `${system} sent an answer that is larger than is taken.`, {
      status,
    });
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    if (timeUp.aborted) {
      const text = `${system} did not answer within ${limits.timeLimitMs / 1000} seconds.`;
      throw new UpstreamError('UPSTREAM_TIMEOUT', text, { cause: error });
    }
    const code = systemCode(error);
    const text = `The connection to ${system} failed or broke off${code === undefined ? '' : ` (${code})`}.`;
    throw new UpstreamError('UPSTREAM_CONNECTION', text, { cause: error });
  }
}

/** The body, or its beginning where it is larger than that. */
async function readAtMost(
  response: Response,
  maxBytes: number,
  place?: { overBytes: number; enter(): Promise<void> },
): Promise<{ bytes: Uint8Array; whole: boolean }> {
  const declared = Number(response.headers.get('content-length'));
  const chunks: Uint8Array[] = [];
  let size = 0;
  let waitAt = place?.overBytes ?? Infinity;
  // Leaving the loop early cancels the body, and with it the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes || declared > maxBytes) return { bytes: chunks[0] ?? chunk, whole: false };
    chunks.push(chunk);
    if (size <= waitAt) continue;
    waitAt = Infinity;
    await place?.enter();
  }
  return { bytes: Buffer.concat(chunks, size), whole: true };
}

/** The word that tells a wrong host name from a refused port or a certificate that has run out. */
export function systemCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : undefined;
}
