/** Leave to ask a source: its calls go before those of whoever has not begun. */
export interface Turn {
  /** Runs one call when a place is free for it. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Gives back what was not used. Must be called once the work is done; calling it again does nothing. */
  end(): void;
}

export type Admission =
  | { kind: 'turn'; turn: Turn }
  /** Nothing became free in time. */
  | { kind: 'busy' }
  /** The source asked us to stay away until then (milliseconds since 1970). */
  | { kind: 'closed'; until: number; code: 'source-unavailable' | 'rate-limited' };

/** Spares one source within this instance: so many calls at once, so many a second, none while it asked for quiet. */
export interface CallGate {
  /** Waits at most `maxWaitMs` for a first place. */
  admit(maxWaitMs: number): Promise<Admission>;
  /** After a 429 or a 503: nobody new is admitted for so long. A shorter closing never shortens a longer one. */
  close(forMs: number, code: 'source-unavailable' | 'rate-limited'): void;
}

export interface CallGateOptions {
  readonly maxAtOnce: number;
  /** 0 is no limit; else a burst of one second's worth may come at once. */
  readonly maxPerSecond: number;
  now(): number;
}

interface Waiter {
  go(): void;
}

/** The gate of one source. Whoever has a turn goes before those who wait for one; within each, first come, first served. */
export function createCallGate(options: CallGateOptions): CallGate {
  const calls: Waiter[] = [];
  const admissions: Waiter[] = [];
  let inUse = 0;
  let tokens = options.maxPerSecond;
  let refilledAt = options.now();
  let closed: { until: number; code: 'source-unavailable' | 'rate-limited' } | undefined;
  let wake: NodeJS.Timeout | undefined;

  /** How long until a call may go for its number a second; takes the call into account where that is now. */
  const waitForToken = (): number => {
    if (options.maxPerSecond === 0) return 0;
    const now = options.now();
    tokens = Math.min(options.maxPerSecond, tokens + ((now - refilledAt) / 1000) * options.maxPerSecond);
    refilledAt = now;
    if (tokens < 1) return Math.ceil(((1 - tokens) / options.maxPerSecond) * 1000);
    tokens -= 1;
    return 0;
  };
  const closedForMs = (): number => Math.max(0, (closed?.until ?? 0) - options.now());

  /** Lets everyone go who may, and looks again when time alone lets the next one go. */
  const step = (): void => {
    clearTimeout(wake);
    while (inUse < options.maxAtOnce) {
      const queue = calls.length > 0 ? calls : admissions;
      if (queue.length === 0) return;
      const waitMs = (queue === admissions ? closedForMs() : 0) || waitForToken();
      if (waitMs > 0) {
        wake = setTimeout(step, waitMs);
        return;
      }
      inUse += 1;
      queue.shift()?.go();
    }
  };
  const free = (): void => {
    inUse -= 1;
    step();
  };
  const place = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      calls.push({ go: resolve });
      step();
    });
  };

  return {
    async admit(maxWaitMs) {
      if (closed !== undefined && closedForMs() > maxWaitMs) return { kind: 'closed', ...closed };
      const admitted = await new Promise<boolean>((resolve) => {
        const waiter: Waiter = {
          go: () => {
            clearTimeout(timer);
            resolve(true);
          },
        };
        const timer = setTimeout(() => {
          admissions.splice(admissions.indexOf(waiter), 1);
          resolve(false);
        }, maxWaitMs);
        admissions.push(waiter);
        step();
      });
      if (admitted) return { kind: 'turn', turn: new HeldTurn(place, free) };
      // Whoever waited behind others may find at the end that it was the source that asked for quiet.
      return closed !== undefined && closedForMs() > 0 ? { kind: 'closed', ...closed } : { kind: 'busy' };
    },
    close(forMs, code) {
      const until = options.now() + forMs;
      if (closed === undefined || until > closed.until) closed = { until, code };
    },
  };
}

/** A turn that holds the place of its admission until its first call takes it. */
class HeldTurn implements Turn {
  readonly #place: () => Promise<void>;
  readonly #free: () => void;
  #held = true;

  constructor(place: () => Promise<void>, free: () => void) {
    this.#place = place;
    this.#free = free;
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) this.#held = false;
    else await this.#place();
    try {
      return await work();
    } finally {
      this.#free();
    }
  }

  end(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#free();
  }
}
