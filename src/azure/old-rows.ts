import { odata, type TableClient, type TableEntityResult } from '@azure/data-tables';
import pLimit from 'p-limit';
import type { EventSummary } from '../pipeline/model/ledger.ts';
import type { OldRows } from '../pipeline/ports/old-rows.ts';
import { isFinal } from '../pipeline/process/event-transitions.ts';
import { copyKeys, familyOf, listPrefix, partitionsOf, placeOf, readSummary, rowKey } from './ledger-rows.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { storageFault, stored } from './storage-errors.ts';

const partitionsAtOnce = 4;
const rowsAtOnce = 8;

type Row = TableEntityResult<Record<string, unknown>>;

/** What the state of an action goes by in the table `sources`; no source has a colon in its name. */
export function actionState(action: string): string {
  return `action:${action}`;
}

/** The tables `ledger`, `jobs`, `runs` and `sources`. The sources and actions are those that the settings name. */
export function tableOldRows(
  clients: StorageClients,
  { sources: configured, actions }: { sources: readonly string[]; actions: readonly string[] },
): OldRows {
  const tables = once(async () => ({
    ledger: await clients.table('ledger'),
    sources: await clients.table('sources'),
    jobs: await clients.table('jobs'),
    runs: await clients.table('runs'),
  }));
  const kept = new Set([...configured, ...actions.map(actionState)]);
  return {
    async remove(before, signal) {
      const { ledger, sources, jobs, runs } = await tables();
      const named = new Set<string>();
      await eachRow(sources, undefined, signal, async ({ partitionKey = '' }) => {
        named.add(partitionKey);
      });
      const removed = { events: 0, digests: 0, assets: 0, sources: 0, jobs: 0, runs: 0 };
      const limit = pLimit(partitionsAtOnce);
      const places = [...new Set([...configured, ...named, null])].flatMap((source) =>
        partitionsOf(source).map((partition) => ({ source, partition })),
      );
      await Promise.all(
        places.map(async (place) =>
          limit(async () => {
            const events = await removeEvents(ledger, place, before, signal);
            const digests = await removeUnwritten(ledger, place.partition, rowKey.dedupe(''), before, signal);
            const assets = await removeUnwritten(
              ledger,
              place.partition,
              rowKey.assetsBeginning,
              before,
              signal,
            );
            removed.events += events;
            removed.digests += digests;
            removed.assets += assets;
          }),
        ),
      );
      // They name the partitions of former sources: those are looked at first.
      await eachRow(sources, odata`Timestamp lt ${before}`, signal, async (row) => {
        const { partitionKey = '' } = row;
        if (!kept.has(partitionKey) && (await removeRow(sources, row))) removed.sources += 1;
      });
      // What is at work is written every few minutes; how far a source is compared, every time that it is.
      await eachRow(jobs, odata`Timestamp lt ${before}`, signal, async (row) => {
        if (await removeRow(jobs, row)) removed.jobs += 1;
      });
      // A run's rows are written together: all of one that nobody works on grow old together.
      await eachRow(runs, odata`Timestamp lt ${before}`, signal, async (row) => {
        if ((await removeRow(runs, row)) && row.rowKey?.startsWith('r:') === true) removed.runs += 1;
      });
      return { ...removed, complete: !signal.aborted };
    },
  };
}

/** Removes each event before the rows that list it: what is cut off in between is found again by them. */
async function removeEvents(
  ledger: TableClient,
  { source, partition }: { source: string | null; partition: string },
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  const { beginning, end } = familyOf(listPrefix.time);
  const oldest = beginning + placeOf(before.getTime() - 1);
  const filter = odata`PartitionKey eq ${partition} and RowKey ge ${oldest} and RowKey lt ${end}`;
  await eachRow(ledger, filter, signal, async (listed) => {
    const summary = summaryOf(source, listed);
    if (summary === undefined) return;
    const truth = await readRow(ledger, partition, rowKey.event(summary.id));
    const current = truth === undefined ? summary : summaryOf(source, truth);
    if (current === undefined) return;
    if (truth !== undefined) {
      if (!isFinal(current.state) || !(await removeRow(ledger, truth))) return;
      removed += 1;
    }
    const copies = new Set([...copyKeys(summary), ...copyKeys(current)]);
    copies.delete(listed.rowKey ?? '');
    for (const copy of copies) await removeRow(ledger, { partitionKey: partition, rowKey: copy, etag: '*' });
    await removeRow(ledger, listed);
  });
  return removed;
}

/** Undefined for what this version cannot read: it stays for one that can. */
function summaryOf(source: string | null, row: Row): EventSummary | undefined {
  try {
    return readSummary(source, row).summary;
  } catch {
    return undefined;
  }
}

/** Removes the rows of a family that nobody has written since. */
async function removeUnwritten(
  ledger: TableClient,
  partition: string,
  prefix: string,
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  const { beginning, end } = familyOf(prefix);
  const filter = odata`PartitionKey eq ${partition} and RowKey ge ${beginning} and RowKey lt ${end} and Timestamp lt ${before}`;
  await eachRow(ledger, filter, signal, async (row) => {
    if (await removeRow(ledger, row)) removed += 1;
  });
  return removed;
}

/** Works on all rows that a filter finds, page by page, until it is time to end. */
async function eachRow(
  home: TableClient,
  filter: string | undefined,
  signal: AbortSignal,
  work: (row: Row) => Promise<void>,
): Promise<void> {
  const queryOptions = filter === undefined ? {} : { filter };
  const pages = home.listEntities({ queryOptions }).byPage({ maxPageSize: 500 });
  const limit = pLimit(rowsAtOnce);
  while (!signal.aborted) {
    const page = await stored(
      'looking for old rows',
      async () => await pages.next(),
      async () => await home.createTable(),
    );
    if (page.done === true) return;
    await limit.map(page.value, async (row) => {
      if (!signal.aborted) await work(row);
    });
  }
}

async function readRow(home: TableClient, partition: string, key: string): Promise<Row | undefined> {
  return await unlessGone(async () => await home.getEntity(partition, key), undefined);
}

/** Removes a row as it was read. False where it is gone already, or somebody has written it since. */
async function removeRow(
  home: TableClient,
  { partitionKey = '', rowKey: key = '', etag }: Pick<Row, 'partitionKey' | 'rowKey' | 'etag'>,
): Promise<boolean> {
  return await unlessGone(async () => {
    await home.deleteEntity(partitionKey, key, { etag });
    return true;
  }, false);
}

async function unlessGone<T>(call: () => Promise<T>, gone: T): Promise<T> {
  return await stored(
    'removing old rows',
    async () => {
      try {
        return await call();
      } catch (error) {
        if ([404, 412].includes(storageFault(error).status ?? 0)) return gone;
        throw error;
      }
    },
    async () => undefined,
  );
}
