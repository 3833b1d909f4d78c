import { UpstreamError } from '../../errors.ts';

const longestCallMs = 30_000;

export interface CallAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly retryAfterMs: number | undefined;
}

/**
 * One call to Preservica: ended after 30 seconds, its answer read up to `maxBytes`, no redirect followed. Throws an
 * UpstreamError when no whole answer comes, or one that is larger.
 */
export async function callPreservica(
  url: URL,
  init: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: URLSearchParams },
  limits: { maxBytes: number; signal: AbortSignal; now(): number },
): Promise<CallAnswer> {
  const timeUp = AbortSignal.timeout(longestCallMs);
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.any([limits.signal, timeUp]),
    });
    const bytes = await readAtMost(response, limits.maxBytes);
    if (bytes === undefined) {
      throw new UpstreamError(
        'UPSTREAM_TOO_LARGE',
        'Preservica sent an answer that is larger than is taken.',
        {
          status: response.status,
        },
      );
    }
    const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), limits.now());
    return { status: response.status, bytes, retryAfterMs };
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    if (timeUp.aborted) {
      throw new UpstreamError('UPSTREAM_TIMEOUT', 'Preservica did not answer within 30 seconds.', {
        cause: error,
      });
    }
    throw new UpstreamError('UPSTREAM_CONNECTION', 'The connection to Preservica failed or broke off.', {
      cause: error,
    });
  }
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body, and with it the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Seconds, or an HTTP date (RFC 9110, 10.2.3). */
function readRetryAfter(given: string | null, now: number): number | undefined {
  if (given === null) return undefined;
  if (/^\d{1,9}$/.test(given)) return Number(given) * 1000;
  const at = Date.parse(given);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
