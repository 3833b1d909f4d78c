import type { Refusals } from '../model/refusals.ts';

/** Where the counts of all instances come together. All of it may throw a StorageError. */
export interface RefusalStore {
  /** Writes what `change` makes of what is there; it may be asked several times. */
  update(source: string, change: (there: Refusals) => Refusals): Promise<void>;
  read(source: string): Promise<Refusals>;
}

/** Counts refused calls in memory and adds them to the store now and then; no caller waits for that. */
export interface RefusalCounter {
  count(source: string, why: string): void;
  /** Adds what was counted here. Never throws: what the store does not take is kept for the next time. */
  flush(): Promise<void>;
  /** What all instances counted, as far as they added it. Throws a StorageError. */
  read(source: string): Promise<Refusals>;
}
