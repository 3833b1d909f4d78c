import type { JobRow } from '../model/job.ts';
import type { EventState } from '../model/ledger.ts';
import type { JobStore } from './job-store.ts';

/** A run as it was listed. */
export interface ListedRun {
  readonly id: string;
  readonly row: JobRow;
}

export interface RunQuery {
  /** The actions whose runs are wanted. */
  readonly actions: readonly string[];
  readonly state?: EventState | undefined;
  readonly limit: number;
  /** Where an earlier page ended. */
  readonly after?: string | undefined;
}

/** The row of every run, which is a job of the kind `run`. All of it may throw a StorageError. */
export interface RunStore extends JobStore {
  /** Newest first, by when they were first begun. */
  list(query: RunQuery): Promise<{ runs: readonly ListedRun[]; next: string | null }>;
  /** The runs of an action whose ids begin so, in the order of their ids. */
  beginning(action: string, prefix: string): Promise<readonly ListedRun[]>;
}
