import type { Answer } from './faults.ts';

/** A request as the parts of a simulator see it: read whole. */
export interface Exchange {
  readonly method: string;
  /** Decoded, and none that is empty. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Path and query as they came. */
  readonly target: string;
}

export function xml(document: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml;charset=UTF-8' },
    body: Buffer.from(document),
  };
}

export function json(value: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function bytes(body: Uint8Array, contentType: string, headers: Record<string, string> = {}): Answer {
  return { status: 200, headers: { 'content-type': contentType, ...headers }, body };
}

export function plain(status: number, text = ''): Answer {
  return { status, headers: text === '' ? {} : { 'content-type': 'text/plain' }, body: Buffer.from(text) };
}
