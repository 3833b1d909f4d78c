import type { HttpRequest } from '@azure/functions';
import { setTimeout as delay } from 'node:timers/promises';

export type Body =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'too-large' }
  /** All bodies together would take more memory than they may. */
  | { kind: 'no-room' }
  /** It ended early, or made no progress. */
  | { kind: 'broken' };

// Slower than this is no sender of ours: 16 KiB in each 5 s, and 60 s in all.
const progress = { bytes: 16_384, everyMs: 5_000, longestMs: 60_000 };
// An answer may leave before the upload ends, but most uploads end at once.
const waitForEndMs = 1_000;

/** Reads the bodies of requests, all of them together within a number of bytes. */
export class Bodies {
  readonly #mostBytes: number;
  #heldBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Reads a body up to a limit and works on it; its bytes count as held until that has ended. Of a body that is not read
   * to its end the rest is read and dropped: left in the connection, it would stand before the next request. A body of
   * which nothing was read is dropped by Node itself.
   */
  async read<T>(request: HttpRequest, maxBytes: number, work: (body: Body) => Promise<T>): Promise<T> {
    if (isDeclaredLarger(request, maxBytes)) return await work({ kind: 'too-large' });
    if (request.body === null) return await work({ kind: 'bytes', bytes: new Uint8Array() });

    const upload = new Upload(request.body);
    let heldBytes = 0;
    const hold = (bytes: number): boolean => {
      const more = bytes - heldBytes;
      if (this.#heldBytes + more > this.#mostBytes) return false;
      this.#heldBytes += more;
      heldBytes = bytes;
      return true;
    };
    try {
      const body = await collect(upload, maxBytes, hold);
      if (body.kind !== 'bytes') {
        hold(0);
        await Promise.race([upload.drop(), delay(waitForEndMs, undefined, { ref: false })]);
      }
      return await work(body);
    } finally {
      hold(0);
    }
  }
}

/** True when a request says of its body that it is larger. */
export function isDeclaredLarger(request: HttpRequest, maxBytes: number): boolean {
  return Number(request.headers.get('content-length') ?? 0) > maxBytes;
}

async function collect(upload: Upload, maxBytes: number, hold: (bytes: number) => boolean): Promise<Body> {
  let buffer: Uint8Array = new Uint8Array();
  let size = 0;
  for (;;) {
    const chunk = await upload.next();
    if (chunk === 'broken') return { kind: 'broken' };
    if (chunk === 'end') return { kind: 'bytes', bytes: buffer.subarray(0, size) };
    const needed = size + chunk.byteLength;
    if (needed > maxBytes) return { kind: 'too-large' };
    if (needed > buffer.byteLength) {
      // One buffer that doubles: a body in chunks of one byte each takes no more memory than another.
      const capacity = size === 0 ? needed : Math.min(maxBytes, Math.max(needed, 2 * buffer.byteLength));
      if (!hold(capacity)) return { kind: 'no-room' };
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

/** A body as it comes in, which ends when it makes no progress. */
class Upload {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #endsAt = performance.now() + progress.longestMs;
  #windowEndsAt = performance.now() + progress.everyMs;
  #bytesInWindow = 0;

  constructor(body: NonNullable<HttpRequest['body']>) {
    this.#reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** The next bytes. Never throws. */
  async next(): Promise<Uint8Array | 'end' | 'broken'> {
    let timer: NodeJS.Timeout | undefined;
    const waitMs = Math.min(this.#windowEndsAt, this.#endsAt) - performance.now();
    const late = new Promise<'broken'>((resolve) => {
      // What arrived while the process was busy is read before it counts as late.
      timer = setTimeout(() => setImmediate(resolve, 'broken'), waitMs).unref();
    });
    const read = this.#reader.read().then(
      ({ done, value }) => (done ? ('end' as const) : value),
      () => 'broken' as const,
    );
    const chunk = await Promise.race([read, late]);
    clearTimeout(timer);
    if (typeof chunk !== 'string') this.#count(chunk.byteLength);
    return chunk;
  }

  #count(bytes: number): void {
    this.#bytesInWindow += bytes;
    if (this.#bytesInWindow < progress.bytes) return;
    this.#bytesInWindow = 0;
    this.#windowEndsAt = performance.now() + progress.everyMs;
  }

  /** Reads the rest and drops it; gives the upload up when that takes too long. Never throws. */
  async drop(): Promise<void> {
    this.#windowEndsAt = performance.now() + progress.everyMs;
    this.#endsAt = performance.now() + progress.longestMs;
    for (;;) {
      const chunk = await this.next();
      if (chunk === 'end') return;
      if (chunk === 'broken') {
        await this.#reader.cancel().catch(() => undefined);
        return;
      }
    }
  }
}
