import pLimit from 'p-limit';

const largeBytes = 262_144;
const atOnce = 2;

/** A place for one answer, taken when it turns out to be large. */
export interface LargePlace {
  readonly overBytes: number;
  /** Waits for a place; rejects when the signal aborts first. */
  enter(this: void, signal: AbortSignal): Promise<void>;
  /** Gives the place back, if one was taken; must be called once the answer is no longer needed. */
  leave(this: void): void;
}

/** Lets two answers of a source at a time grow large: what a source sends stands in memory until it is read. */
export function largeAnswers(): () => LargePlace {
  const limit = pLimit(atOnce);
  return () => {
    let left = false;
    let leave = (): void => undefined;
    return {
      overBytes: largeBytes,
      enter: async (signal) =>
        await new Promise((resolve, reject) => {
          const stopped = (): void => reject(new Error('stopped while waiting for a place'));
          signal.addEventListener('abort', stopped, { once: true });
          void limit(async () => {
            signal.removeEventListener('abort', stopped);
            if (left) return;
            resolve();
            await new Promise<void>((end) => {
              leave = end;
            });
          });
        }),
      leave: () => {
        left = true;
        leave();
      },
    };
  };
}
