import type { HttpRequest } from '@azure/functions';
import { setTimeout as delay } from 'node:timers/promises';
import { BodyBudget, smallBytes } from './body-budget.ts';
import { Upload } from './upload.ts';

export type Body =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'too-large' }
  /** All bodies together would take more memory than they may, or it came more slowly than others that needed its memory. */
  | { kind: 'no-room' }
  /** It ended early, or came too slowly. */
  | { kind: 'broken' };

// An answer may leave before the upload ends, but most uploads end at once.
const waitForEndMs = 1_000;

/** Reads the bodies of requests, all of them together within a number of bytes. */
export class Bodies {
  readonly #budget: BodyBudget;

  constructor(mostBytes: number) {
    this.#budget = new BodyBudget(mostBytes, () => performance.now());
  }

  /**
   * Reads a body up to a limit and works on it; its bytes count as held until that has ended. Of a body that is not read
   * to its end the rest is read and dropped: left in the connection, it would stand before the next request. A body of
   * which nothing was read is dropped by Node itself.
   */
  async read<T>(request: HttpRequest, maxBytes: number, work: (body: Body) => Promise<T>): Promise<T> {
    if (isDeclaredLarger(request, maxBytes)) return await work({ kind: 'too-large' });
    if (request.body === null) return await work({ kind: 'bytes', bytes: new Uint8Array() });

    const declared = declaredBytes(request);
    const upload = new Upload(request.body, declared);
    try {
      const body = await collect(upload, { maxBytes, likelyBytes: declared ?? maxBytes }, this.#budget);
      if (body.kind !== 'bytes') {
        this.#budget.release(upload);
        await Promise.race([upload.drop(), delay(waitForEndMs, undefined, { ref: false })]);
      }
      return await work(body);
    } finally {
      this.#budget.release(upload);
    }
  }
}

/** True when a request says of its body that it is larger. */
export function isDeclaredLarger(request: HttpRequest, maxBytes: number): boolean {
  return (declaredBytes(request) ?? 0) > maxBytes;
}

function declaredBytes(request: HttpRequest): number | undefined {
  const given = request.headers.get('content-length') ?? '';
  return /^\d+$/.test(given) ? Number(given) : undefined;
}

async function collect(
  upload: Upload,
  { maxBytes, likelyBytes }: { maxBytes: number; likelyBytes: number },
  budget: BodyBudget,
): Promise<Body> {
  let buffer: Uint8Array = new Uint8Array();
  let size = 0;
  for (;;) {
    const chunk = await upload.next();
    if (upload.gaveWay) return { kind: 'no-room' };
    if (chunk === 'broken') return { kind: 'broken' };
    if (chunk === 'end') {
      upload.complete();
      return { kind: 'bytes', bytes: buffer.subarray(0, size) };
    }
    const needed = size + chunk.byteLength;
    if (needed > maxBytes) return { kind: 'too-large' };
    if (needed > buffer.byteLength) {
      // One buffer that doubles: a body in chunks of one byte each takes no more memory than another.
      const roomBytes = needed <= smallBytes ? Math.min(smallBytes, likelyBytes) : likelyBytes;
      const capacity = size === 0 ? needed : Math.max(needed, Math.min(roomBytes, 2 * buffer.byteLength));
      if (!budget.hold(upload, capacity)) return { kind: 'no-room' };
      if (size === 0) buffer = chunk;
      else {
        const grown = Buffer.allocUnsafe(capacity);
        grown.set(buffer.subarray(0, size));
        buffer = grown;
      }
    }
    if (size > 0) buffer.set(chunk, size);
    size = needed;
  }
}
