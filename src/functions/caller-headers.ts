import type { InvocationContext } from '@azure/functions';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

const byInvocation = new Map<string, IncomingHttpHeaders>();

/**
 * Begins to remember the headers of every request as they were sent. What the platform hands to a function as headers
 * can be emptied or replaced by the body of the same request (reference/functions-host.md, HTTP, fact 4); what Node
 * itself received cannot. To be called once, before the first request.
 */
export function watchCallerHeaders(): void {
  subscribe('http.server.request.start', (message) => {
    // The message that Node documents for this channel.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const invocationId = request.headers['x-ms-invocation-id'];
    if (typeof invocationId !== 'string') return;
    byInvocation.set(invocationId, request.headers);
    response.once('close', () => byInvocation.delete(invocationId));
  });
}

/** The caller's headers, names in lower case, repeated ones joined by `, `; undefined where this request was not seen. */
export function callerHeaders(context: InvocationContext): ReadonlyMap<string, string> | undefined {
  const headers = byInvocation.get(context.invocationId);
  if (headers === undefined) return undefined;
  return new Map(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
