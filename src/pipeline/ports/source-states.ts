import type { Stored } from '../model/ledger.ts';
import type { SourceState } from '../model/source-state.ts';

/** What all instances know of each source. All of it may throw a StorageError. */
export interface SourceStates {
  read(source: string): Promise<Stored<SourceState> | undefined>;
  /**
   * Writes what `change` makes of what is there, only if nobody changed it in between; asked again otherwise. Nothing
   * is written where it gives back what it got. `known` spares the first reading; it may be out of date.
   */
  change(
    source: string,
    change: (there: SourceState) => SourceState,
    known?: Stored<SourceState>,
  ): Promise<Stored<SourceState>>;
}
