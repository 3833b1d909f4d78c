import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import { StorageError } from '../pipeline/ports/errors.ts';
import type { Log } from '../pipeline/ports/log.ts';
import { logOf } from './log.ts';

export type StaffAnswer = Omit<HttpResponseInit, 'headers'> & { headers?: Readonly<Record<string, string>> };

export const noSuchSource: StaffAnswer = { status: 404, jsonBody: { error: 'There is no such source.' } };

/** Answers our own people: what goes wrong is told in words, and it never throws. */
export function staffEndpoint(answer: (request: HttpRequest, log: Log) => Promise<StaffAnswer>): HttpHandler {
  return async (request, context) => {
    try {
      const given = await answer(request, logOf(context));
      return {
        ...given,
        headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...given.headers },
      };
    } catch (error) {
      logOf(context)('error', 'staff-endpoint-failed', {
        error: error instanceof Error ? error.message : 'unknown',
      });
      return error instanceof StorageError
        ? {
            status: 503,
            headers: { 'retry-after': '30' },
            jsonBody: { error: 'The storage of this app did not answer as it should; its log says how.' },
          }
        : { status: 500, jsonBody: { error: 'This went wrong inside the app; its log says how.' } };
    }
  };
}
