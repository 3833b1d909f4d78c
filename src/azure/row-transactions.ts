import type { TableClient, TransactionAction } from '@azure/data-tables';
import type { Stored } from '../pipeline/model/ledger.ts';
import { pauseBefore, storageFault, stored } from './storage-errors.ts';

const mostSubmits = 3;

/**
 * Writes rows of one partition, all or none; undefined where one is no longer as its guard says. A row to be deleted that is
 * gone already is as it should be; deletions stand last. `doing` says for people what this is.
 */
export async function submitRows(
  home: TableClient,
  actions: TransactionAction[],
  doing: string,
): Promise<readonly { etag?: string }[] | undefined> {
  return (await submit(home, actions, doing)) ?? (await submitWithoutMissing(home, actions, doing));
}

async function submit(
  home: TableClient,
  actions: TransactionAction[],
  doing: string,
): Promise<readonly { etag?: string }[] | undefined> {
  return await stored(
    doing,
    async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return (await home.submitTransaction(actions)).subResponses;
        } catch (error) {
          const { status = 0, code } = storageFault(error);
          if (status === 412 || status === 409 || (status === 404 && code === 'ResourceNotFound'))
            return undefined;
          // A busy table says so inside of a 202, which the SDK takes for a success and does not repeat.
          if (tries === mostSubmits || status < 500) throw error;
          await pauseBefore(tries + 4);
        }
      }
    },
    async () => await home.createTable(),
  );
}

/** The same without deleting rows that are gone already, where there are some: a list's row may be missing after a restore. */
async function submitWithoutMissing(
  home: TableClient,
  actions: readonly TransactionAction[],
  doing: string,
): Promise<readonly { etag?: string }[] | undefined> {
  const there = await Promise.all(
    actions.map(async ([kind, row]) => kind !== 'delete' || (await hasRow(home, row, doing))),
  );
  if (!there.includes(false)) return undefined;
  // What is deleted comes last, so that the others keep their places.
  return await submit(
    home,
    actions.filter((_, index) => there[index]),
    doing,
  );
}

async function hasRow(
  home: TableClient,
  { partitionKey, rowKey: key }: { partitionKey: string; rowKey: string },
  doing: string,
): Promise<boolean> {
  return await stored(
    doing,
    async () => {
      try {
        await home.getEntity(partitionKey, key, { queryOptions: { select: ['RowKey'] } });
        return true;
      } catch (error) {
        if (storageFault(error).status === 404) return false;
        throw error;
      }
    },
    async () => await home.createTable(),
  );
}

/** Writes a row only as the successor of what was read: of that state, or of there being none. What a later version wrote beside it stays. */
export function guarded<T>(
  row: { partitionKey: string; rowKey: string },
  before: Stored<T> | undefined,
): TransactionAction {
  return before === undefined ? ['create', row] : ['update', row, 'Merge', { etag: before.etag }];
}
