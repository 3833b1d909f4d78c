import type { EventSummary, Ledger } from '../model/ledger.ts';

const exactToMs = 60_000;

/**
 * The event of a source that has waited longest, to a minute; undefined where none waits. The ledger lists the newest first,
 * so it is found by halving the time since `earliest`. May throw a StorageError.
 */
export async function oldestWaiting(
  source: string,
  earliest: number,
  ledger: Pick<Ledger, 'list'>,
): Promise<EventSummary | undefined> {
  const newest = async (to?: number): Promise<EventSummary | undefined> => {
    const query = { source, state: 'waiting', limit: 1 } as const;
    return (await ledger.list(to === undefined ? query : { ...query, to })).events[0];
  };
  let oldest = await newest();
  if (oldest === undefined) return undefined;
  let none = earliest;
  while (Date.parse(oldest.receivedAt) - none > exactToMs) {
    const middle = Math.floor((none + Date.parse(oldest.receivedAt)) / 2);
    const older = await newest(middle);
    if (older === undefined) none = middle;
    else oldest = older;
  }
  return oldest;
}
