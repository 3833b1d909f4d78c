import type { TableClient, TransactionAction } from '@azure/data-tables';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { StorageError } from '../pipeline/ports/errors.ts';
import { canonicalAmong } from '../pipeline/model/deduplication.ts';
import type {
  AssetState,
  Change,
  EventEntry,
  Ledger,
  RowKeys,
  Rows,
  Stored,
} from '../pipeline/model/ledger.ts';
import {
  assetColumns,
  copyKeys,
  eventColumns,
  canonicalColumns,
  partitionOf,
  partitionsOf,
  readAsset,
  readEntry,
  readCanonicalEvents,
  rowKey,
  summaryColumns,
} from './ledger-rows.ts';
import { keysBeginning, listEvents, mostKeys } from './list-events.ts';
import { guarded, submitRows } from './row-transactions.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { pauseBefore, storageError, storageFault, stored } from './storage-errors.ts';

// Two who change the same rows in turn let each other through; only a crowd on one asset comes near this.
const mostTries = 30;
const doing = 'writing the ledger';

/** The ledger in the table `ledger` (its rows: `ledger-rows.ts`). `sources` are those whose events lists show. */
export function tableLedger(clients: StorageClients, sources: readonly string[]): Ledger {
  const table = once(async () => await clients.table('ledger'));
  const searched = [...sources, null];

  const readRow = async <T>(
    partition: string,
    key: string,
    read: (row: unknown) => T,
  ): Promise<Stored<T> | undefined> => {
    const home = await table();
    return await stored(
      'reading the ledger',
      async () => {
        try {
          const row = await home.getEntity(partition, key);
          return { value: read(row), etag: row.etag };
        } catch (error) {
          if (error instanceof z.ZodError)
            throw new StorageError(`reading the ledger: this version cannot read ${partition} ${key}`);
          const { status, code } = storageFault(error);
          if (status === 404 && code !== 'TableNotFound') return undefined;
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  const readRows = async ({ source, eventId, subject, assetId }: RowKeys): Promise<Rows> => {
    const partition = partitionOf(source, subject);
    const [event, asset] = await Promise.all([
      readRow(partition, rowKey.event(eventId), (row) => readEntry(source, row)),
      assetId === undefined ? undefined : readRow(partition, rowKey.asset(assetId), readAsset),
    ]);
    return { event, asset };
  };

  return {
    async change(keys, known, decide) {
      const home = await table();
      let rows = known ?? (await readRows(keys));
      for (let tries = 0; tries < mostTries; tries += 1) {
        const { change, answer } = decide(rows);
        const written = await write(home, keys, rows, change);
        if (written !== undefined) return { answer, rows: written };
        await pauseBefore(tries);
        rows = await readRows(keys);
      }
      throw othersKeepChanging();
    },
    read: readRows,
    async assetState(source, assetId) {
      return await readRow(partitionOf(source, assetId), rowKey.asset(assetId), readAsset);
    },
    async canonicalEventId(source, digest, candidate, withinMs) {
      const home = await table();
      const key = { partitionKey: partitionOf(source, digest), rowKey: rowKey.dedupe(digest) };
      for (let tries = 0; tries < mostTries; tries += 1) {
        const known = await readRow(key.partitionKey, key.rowKey, readCanonicalEvents);
        const { first, all } = canonicalAmong(known?.value ?? [], candidate, withinMs);
        if (all === known?.value) return first.id;
        const written = await submitRows(home, [guarded({ ...key, ...canonicalColumns(all) }, known)], doing);
        if (written !== undefined) return first.id;
        await pauseBefore(tries);
      }
      throw othersKeepChanging();
    },
    async list(query) {
      return await listEvents(await table(), searched, query);
    },
    async idsBeginning(text, of) {
      const [among, prefix] =
        of === 'events' ? [searched, rowKey.event('')] : [[of.assetsOf], rowKey.assetsBeginning];
      const home = await table();
      const keys = await Promise.all(
        among
          .flatMap(partitionsOf)
          .map(async (partition) => await keysBeginning(home, partition, prefix + text)),
      );
      const ids = keys.flat().map((key) => key.slice(prefix.length));
      return ids.toSorted().slice(0, mostKeys);
    },
    async find(eventId, only) {
      const found = await Promise.all(
        (only === undefined ? searched : [only]).flatMap((source) =>
          partitionsOf(source).map(
            async (partition) =>
              await readRow(partition, rowKey.event(eventId), (row) => readEntry(source, row)),
          ),
        ),
      );
      return found.find((entry) => entry !== undefined)?.value;
    },
  };
}

/** Writes a change in one transaction; undefined where the rows are no longer as they were. */
async function write(
  home: TableClient,
  keys: RowKeys,
  rows: Rows,
  change: Change,
): Promise<Rows | undefined> {
  const partitionKey = partitionOf(keys.source, keys.subject);
  const actions: TransactionAction[] = [];
  const [truth, ...lists] =
    change.event === undefined ? [] : eventActions(partitionKey, rows.event, change.event);
  if (truth !== undefined) actions.push(truth);
  const eventCount = actions.length;
  if (change.asset !== undefined && keys.assetId !== undefined) {
    const row = { partitionKey, rowKey: rowKey.asset(keys.assetId), ...assetColumns(change.asset) };
    actions.push(guarded(row, rows.asset));
  }
  actions.push(...lists);
  if (actions.length === 0) return rows;
  const written = await submitRows(home, actions, doing);
  if (written === undefined) return undefined;
  return {
    event: change.event === undefined ? rows.event : withEtag<EventEntry>(change.event, written[0]),
    asset: change.asset === undefined ? rows.asset : withEtag<AssetState>(change.asset, written[eventCount]),
  };
}

function othersKeepChanging(): StorageError {
  return storageError(doing, new Error('others keep changing the same rows'));
}

function withEtag<T>(value: T, response: { etag?: string } | undefined): Stored<T> | undefined {
  return response?.etag === undefined ? undefined : { value, etag: response.etag };
}

function eventActions(
  partitionKey: string,
  before: Stored<EventEntry> | undefined,
  entry: EventEntry,
): TransactionAction[] {
  const row = { partitionKey, rowKey: rowKey.event(entry.summary.id), ...eventColumns(entry) };
  const truth = guarded(row, before);
  if (before !== undefined && isDeepStrictEqual(before.value.summary, entry.summary)) return [truth];

  const copies = copyKeys(entry.summary);
  const columns = summaryColumns(entry);
  const outdated =
    before === undefined ? [] : copyKeys(before.value.summary).filter((key) => !copies.includes(key));
  return [
    truth,
    ...copies.map((key): TransactionAction => ['upsert', { partitionKey, rowKey: key, ...columns }, 'Merge']),
    ...outdated.map((key): TransactionAction => ['delete', { partitionKey, rowKey: key }]),
  ];
}
