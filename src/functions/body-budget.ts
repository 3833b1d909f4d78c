/** A body in memory, beside others. */
export interface HeldBody {
  /** When its upload began. */
  readonly beganAt: number;
  /** When its upload last was fast enough; undefined once it is complete. */
  readonly onPaceAt: number | undefined;
  /** Ends its upload: its memory is another's from now on. */
  giveWay(): void;
}

// Real calls are seldom larger; a reserve of memory is theirs alone.
export const smallBytes = 262_144;
const reservedShare = 1 / 4;
// An upload this young does not end for another, unless it stands still: most real ones are over by then.
const youngMs = 2_000;
const stillMs = 1_000;

/**
 * The memory of all bodies together. Larger bodies leave a quarter of it to small ones. Where it is full, the slowest
 * uploads end in place of a new one.
 */
export class BodyBudget {
  readonly #mostBytes: number;
  readonly #now: () => number;
  readonly #bytesOf = new Map<HeldBody, number>();
  #allBytes = 0;
  #largeBytes = 0;

  constructor(mostBytes: number, now: () => number) {
    this.#mostBytes = mostBytes;
    this.#now = now;
  }

  get heldBytes(): number {
    return this.#allBytes;
  }

  /** Makes a body's memory so many bytes. False where there is no room: then nothing has changed. */
  hold(body: HeldBody, bytes: number): boolean {
    const before = this.#bytesOf.get(body) ?? 0;
    let excess = this.#allBytes - before + bytes - this.#mostBytes;
    const othersLarge = this.#largeBytes - largeOf(before);
    // Alone, a large body may have all of it: it would be refused for ever.
    const mostLarge = othersLarge === 0 ? this.#mostBytes : this.#mostBytes * (1 - reservedShare);
    let excessLarge = bytes > smallBytes ? othersLarge + bytes - mostLarge : 0;

    const ending: HeldBody[] = [];
    for (const other of excess > 0 || excessLarge > 0 ? this.#slowestFirst() : []) {
      const freed = this.#bytesOf.get(other) ?? 0;
      if (excess <= 0 && largeOf(freed) === 0) continue;
      if (other === body) return false;
      ending.push(other);
      excess -= freed;
      excessLarge -= largeOf(freed);
      if (excess <= 0 && excessLarge <= 0) break;
    }
    if (excess > 0 || excessLarge > 0) return false;
    for (const other of ending) {
      this.release(other);
      other.giveWay();
    }
    this.#set(body, bytes);
    return true;
  }

  /** Gives back what a body holds. */
  release(body: HeldBody): void {
    this.#set(body, 0);
    this.#bytesOf.delete(body);
  }

  #set(body: HeldBody, bytes: number): void {
    const before = this.#bytesOf.get(body) ?? 0;
    this.#bytesOf.set(body, bytes);
    this.#allBytes += bytes - before;
    this.#largeBytes += largeOf(bytes) - largeOf(before);
  }

  #slowestFirst(): HeldBody[] {
    const now = this.#now();
    const mayEnd = ({ beganAt, onPaceAt }: HeldBody): boolean =>
      onPaceAt !== undefined && (now - beganAt > youngMs || now - onPaceAt > stillMs);
    return [...this.#bytesOf.keys()]
      .filter(mayEnd)
      .toSorted((one, other) => (one.onPaceAt ?? 0) - (other.onPaceAt ?? 0));
  }
}

function largeOf(bytes: number): number {
  return bytes > smallBytes ? bytes : 0;
}
