import type { HttpRequest } from '@azure/functions';
import type { HeldBody } from './body-budget.ts';

// Slower than this is no sender of ours: in each 5 s 16 KiB, and a twelfth of what it sent so far, which is what an
// upload of 60 s brings; of what it says that it will send, half of that.
const pace = { bytes: 16_384, ofSent: 1 / 12, ofDeclared: 1 / 24, everyMs: 5_000, longestMs: 60_000 };

/** A body as it comes in, which ends when it comes too slowly. */
export class Upload implements HeldBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly beganAt = performance.now();
  #endsAt = this.beganAt + pace.longestMs;
  #onPaceAt = this.beganAt;
  #leastBytes: number;
  #bytes = 0;
  #bytesOnPace = 0;
  #isComplete = false;
  #gaveWay = false;
  #wake: (() => void) | undefined;

  constructor(body: NonNullable<HttpRequest['body']>, declaredBytes = 0) {
    this.#leastBytes = Math.max(pace.bytes, declaredBytes * pace.ofDeclared);
    this.#reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  get onPaceAt(): number | undefined {
    return this.#isComplete ? undefined : this.#onPaceAt;
  }

  /** True once it was ended in place of another one. */
  get gaveWay(): boolean {
    return this.#gaveWay;
  }

  giveWay(): void {
    this.#gaveWay = true;
    this.#wake?.();
  }

  /** All of it is there. */
  complete(): void {
    this.#isComplete = true;
  }

  /** The next bytes; what it answers with means nothing once it gave way. Never throws. */
  async next(): Promise<Uint8Array | 'end' | 'broken'> {
    let timer: NodeJS.Timeout | undefined;
    const waitMs = Math.min(this.#onPaceAt + pace.everyMs, this.#endsAt) - performance.now();
    const ended = new Promise<'broken'>((resolve) => {
      this.#wake = () => resolve('broken');
      // What arrived while the process was busy is read before it counts as late.
      timer = setTimeout(() => setImmediate(resolve, 'broken'), waitMs).unref();
    });
    const read = this.#reader.read().then(
      ({ done, value }) => (done ? ('end' as const) : value),
      () => 'broken' as const,
    );
    const chunk = await Promise.race([read, ended]);
    clearTimeout(timer);
    if (typeof chunk !== 'string') this.#count(chunk.byteLength);
    return chunk;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    const least = Math.max(this.#leastBytes, this.#bytesOnPace * pace.ofSent);
    if (this.#bytes - this.#bytesOnPace < least) return;
    this.#bytesOnPace = this.#bytes;
    this.#onPaceAt = performance.now();
  }

  /** Reads the rest and drops it; gives the upload up when that takes too long. Never throws. */
  async drop(): Promise<void> {
    // What is not kept may come more slowly.
    this.#leastBytes = pace.bytes;
    this.#bytes = this.#bytesOnPace = 0;
    this.#onPaceAt = performance.now();
    this.#endsAt = this.#onPaceAt + pace.longestMs;
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
