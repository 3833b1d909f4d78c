const inARow = 10;
const window = 50;

/** Counts how a source answers; `trips` where it fails too often to be asked on. */
export class Circuit {
  #inARow = 0;
  #latest: boolean[] = [];

  /** True after ten failures in a row, or where more than half of the last fifty failed. It begins anew then. */
  trips(failed: boolean): boolean {
    this.#inARow = failed ? this.#inARow + 1 : 0;
    this.#latest = [...this.#latest, failed].slice(-window);
    const failures = this.#latest.filter(Boolean).length;
    const trips = failed && (this.#inARow >= inARow || failures > window / 2);
    if (trips) this.reset();
    return trips;
  }

  reset(): void {
    this.#inARow = 0;
    this.#latest = [];
  }
}
