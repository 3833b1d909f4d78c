/** Counts what runs, and wakes who waits for it to become less. */
export class InFlight {
  #running = 0;
  #waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const look of waiting) look();
    }
  }

  /** Resolves when no more than this many run. */
  async fallsTo(most: number): Promise<void> {
    while (this.#running > most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
