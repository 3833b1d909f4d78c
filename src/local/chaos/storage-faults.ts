import {
  busyServer,
  busyTransaction,
  type StorageFailure,
  type StorageRequest,
  type StorageService,
} from '../storage-proxy.ts';
import type { Chance } from './chance.ts';

/** What went wrong with the storage, and how often. */
export type FaultCounts = Record<'throttled' | 'throttledInBatch' | 'answersLost' | 'delayed', number>;

const probability = { throttled: 0.02, throttledInBatch: 0.04, answerLost: 0.02, delayed: 0.03 };

/** A storage that fails now and then by chance, or as a whole service for a while. */
export class StorageFaults {
  readonly counts: FaultCounts = { throttled: 0, throttledInBatch: 0, answersLost: 0, delayed: 0 };
  /** Services that throttle every request just now. */
  readonly throttled = new Set<StorageService>();
  /** The storage is not there at all. */
  isAway = false;
  calm = false;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  on({ service, method, url }: StorageRequest): StorageFailure {
    if (this.isAway) return { kind: 'refuse' };
    const isBatch = service === 'Table' && url.includes('$batch');
    if (this.throttled.has(service)) {
      this.counts.throttled += 1;
      return busyServer();
    }
    if (this.calm) return undefined;
    const chance = this.#chance;
    if (isBatch && chance.happens(probability.throttledInBatch)) {
      this.counts.throttledInBatch += 1;
      return busyTransaction();
    }
    if (chance.happens(probability.throttled)) {
      this.counts.throttled += 1;
      return busyServer();
    }
    if (method !== 'GET' && chance.happens(probability.answerLost)) {
      this.counts.answersLost += 1;
      return { kind: 'lose-answer' };
    }
    if (chance.happens(probability.delayed)) {
      this.counts.delayed += 1;
      return { kind: 'delay', ms: chance.between(50, 500) };
    }
    return undefined;
  }
}
