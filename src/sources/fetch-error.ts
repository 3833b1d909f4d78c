import { UpstreamError } from '../pipeline/ports/errors.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { ChangesResult, FetchResult } from '../pipeline/ports/source-client.ts';

type FetchError = Extract<FetchResult, { kind: 'again' | 'no-permission' | 'unreadable-answer' }>;

/** What an UpstreamError, or a fault of ours, means for the event that asked. */
export function fetchErrorResult(error: unknown, { source, log }: { source: string; log: Log }): FetchError {
  if (!(error instanceof UpstreamError)) {
    // A fault of ours: the name of the error tells where to look, its text might hold what was sent.
    log('error', 'look-up-broke', { source, error: error instanceof Error ? error.name : '' });
    return { kind: 'again', code: 'source-unavailable', text: 'The look-up broke on something unexpected.' };
  }
  const { code, message: text, status = 0, retryAfterMs } = error;
  const again = (why: 'source-unavailable' | 'rate-limited' | 'login-refused'): FetchError => ({
    kind: 'again',
    code: why,
    text,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  switch (code) {
    case 'UPSTREAM_TIMEOUT':
    case 'UPSTREAM_CONNECTION':
      return again('source-unavailable');
    case 'UPSTREAM_LOGIN_REFUSED':
      return again('login-refused');
    case 'UPSTREAM_TOO_LARGE':
    case 'UPSTREAM_UNREADABLE':
      return { kind: 'unreadable-answer', text };
    case 'UPSTREAM_STATUS':
      // A new token was refused for this asset alone.
      if (status === 401 || status === 403)
        return { kind: 'no-permission', text: 'The account may not read this asset.' };
      if (status === 429) return again('rate-limited');
      // 408 and 425 ask to be asked again, a redirect may be an outage's page; other 4xx will say the same for ever.
      if (status >= 500 || status < 400 || status === 408 || status === 425)
        return again('source-unavailable');
      return { kind: 'unreadable-answer', text };
    default:
      return code satisfies never;
  }
}

/** The same of a list of changes. */
export function noList(error: FetchError): ChangesResult {
  if (error.kind === 'again') return error;
  const text = error.kind === 'no-permission' ? 'The account may not list what changed.' : error.text;
  return { kind: 'no-list', text };
}

/** Ends at once when the signal says so, also where the work waits for its place or for somebody else's login. */
export async function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () =>
      reject(new UpstreamError('UPSTREAM_TIMEOUT', 'The look-up was stopped before it came to its end.'));
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race(signal.aborted ? [stopped] : [stopped, work()]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
