import * as z from 'zod';
import type { Stored } from '../pipeline/model/ledger.ts';
import { readJson } from '../pipeline/model/read-json.ts';
import { StorageError } from '../pipeline/ports/errors.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { pauseBefore, storageFault, stored } from './storage-errors.ts';

/** The etag of what is not there. */
const noRow = '';

// Two who change the same row in turn let each other through.
const mostTries = 20;

export interface StateRows<T> {
  /** Undefined where there is none, or none that can be read. */
  read(partition: string): Promise<Stored<T> | undefined>;
  /** As `SourceStates.change`. */
  change(partition: string, change: (there: T) => T, known?: Stored<T>): Promise<Stored<T>>;
}

/** One row of JSON in each partition of a table, changed only as it was read. */
export function stateRows<T>(
  clients: StorageClients,
  {
    table: name,
    rowKey,
    column,
    schema,
    none,
  }: {
    table: string;
    rowKey: string;
    column: string;
    schema: z.ZodType<T>;
    none: T;
  },
): StateRows<T> {
  const table = once(async () => await clients.table(name));
  const doing = `keeping a row "${rowKey}" of the table ${name}`;

  const readRow = async (partition: string): Promise<{ value: T; etag: string | undefined }> => {
    const home = await table();
    return await stored(
      doing,
      async () => {
        try {
          const row = await home.getEntity(partition, rowKey);
          // What nobody can read is begun anew.
          const value = schema.safeParse(readJson(Buffer.from(String(row[column])))).data ?? none;
          return { value, etag: row.etag };
        } catch (error) {
          const { status, code } = storageFault(error);
          if (status === 404 && code !== 'TableNotFound') return { value: none, etag: undefined };
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  /** The new etag; undefined where somebody else wrote in between. */
  const write = async (
    partition: string,
    value: T,
    etag: string | undefined,
  ): Promise<string | undefined> => {
    const home = await table();
    const row = { partitionKey: partition, rowKey, [column]: JSON.stringify(value) };
    return await stored(
      doing,
      async () => {
        try {
          const written = await (etag === undefined
            ? home.createEntity(row)
            : home.updateEntity(row, 'Merge', { etag }));
          return written.etag ?? '';
        } catch (error) {
          const { status, code } = storageFault(error);
          if (status === 409 || status === 412 || (status === 404 && code === 'ResourceNotFound'))
            return undefined;
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  return {
    async read(partition) {
      const { value, etag } = await readRow(partition);
      return etag === undefined ? undefined : { value, etag };
    },
    async change(partition, change, known) {
      let there: { value: T; etag: string | undefined } =
        known === undefined
          ? await readRow(partition)
          : { ...known, etag: known.etag === noRow ? undefined : known.etag };
      for (let tries = 0; tries < mostTries; tries += 1) {
        await pauseBefore(tries);
        const value = change(there.value);
        if (value === there.value) return { value, etag: there.etag ?? noRow };
        const etag = await write(partition, value, there.etag);
        if (etag !== undefined) return { value, etag };
        there = await readRow(partition);
      }
      throw new StorageError(`${doing}: others keep changing the same row`);
    },
  };
}
