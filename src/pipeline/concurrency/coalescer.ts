/** What one look-up came to for those who shared it; null where it led to nothing that others could share. */
export interface LeaderResult<T> {
  readonly value: T;
  readonly shared: boolean;
}

export type Shared<T> = { kind: 'led'; value: T } | { kind: 'followed'; value: T } | { kind: 'busy' };

interface Member<T> {
  readonly order: number;
  /** Its time to wait is up. */
  expired: boolean;
  lead(this: void): Promise<LeaderResult<T>>;
  done(this: void, shared: Shared<T> | { kind: 'failed'; error: unknown }): void;
}

/**
 * Lets many events on one asset share a look-up within this instance. Who comes while one is under way waits for its
 * end, because it may have begun before that event was received; then all who wait go together with one look-up,
 * which surely began after each of them came. No clock is asked. The one with the highest `order` leads it, and of several
 * the one that came first.
 */
export class Coalescer<T> {
  readonly #waiting = new Map<string, Member<T>[]>();

  /** Leads a look-up of `key`, or follows one; `busy` when none began within `maxWaitMs`. Throws what its own `lead` throws. */
  async share(
    key: string,
    { order, maxWaitMs }: { order: number; maxWaitMs: number },
    lead: () => Promise<LeaderResult<T>>,
  ): Promise<Shared<T>> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      this.#waiting.set(key, []);
      return await this.#lead(key, lead, []);
    }
    return await new Promise((resolve, reject) => {
      const member: Member<T> = {
        order,
        expired: false,
        lead,
        done: (shared) => {
          clearTimeout(timer);
          if (shared.kind === 'failed') reject(shared.error);
          else resolve(shared);
        },
      };
      const timer = setTimeout(() => {
        const queue = this.#waiting.get(key);
        const place = queue?.indexOf(member) ?? -1;
        member.expired = true;
        // Who follows one under way gets what that one finds; if it finds nothing to share, there is no more time.
        if (place === -1) return;
        queue?.splice(place, 1);
        resolve({ kind: 'busy' });
      }, maxWaitMs);
      waiting.push(member);
    });
  }

  async #lead(key: string, lead: () => Promise<LeaderResult<T>>, followers: Member<T>[]): Promise<Shared<T>> {
    let led: LeaderResult<T> | undefined;
    try {
      led = await lead();
      return { kind: 'led', value: led.value };
    } finally {
      if (led?.shared === true)
        for (const follower of followers) follower.done({ kind: 'followed', value: led.value });
      else this.#goOnWaiting(key, followers);
      this.#next(key);
    }
  }

  #goOnWaiting(key: string, followers: readonly Member<T>[]): void {
    for (const follower of followers) if (follower.expired) follower.done({ kind: 'busy' });
    this.#waiting.get(key)?.unshift(...followers.filter(({ expired }) => !expired));
  }

  #next(key: string): void {
    const waiting = this.#waiting.get(key) ?? [];
    const leader = waiting.toSorted((a, b) => b.order - a.order)[0];
    if (leader === undefined) {
      this.#waiting.delete(key);
      return;
    }
    const followers = waiting.filter((member) => member !== leader);
    this.#waiting.set(key, []);
    this.#lead(key, leader.lead, followers).then(leader.done, (error: unknown) =>
      leader.done({ kind: 'failed', error }),
    );
  }
}
