import type { Clock } from '../ports/clock.ts';
import { createCallLimiter, type CallLimiter } from './call-limiter.ts';

// An estimate that is somewhat too early keeps the source busy; one that is too late would leave it idle.
const early = 0.8;
const shortestMs = 1_000;
const expectedMs = 500;
const longestMs = 120_000;
const longestWaitMs = 5_000;
// With host.json, more messages are fetched while 24 are in hand, and 40 are the most.
const inHandAtMost = 40;
const fetchedBelow = 24;

/** How many messages of one source this instance handles at one time: a slow source must not keep the others' from being handled. */
export interface EventSlots {
  /** Gives what ends the handling of a message of so many events; undefined where there is no room, and none in time. */
  take(events: number): Promise<(() => void) | undefined>;
  /** How long until there is room for a message of so many events, after those that asked before. */
  untilRoomMs(events: number): number;
}

/** The slots of one of so many sources. */
export function eventSlots(sources: number, clock: Clock): EventSlots {
  const isAlone = sources <= 1;
  // All sources but one may be slow, and still more messages are fetched.
  const most = isAlone
    ? inHandAtMost
    : Math.max(8, Math.min(inHandAtMost / 2, Math.floor(fetchedBelow / (sources - 1))));
  const slots: CallLimiter = createCallLimiter({ maxAtOnce: most, maxPerSecond: 0, now: () => clock.now() });
  let messageMs = expectedMs;
  let nextAt = 0;
  return {
    async take(events) {
      // One event keeps nobody waiting where there is no other source. Many would make the queue longer.
      if (!(isAlone && events === 1) && slots.inUse >= most) return undefined;
      const slot = await slots.acquire(longestWaitMs);
      if (slot === undefined) return undefined;
      const startedAt = clock.now();
      return () => {
        messageMs += (Math.max(0, clock.now() - startedAt) - messageMs) / 20;
        slot.end();
      };
    },
    untilRoomMs(events) {
      const now = clock.now();
      const waitMs = events * (messageMs / most) * early;
      nextAt = Math.min(Math.max(nextAt, now) + waitMs, now + longestMs);
      return Math.max(shortestMs, nextAt - now);
    },
  };
}
