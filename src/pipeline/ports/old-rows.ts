/** How many rows were removed because they are older than the retention. */
export interface RemovedRows {
  readonly events: number;
  readonly digests: number;
  readonly assets: number;
  readonly sources: number;
  readonly jobs: number;
  readonly runs: number;
  /** False where time was up before all was looked at; the rest is for the next time. */
  readonly complete: boolean;
}

/** What grows with every event, and has to end some day. */
export interface OldRows {
  /**
   * Removes the events that ended and were received before that time, the digests, jobs, runs and assets' states that were last
   * written before it, and what is known of sources that no settings name. Ends early when `signal` aborts. May throw a
   * StorageError.
   */
  remove(before: Date, signal: AbortSignal): Promise<RemovedRows>;
}
