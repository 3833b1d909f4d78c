import * as z from 'zod';
import { StorageError } from '../pipeline/ports/errors.ts';
import { readJson } from '../pipeline/model/read-json.ts';
import { Refusals } from '../pipeline/model/refusals.ts';
import type { RefusalStore } from '../pipeline/ports/refusal-store.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { storageFault, stored } from './storage-errors.ts';

const rowKey = 'refusals';
const Row = z.object({ counts: z.string(), etag: z.string() });
// Instances add what they counted once a minute: two that meet let each other through.
const mostTries = 10;

/** The counts of refused calls in the table `sources`: one row a source, changed only as it was read. */
export function tableRefusals(clients: StorageClients): RefusalStore {
  const table = once(async () => await clients.table('sources'));

  const readRow = async (source: string): Promise<{ refusals: Refusals; etag: string | undefined }> => {
    const home = await table();
    return await stored(
      'reading the refused calls',
      async () => {
        try {
          const { counts, etag } = Row.parse(await home.getEntity(source, rowKey));
          // What nobody can read is counted anew.
          return { refusals: Refusals.safeParse(readJson(Buffer.from(counts))).data ?? [], etag };
        } catch (error) {
          const { status, code } = storageFault(error);
          if (status === 404 && code !== 'TableNotFound') return { refusals: [], etag: undefined };
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  /** False where somebody else wrote in between. */
  const write = async (source: string, refusals: Refusals, etag: string | undefined): Promise<boolean> => {
    const home = await table();
    const row = { partitionKey: source, rowKey, counts: JSON.stringify(refusals) };
    return await stored(
      'keeping the refused calls',
      async () => {
        try {
          await (etag === undefined ? home.createEntity(row) : home.updateEntity(row, 'Replace', { etag }));
          return true;
        } catch (error) {
          const { status, code } = storageFault(error);
          if (status === 409 || status === 412 || (status === 404 && code === 'ResourceNotFound'))
            return false;
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  return {
    async update(source, change) {
      for (let tries = 0; tries < mostTries; tries += 1) {
        const { refusals, etag } = await readRow(source);
        if (await write(source, change(refusals), etag)) return;
      }
      throw new StorageError('keeping the refused calls: others keep changing the same row');
    },
    read: async (source) => (await readRow(source)).refusals,
  };
}
