import type { Change, RowKeys, Rows } from '../model/ledger.ts';
import type { EventCopy } from './event-copy.ts';
import type { LeaseResult } from './event-transitions.ts';
import type { ProcessDeps } from './process-deps.ts';

/** Changes the rows of an event by one of the transitions, and logs once it is written where that counted a duplicate. */
export async function changeEvent(
  { event, head }: EventCopy,
  { keys, known }: { keys: RowKeys; known: Rows },
  transition: (rows: Rows) => { change: Change; answer: LeaseResult },
  { ledger, log }: Pick<ProcessDeps, 'ledger' | 'log'>,
): Promise<{ answer: LeaseResult; rows: Rows }> {
  let isDuplicate = false;
  const changed = await ledger.change(keys, known, (rows) => {
    const decided = transition(rows);
    isDuplicate = duplicatesOf(decided.change.event) > duplicatesOf(rows.event?.value);
    return decided;
  });
  if (isDuplicate) {
    const fields = { source: head.source, eventId: event.id, delivery: head.deliveryId, type: event.type };
    log('info', 'event-duplicate', fields);
  }
  return changed;
}

function duplicatesOf(entry: Change['event']): number {
  return entry?.summary.duplicates ?? 0;
}
