import type { Clock } from '../ports/clock.ts';
import type { Permit } from '../ports/permit.ts';

/** Limits the calls to one source within this instance: so many at once, so many a second. */
export interface CallLimiter {
  /** Waits at most `maxWaitMs` for a permit; undefined where none became free in time. */
  acquire(maxWaitMs: number): Promise<Permit | undefined>;
  /** How many may be under way at once from now on; those under way go on. */
  setMaxAtOnce(maxAtOnce: number): void;
  /** Calls that are under way. */
  readonly inUse: number;
  /** Calls and events that wait. */
  readonly waiting: number;
}

export interface CallLimiterOptions extends Clock {
  /** How many are at most in use at once, of all instances together where others share them. */
  readonly maxAtOnce: number;
  /** 0 is no limit; else a burst of one second's worth may come at once. */
  readonly maxPerSecond: number;
}

/** Whoever has a permit goes before those who wait for one; within each, first come, first served. */
export function createCallLimiter(options: CallLimiterOptions): CallLimiter {
  const calls: (() => void)[] = [];
  const waiters: ((permit: Permit) => void)[] = [];
  const rate = new CallRate(options);
  let { maxAtOnce } = options;
  let inUse = 0;
  let wake: NodeJS.Timeout | undefined;

  /** Lets everyone go who may, and looks again when time alone lets the next one go. */
  const step = (): void => {
    clearTimeout(wake);
    while (inUse < maxAtOnce && calls.length + waiters.length > 0) {
      const waitMs = rate.take(maxAtOnce / options.maxAtOnce);
      if (waitMs > 0) {
        wake = setTimeout(step, waitMs);
        return;
      }
      inUse += 1;
      const call = calls.shift();
      if (call === undefined) waiters.shift()?.(new HeldPermit(place, free));
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
      return await new Promise<Permit | undefined>((resolve) => {
        const waiter = (permit: Permit): void => {
          clearTimeout(timer);
          resolve(permit);
        };
        const timer = setTimeout(() => {
          waiters.splice(waiters.indexOf(waiter), 1);
          resolve(undefined);
          step();
        }, maxWaitMs);
        waiters.push(waiter);
        step();
      });
    },
    setMaxAtOnce(given) {
      maxAtOnce = given;
      step();
    },
    get inUse() {
      return inUse;
    },
    get waiting() {
      return calls.length + waiters.length;
    },
  };
}

/** So many calls a second: a bucket that holds one second's worth. */
class CallRate {
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #countedAt: number;

  constructor(options: CallLimiterOptions) {
    this.#perSecond = options.maxPerSecond;
    this.#now = () => options.now();
    this.#left = this.#perSecond;
    this.#countedAt = this.#now();
  }

  /** 0 where a call may go now, which is then counted; else how long until one may. `share` is ours of the number. */
  take(share: number): number {
    if (this.#perSecond === 0) return 0;
    const perSecond = this.#perSecond * share;
    const now = this.#now();
    // A clock that was set back costs nobody a call.
    const passedMs = Math.max(0, now - this.#countedAt);
    // A small share still lets one call go at a time.
    const most = Math.max(1, perSecond);
    this.#left = Math.min(most, this.#left + (passedMs / 1000) * perSecond);
    this.#countedAt = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / perSecond) * 1000);
    this.#left -= 1;
    return 0;
  }

  giveBack(): void {
    this.#left += 1;
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
