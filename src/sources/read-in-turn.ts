import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';

// A parser holds everybody up while it works, and takes many times the room of what it reads.
const largeBytes = 16_384;
const one = pLimit(1);

/**
 * Reads a document. Of large ones this process reads one at a time, and then leaves as much time to others as it took, so
 * that a source that answers with nothing else holds up neither callers nor other sources for long.
 */
export async function readInTurn<T>(bytes: number, read: () => T): Promise<T> {
  if (bytes <= largeBytes) return read();
  return await one(async () => {
    const beganAt = performance.now();
    try {
      return read();
    } finally {
      await delay(performance.now() - beganAt);
    }
  });
}
