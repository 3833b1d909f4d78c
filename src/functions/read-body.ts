import type { HttpRequest } from '@azure/functions';

export type Body = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'too-large' } | { kind: 'broken' };

// A body that comes more slowly than this is nobody's event.
const slowestMs = 60_000;

/**
 * Reads a request's body up to a limit. What is over it is left unread and the stream untorn, because tearing it
 * would cost the caller the answer (reference/functions-host.md, HTTP, fact 5). Never throws.
 */
export async function readBody(
  request: HttpRequest,
  declared: string | undefined,
  maxBytes: number,
): Promise<Body> {
  if (declared !== undefined && Number(declared) > maxBytes) return { kind: 'too-large' };
  if (request.body === null) return { kind: 'bytes', bytes: new Uint8Array() };

  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<Body>((resolve) => {
    timer = setTimeout(resolve, slowestMs, { kind: 'broken' });
  });
  try {
    return await Promise.race([collect(request.body, maxBytes), tooSlow]);
  } catch {
    return { kind: 'broken' };
  } finally {
    clearTimeout(timer);
  }
}

async function collect(body: NonNullable<HttpRequest['body']>, maxBytes: number): Promise<Body> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value: Uint8Array | undefined };
    if (done) return { kind: 'bytes', bytes: Buffer.concat(chunks, size) };
    if (value === undefined) continue;
    size += value.byteLength;
    if (size > maxBytes) return { kind: 'too-large' };
    chunks.push(value);
  }
}
