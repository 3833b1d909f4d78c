import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { JobRow } from '../pipeline/model/job.ts';
import type { EventState, Stored } from '../pipeline/model/ledger.ts';
import { readJson } from '../pipeline/model/read-json.ts';
import { StorageError } from '../pipeline/ports/errors.ts';
import type { ListedRun, RunQuery, RunStore } from '../pipeline/ports/run-store.ts';
import { actionOfRun } from '../pipeline/process/runs.ts';
import { placeOf } from './ledger-rows.ts';
import { guarded, submitRows } from './row-transactions.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { pauseBefore, storageFault, stored } from './storage-errors.ts';

// One partition an action. In it are three families of rows, told apart by the letter that their keys begin with: a run by
// its id (the truth), by time and by state (copies, in the order in which they are listed).

/** The etag of what is not there. */
const noRow = '';
const mostTries = 20;
const mostOfEvent = 50;

const truthOf = (id: string): string => `r:${id}`;
const timePrefix = 't:';
const statePrefix = (state: EventState): string => `s:${state}:`;

/** The table `runs`. */
export function tableRuns(clients: StorageClients): RunStore {
  const table = once(async () => await clients.table('runs'));

  const readRow = async (id: string): Promise<Stored<JobRow | null>> => {
    const home = await table();
    return await stored(
      'reading a run',
      async () => {
        try {
          const row = await home.getEntity(actionOfRun(id), truthOf(id));
          return { value: rowIn(row), etag: row.etag };
        } catch (error) {
          const { status, code } = storageFault(error);
          if (status === 404 && code !== 'TableNotFound') return { value: null, etag: noRow };
          throw error;
        }
      },
      async () => await home.createTable(),
    );
  };
  /** The new etag; undefined where somebody else wrote in between. */
  const write = async (
    id: string,
    before: Stored<JobRow | null>,
    row: JobRow,
  ): Promise<string | undefined> => {
    const home = await table();
    const written = await submitRows(home, changesOf(id, before, row), 'writing a run');
    return written === undefined ? undefined : (written[0]?.etag ?? noRow);
  };

  return {
    read: async (_kind, id) => (await readRow(id)).value,
    async change(_kind, id, change, known) {
      let there = known ?? (await readRow(id));
      for (let tries = 0; tries < mostTries; tries += 1) {
        await pauseBefore(tries);
        const value = change(there.value);
        if (value === null || value === there.value) return { value, etag: there.etag };
        const etag = await write(id, there, value);
        if (etag !== undefined) return { value, etag };
        there = await readRow(id);
      }
      throw new StorageError('writing a run: others keep changing the same row');
    },
    async list(query) {
      const home = await table();
      const found = await Promise.all(query.actions.map(async (action) => await listOf(home, action, query)));
      const all = found.flat().toSorted((one, other) => (one.place < other.place ? -1 : 1));
      const page = all.slice(0, query.limit);
      return {
        runs: page.map(({ id, row }) => ({ id, row })),
        next: all.length > page.length ? (page.at(-1)?.place ?? null) : null,
      };
    },
    async beginning(action, prefix) {
      const home = await table();
      // Every character of an id comes before a tilde.
      const filter = odata`PartitionKey eq ${action} and RowKey ge ${truthOf(prefix)} and RowKey lt ${`${truthOf(prefix)}~`}`;
      return await rowsOf(home, filter, mostOfEvent);
    },
  };
}

async function listOf(
  home: TableClient,
  action: string,
  { state, limit, after }: RunQuery,
): Promise<(ListedRun & { place: string })[]> {
  const prefix = state === undefined ? timePrefix : statePrefix(state);
  const filter = odata`PartitionKey eq ${action} and RowKey gt ${prefix + (after ?? '')} and RowKey lt ${`${prefix}~`}`;
  const rows = await rowsOf(home, filter, limit + 1);
  return rows.map((run) => ({ ...run, place: placeIn(run) }));
}

function placeIn({ id, row }: ListedRun): string {
  return placeOf(Date.parse(row.startedAt), id);
}

async function rowsOf(home: TableClient, filter: string, most: number): Promise<ListedRun[]> {
  const pages = home.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: most });
  const found: ListedRun[] = [];
  while (found.length < most) {
    const page = await stored(
      'listing runs',
      async () => await pages.next(),
      async () => await home.createTable(),
    );
    if (page.done === true) break;
    for (const entity of page.value) {
      const row = rowIn(entity);
      if (row !== null) found.push({ id: String(entity['id']), row });
    }
  }
  return found.slice(0, most);
}

/** Null for what this version cannot read. */
function rowIn(entity: Readonly<Record<string, unknown>>): JobRow | null {
  return JobRow.safeParse(readJson(Buffer.from(String(entity['job'])))).data ?? null;
}

function changesOf(id: string, before: Stored<JobRow | null>, row: JobRow): TransactionAction[] {
  const partitionKey = actionOfRun(id);
  const columns = { id, job: JSON.stringify(row) };
  const truth = { partitionKey, rowKey: truthOf(id), ...columns };
  const copies = copyKeys(id, row);
  const outdated =
    before.value === null ? [] : copyKeys(id, before.value).filter((key) => !copies.includes(key));
  return [
    guarded(truth, before.value === null ? undefined : before),
    ...copies.map((key): TransactionAction => ['upsert', { partitionKey, rowKey: key, ...columns }, 'Merge']),
    ...outdated.map((key): TransactionAction => ['delete', { partitionKey, rowKey: key }]),
  ];
}

function copyKeys(id: string, row: JobRow): string[] {
  const place = placeIn({ id, row });
  return [timePrefix + place, statePrefix(row.state) + place];
}
