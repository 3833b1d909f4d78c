import { setTimeout as delay } from 'node:timers/promises';

// A few do not suffer from other work, and would keep it waiting for nothing.
const many = 8;
// Senders that go on without a pause come again within this time.
const quietMs = 100;
const lookEveryMs = 25;

/** Counts what is under way, so that other work can let it go first. */
export class InFlight {
  #count = 0;
  #manyUntil = -Infinity;

  /** Does `work`, and counts it until it is over. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      if (this.#count >= many) this.#manyUntil = performance.now() + quietMs;
      this.#count -= 1;
    }
  }

  /** Resolves once few are under way, and at the latest after so many milliseconds. */
  async letGoFirst(maxWaitMs: number): Promise<void> {
    const until = performance.now() + maxWaitMs;
    while (this.#areMany() && performance.now() < until) await delay(lookEveryMs);
  }

  #areMany(): boolean {
    return this.#count >= many || performance.now() < this.#manyUntil;
  }
}
