/** What went wrong with a source system, in words that our code can branch on. */
export type UpstreamCode =
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_CONNECTION'
  | 'UPSTREAM_STATUS'
  | 'UPSTREAM_LOGIN_REFUSED'
  | 'UPSTREAM_TOO_LARGE'
  | 'UPSTREAM_UNREADABLE';

/**
 * A source system did not give what we asked it for. The message is for people: of the answer it holds the status, and at
 * most what the system says for people, cleaned and cut short; no secret and no token.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: UpstreamCode;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** What Retry-After asked for, in milliseconds from the answer. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: UpstreamCode,
    message: string,
    about: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, about.cause === undefined ? {} : { cause: about.cause });
    this.code = code;
    this.status = about.status;
    this.retryAfterMs = about.retryAfterMs;
  }
}

/** Our own storage did not take or give something in time. An HTTP route answers 503; a queue handler lets the platform try again. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** True for an error that Node gave this code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The kind of an error, for logs and spans: what it says may hold anything. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
