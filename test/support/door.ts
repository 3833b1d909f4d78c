import type { HttpHandler, HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { createRequire } from 'node:module';

const library = createRequire(import.meta.url)('@azure/functions') as typeof import('@azure/functions');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Calls a door's handler with a real request of the platform's library, and reads the answer as a caller would. */
export async function callDoor(
  handler: HttpHandler,
  request: HttpRequestInit & { path: string },
): Promise<Answer & { logged: { level: string; event: string; [field: string]: unknown }[] }> {
  const logged: { level: string; event: string }[] = [];
  const context = new library.InvocationContext({
    logHandler: (level, ...args) =>
      logged.push({ level, ...(JSON.parse(String(args[0])) as { event: string }) }),
  });
  const { path, ...init } = request;
  const given = (await handler(
    new library.HttpRequest({ method: 'GET', ...init, url: `http://127.0.0.1${path}` }),
    context,
  )) as HttpResponseInit;
  const body = given.jsonBody ?? given.body ?? null;
  return {
    status: given.status ?? 200,
    headers: new Headers(given.headers),
    body,
    logged,
  };
}
