import type { IncomingMessage } from 'node:http';

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** Every header once, its values joined in the order in which they were sent. */
export function joinedHeaders(request: IncomingMessage): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    joined[name] = (values ?? []).join(name === 'cookie' ? '; ' : ', ');
  }
  return joined;
}

/** The headers with which a request goes on to the library's server. */
export function forwardedHeaders(
  headers: Readonly<Record<string, string>>,
  own: { readonly invocationId: string; readonly chunked: boolean },
): Record<string, string> {
  const dropped = namedByConnection(headers['connection']);
  const forwarded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (hopByHop.has(name) || dropped.has(name) || name === 'host' || name === 'expect') continue;
    forwarded[name] = value;
  }
  // The caller's own values stay, as they do on the platform: a caller that names the invocation waits for ever.
  forwarded['x-ms-invocation-id'] ??= own.invocationId;
  forwarded['x-forwarded-host'] ??= headers['host'] ?? '127.0.0.1';
  forwarded['x-forwarded-proto'] ??= 'http';
  if (own.chunked) forwarded['transfer-encoding'] = 'chunked';
  return forwarded;
}

/** The headers of an answer that go back to the caller, as name, value, name, value. */
export function answeredHeaders(answer: IncomingMessage): string[] {
  const dropped = namedByConnection(answer.headers.connection);
  const kept: string[] = [];
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    const name = answer.rawHeaders[index] ?? '';
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !dropped.has(lower)) kept.push(name, answer.rawHeaders[index + 1] ?? '');
  }
  return kept;
}

/** True for the content types whose bodies the platform reads into the binding data. */
export function isJson(contentType: string | undefined): boolean {
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');
}

function namedByConnection(connection: string | undefined): Set<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
