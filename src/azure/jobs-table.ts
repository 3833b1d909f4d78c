import { JobRow } from '../pipeline/model/job.ts';
import type { JobStore } from '../pipeline/ports/job-store.ts';
import { stateRows } from './state-rows.ts';
import type { StorageClients } from './storage-clients.ts';

/** The jobs in the table `jobs`: one partition and row for each. */
export function tableJobs(clients: StorageClients): JobStore {
  const rows = stateRows<JobRow | null>(clients, {
    table: 'jobs',
    rowKey: 'job',
    column: 'job',
    schema: JobRow.nullable(),
    none: null,
  });
  const partition = (kind: string, id: string): string => `${kind}:${id}`;
  return {
    read: async (kind, id) => (await rows.read(partition(kind, id)))?.value ?? null,
    change: async (kind, id, change, known) => await rows.change(partition(kind, id), change, known),
  };
}
