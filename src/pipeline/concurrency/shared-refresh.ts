import type { Clock } from '../ports/clock.ts';
import { setTimeout as delay } from 'node:timers/promises';

export interface SharedRefreshDeps<T> extends Clock {
  /** One look. What it throws makes it a look that failed. */
  refresh(): Promise<T>;
  /** At most one begins in this time. */
  readonly everyMs: number;
  /** Whoever waits holds a connection, and perhaps a body. */
  readonly mostWaiting?: number;
}

// Who waits holds a body in memory meanwhile.
const usuallyWaiting = 64;
const mostWaitingBytes = 33_554_432;
// Nobody waits longer, and a look that hangs must not keep the next one away.
const longestRefreshMs = 5_000;

/** A look that all who wait share. It begins after each of them came, so that what it does not find was not there then. */
export class SharedRefresh<T> {
  readonly #deps: SharedRefreshDeps<T>;
  #waiting = 0;
  #waitingBytes = 0;
  #next: Promise<T | undefined> | undefined;
  #running: Promise<T | undefined> | undefined;
  #beganAt = -Infinity;

  constructor(deps: SharedRefreshDeps<T>) {
    this.#deps = deps;
  }

  /**
   * What the next look finds, for somebody who holds so many bytes and can wait so long; undefined where it fails, would
   * come too late, or too many wait. Never throws.
   */
  async join(waiter: { bytes: number; maxWaitMs: number }): Promise<T | undefined> {
    const beginsInMs = this.#beganAt + this.#deps.everyMs - this.#deps.now();
    const tooMany = this.#waitingBytes + waiter.bytes > mostWaitingBytes;
    // Where nobody else waits there is room for any body: a larger one would be refused for ever.
    const { mostWaiting = usuallyWaiting } = this.#deps;
    const crowded = this.#waiting >= mostWaiting || (this.#waiting > 0 && tooMany);
    if (crowded || beginsInMs >= waiter.maxWaitMs) return undefined;
    this.#waiting += 1;
    this.#waitingBytes += waiter.bytes;
    const tooLate = new AbortController();
    try {
      this.#next ??= this.#begin();
      const late = delay(waiter.maxWaitMs, undefined, { signal: tooLate.signal }).catch(() => undefined);
      return await Promise.race([this.#next, late]);
    } finally {
      tooLate.abort();
      this.#waiting -= 1;
      this.#waitingBytes -= waiter.bytes;
    }
  }

  async #begin(): Promise<T | undefined> {
    await this.#running;
    const waitMs = this.#beganAt + this.#deps.everyMs - this.#deps.now();
    if (waitMs > 0) await delay(waitMs, undefined, { ref: false });
    this.#beganAt = this.#deps.now();
    // Who comes from here on came after this look began, and needs another.
    this.#next = undefined;
    this.#running = this.#look();
    return await this.#running;
  }

  async #look(): Promise<T | undefined> {
    const tooLong = new AbortController();
    const { signal } = tooLong;
    const late = delay(longestRefreshMs, undefined, { signal, ref: false }).catch(() => undefined);
    try {
      return await Promise.race([this.#deps.refresh(), late]);
    } catch {
      return undefined;
    } finally {
      tooLong.abort();
    }
  }
}
