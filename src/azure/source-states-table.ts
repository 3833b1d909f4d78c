import { openSource, SourceState } from '../pipeline/model/source-state.ts';
import type { SourceStates } from '../pipeline/ports/source-states.ts';
import { stateRows } from './state-rows.ts';
import type { StorageClients } from './storage-clients.ts';

/** The state of each source in the table `sources`: one row a source. */
export function tableSourceStates(clients: StorageClients): SourceStates {
  return stateRows(clients, {
    table: 'sources',
    rowKey: 'state',
    column: 'state',
    schema: SourceState,
    none: openSource,
  });
}
