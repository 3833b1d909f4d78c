import type { JobRow } from '../model/job.ts';
import type { Stored } from '../model/ledger.ts';

/** The row of every job; null is "there is none". All of it may throw a StorageError. */
export interface JobStore {
  read(kind: string, id: string): Promise<JobRow | null>;
  /**
   * Changes a job's row only as it was read; otherwise reads it again and decides anew. A row given back as it is is not
   * written. `known` spares the first reading; it may be out of date. The etag of what is not there is empty.
   */
  change(
    kind: string,
    id: string,
    change: (there: JobRow | null) => JobRow | null,
    known?: Stored<JobRow | null>,
  ): Promise<Stored<JobRow | null>>;
}
