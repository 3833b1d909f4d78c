import * as z from 'zod';
import type { OpenWindow, StoredWindow, Windows } from '../pipeline/ports/rotation-windows.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { storageFault, stored } from './storage-errors.ts';

const prefix = 'window:';
const time = z.iso.datetime().transform((given) => Date.parse(given));
const Row = z.object({
  rowKey: z.string().transform((key) => key.slice(prefix.length)),
  etag: z.string(),
  until: time,
  offer: z.string().optional(),
});
const Offer = z.object({
  digest: z.string(),
  state: z.enum(['claimed', 'writing', 'refused', 'taken']),
  claim: z.string(),
  at: time,
  withdrawn: z.string().optional(),
});

/** The windows in the table `sources`: one partition a source, one row for each of its secrets. */
export function tableWindows(clients: StorageClients): Windows {
  const table = once(async () => await clients.table('sources'));
  return {
    async read(source, abortSignal) {
      const home = await table();
      return await stored(
        'looking at the windows',
        async () => {
          const windows: StoredWindow[] = [];
          const filter = `PartitionKey eq '${source}' and RowKey ge '${prefix}' and RowKey lt '${prefix}~'`;
          const options = { queryOptions: { filter }, ...(abortSignal === undefined ? {} : { abortSignal }) };
          for await (const row of home.listEntities(options)) {
            const { rowKey, etag, until, offer } = Row.parse(row);
            if (rowKey !== 'secret' && rowKey !== 'api-key') continue;
            windows.push({ which: rowKey, until, offer: readOffer(offer), version: etag });
          }
          return windows;
        },
        async () => await home.createTable(),
      );
    },
    async replace(source, window, version, abortSignal) {
      const home = await table();
      const row = rowOf(source, window);
      const options = abortSignal === undefined ? {} : { abortSignal };
      return await stored(
        'changing a window',
        async () => {
          try {
            const { etag } =
              version === undefined
                ? await home.createEntity(row, options)
                : await home.updateEntity(row, 'Merge', { ...options, etag: version });
            return etag;
          } catch (error) {
            if (isChanged(error)) return undefined;
            throw error;
          }
        },
        async () => await home.createTable(),
      );
    },
  };
}

function rowOf(source: string, { which, until, offer }: OpenWindow) {
  return {
    partitionKey: source,
    rowKey: prefix + which,
    until: new Date(until).toISOString(),
    offer: offer === undefined ? '' : JSON.stringify({ ...offer, at: new Date(offer.at).toISOString() }),
  };
}

function readOffer(text: string | undefined): OpenWindow['offer'] {
  return text === undefined || text === '' ? undefined : Offer.parse(JSON.parse(text));
}

/** Another row is there than the one that was meant, or one at all, or none any more. */
function isChanged(error: unknown): boolean {
  const { status, code } = storageFault(error);
  return status === 409 || status === 412 || code === 'ResourceNotFound' || code === 'EntityNotFound';
}
