import * as z from 'zod';
import type { OpenWindow, Windows } from '../pipeline/windows.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { stored } from './storage-errors.ts';

const prefix = 'window:';
const Row = z.object({
  rowKey: z.string().transform((key) => key.slice(prefix.length)),
  until: z.iso.datetime().transform((time) => Date.parse(time)),
});

/** The windows in the table `sources`: one partition a source, one row for each of its secrets. */
export function tableWindows(clients: StorageClients): Windows {
  const table = once(async () => await clients.table('sources'));
  return {
    async set(source, { which, until }) {
      const home = await table();
      const row = {
        partitionKey: source,
        rowKey: prefix + which,
        until: new Date(until).toISOString(),
      };
      await stored(
        'opening a window',
        async () => await home.upsertEntity(row, 'Replace'),
        async () => await home.createTable(),
      );
    },
    async read(source) {
      const home = await table();
      return await stored(
        'looking at the windows',
        async () => {
          const windows: OpenWindow[] = [];
          const filter = `PartitionKey eq '${source}' and RowKey ge '${prefix}' and RowKey lt '${prefix}~'`;
          for await (const row of home.listEntities({ queryOptions: { filter } })) {
            const { rowKey, until } = Row.parse(row);
            if (rowKey === 'secret' || rowKey === 'api-key') windows.push({ which: rowKey, until });
          }
          return windows;
        },
        async () => await home.createTable(),
      );
    },
  };
}
