import type { Clock } from '../ports/clock.ts';
import type { Permit } from '../ports/permit.ts';

export type AcquireResult =
  | { kind: 'permit'; permit: Permit }
  /** Nothing became free in time. */
  | { kind: 'busy' }
  /** The source asked us to stay away until then (milliseconds since 1970). */
  | { kind: 'closed'; until: number; code: 'source-unavailable' | 'rate-limited' };

/** Spares one source within this instance: so many calls at once, so many a second, none while it asked for quiet. */
export interface SourceLimiter {
  /** Waits at most `maxWaitMs` for a permit. */
  acquire(maxWaitMs: number): Promise<AcquireResult>;
  /** After a 429 or a 503: nobody new is let in for so long. A shorter closing never shortens a longer one. */
  pauseFor(forMs: number, code: 'source-unavailable' | 'rate-limited'): void;
}

export interface SourceLimiterOptions extends Clock {
  readonly maxAtOnce: number;
  /** 0 is no limit; else a burst of one second's worth may come at once. */
  readonly maxPerSecond: number;
}

/** Somebody who waits for a permit, and until when. */
interface Waiter {
  readonly deadline: number;
  answer(this: void, acquired: AcquireResult): void;
}

/** The limiter of one source. Whoever has a permit goes before those who wait for one; within each, first come, first served. */
export function createSourceLimiter(options: SourceLimiterOptions): SourceLimiter {
  const calls: (() => void)[] = [];
  const waiters: Waiter[] = [];
  const rate = new CallRate(options);
  let inUse = 0;
  let closing: { until: number; code: 'source-unavailable' | 'rate-limited' } | undefined;
  let wake: NodeJS.Timeout | undefined;

  const closingNow = (): typeof closing =>
    closing !== undefined && closing.until > options.now() ? closing : undefined;

  /** Lets everyone go who may, and looks again when time alone lets the next one go. */
  const step = (): void => {
    clearTimeout(wake);
    while (inUse < options.maxAtOnce && calls.length + waiters.length > 0) {
      const quiet = calls.length > 0 ? undefined : closingNow();
      const waitMs = quiet === undefined ? rate.take() : quiet.until - options.now();
      if (waitMs > 0) {
        wake = setTimeout(step, waitMs);
        return;
      }
      inUse += 1;
      const call = calls.shift();
      if (call === undefined)
        waiters.shift()?.answer({ kind: 'permit', permit: new HeldPermit(place, free) });
      else call();
    }
  };
  const free = ({ used }: { used: boolean }): void => {
    inUse -= 1;
    if (!used) rate.giveBack();
    step();
  };
  const place = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      calls.push(resolve);
      step();
    });
  };

  return {
    async acquire(maxWaitMs) {
      const deadline = options.now() + maxWaitMs;
      const quiet = closingNow();
      if (quiet !== undefined && quiet.until > deadline) return { kind: 'closed', ...quiet };
      return await new Promise<AcquireResult>((resolve) => {
        const waiter: Waiter = {
          deadline,
          answer(acquired) {
            clearTimeout(timer);
            resolve(acquired);
          },
        };
        const timer = setTimeout(() => {
          waiters.splice(waiters.indexOf(waiter), 1);
          resolve({ kind: 'busy' });
          step();
        }, maxWaitMs);
        waiters.push(waiter);
        step();
      });
    },
    pauseFor(forMs, code) {
      const until = options.now() + forMs;
      if (closing !== undefined && closing.until >= until) return;
      closing = { until, code };
      // Who would be turned away at the end of the wait can just as well go and do something else now.
      const inVain = waiters.filter((waiter) => waiter.deadline < until);
      for (const waiter of inVain) {
        waiters.splice(waiters.indexOf(waiter), 1);
        waiter.answer({ kind: 'closed', until, code });
      }
      step();
    },
  };
}

/** So many calls a second: a bucket that holds one second's worth. */
class CallRate {
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #countedAt: number;

  constructor(options: SourceLimiterOptions) {
    this.#perSecond = options.maxPerSecond;
    this.#now = () => options.now();
    this.#left = this.#perSecond;
    this.#countedAt = this.#now();
  }

  /** 0 where a call may go now, which is then counted; else how long until one may. */
  take(): number {
    if (this.#perSecond === 0) return 0;
    const now = this.#now();
    // A clock that was set back costs nobody a call.
    const passedMs = Math.max(0, now - this.#countedAt);
    this.#left = Math.min(this.#perSecond, this.#left + (passedMs / 1000) * this.#perSecond);
    this.#countedAt = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / this.#perSecond) * 1000);
    this.#left -= 1;
    return 0;
  }

  giveBack(): void {
    this.#left = Math.min(this.#perSecond, this.#left + 1);
  }
}

/** A permit: its first call has a place already, each further one waits for one. */
class HeldPermit implements Permit {
  readonly #place: () => Promise<void>;
  readonly #free: (about: { used: boolean }) => void;
  #held = true;

  constructor(place: () => Promise<void>, free: (about: { used: boolean }) => void) {
    this.#place = place;
    this.#free = free;
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) this.#held = false;
    else await this.#place();
    try {
      return await work();
    } finally {
      this.#free({ used: true });
    }
  }

  end(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#free({ used: false });
  }
}
