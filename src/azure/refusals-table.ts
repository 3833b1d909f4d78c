import { Refusals } from '../pipeline/model/refusals.ts';
import type { RefusalStore } from '../pipeline/ports/refusal-store.ts';
import { stateRows } from './state-rows.ts';
import type { StorageClients } from './storage-clients.ts';

/** The counts of refused calls in the table `sources`: one row a source. */
export function tableRefusals(clients: StorageClients): RefusalStore {
  const rows = stateRows(clients, {
    table: 'sources',
    rowKey: 'refusals',
    column: 'counts',
    schema: Refusals,
    none: [],
  });
  return {
    async update(source, change) {
      await rows.change(source, change);
    },
    read: async (source) => (await rows.read(source))?.value ?? [],
  };
}
