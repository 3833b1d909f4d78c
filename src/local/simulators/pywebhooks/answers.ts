import type { Answer } from '../faults.ts';
import { pythonJson } from './python-json.ts';

/** JSON in the layout of the original. */
export function reply(value: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(`${pythonJson(value, 'compact')}\n`),
  };
}

/** An error of the service itself. */
export function refuse(status: number, text: string): Answer {
  return reply({ Error: text }, status);
}

/** Where the original fails with an exception that nobody catches. */
export function internalError(): Answer {
  return reply({ message: 'Internal Server Error' }, 500);
}

export function unreadableBody(): Answer {
  const message = 'The browser (or proxy) sent a request that this server could not understand.';
  return reply({ message }, 400);
}

/** What the database says of an id that cannot be one. */
export function idTooLong(): Answer {
  return refuse(500, 'Primary key too long (max 127 characters).');
}

export function notFound(): Answer {
  return htmlPage(404, '<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n');
}

/** Plain text, though it says that it is HTML. */
export function unsupportedMediaType(): Answer {
  return htmlPage(415, 'Unsupported Media Type');
}

export function methodNotAllowed(allow: string): Answer {
  const answer = reply({ message: 'The method is not allowed for the requested URL.' }, 405);
  return { ...answer, headers: { ...answer.headers, allow } };
}

/** What an update or a delete did: always the same six counters. */
export function written(count: {
  deleted?: number;
  replaced?: number;
  skipped?: number;
  unchanged?: number;
}): Answer {
  return reply({ deleted: 0, errors: 0, inserted: 0, replaced: 0, skipped: 0, unchanged: 0, ...count });
}

function htmlPage(status: number, page: string): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: Buffer.from(page) };
}
