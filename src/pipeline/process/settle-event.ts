import { changeEvent } from './change-event.ts';
import { keysOf, type EventCopy } from './event-copy.ts';
import { settle, type LeaseResult, type Settled } from './event-transitions.ts';
import type { EventLease } from './event-lease.ts';
import type { AssetState, EventSummary, Rows } from '../model/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { ReasonCode } from '../model/reason-codes.ts';
import type { ProcessDeps } from './process-deps.ts';

// Most events come once: the first write is tried without reading.
const noneKnown: Rows = { event: undefined, asset: undefined };

export interface Settling {
  readonly countsAsTry: boolean;
  /** The try that comes next, where the event waits. */
  readonly attempt?: number;
  readonly asset?: AssetState;
}

/**
 * Writes down how an event ended, or why it waits, and logs that once it is written. Nothing is logged where the event
 * was not this copy's to settle.
 */
export async function settleEvent(
  copy: EventCopy,
  settled: Settled,
  about: Settling,
  deps: Pick<ProcessDeps, 'ledger' | 'log' | 'now'>,
  lease?: EventLease,
): Promise<LeaseResult> {
  const now = new Date(deps.now());
  const { answer, rows: after } =
    lease === undefined
      ? await changeEvent(
          copy,
          { keys: keysOf(copy), known: noneKnown },
          (rows) => settle(rows, copy, settled, { ...about, now }),
          deps,
        )
      : await lease.settle(settled, { ...about, now });
  if (answer.kind === 'ours' && after.event !== undefined) {
    logSettled(after.event.value.summary, { now, tried: about.countsAsTry }, deps.log);
  }
  return answer;
}

function logSettled(event: EventSummary, about: { now: Date; tried: boolean }, log: Log): void {
  const fields = {
    source: event.source,
    eventId: event.id,
    delivery: event.deliveryId,
    type: event.type,
    state: event.state,
    code: event.reason?.code,
    attempts: event.attempts,
    lagMs: about.now.getTime() - Date.parse(event.receivedAt),
  };
  if (event.state === 'waiting') {
    const level = about.tried && wantsAttention.has(event.reason?.code) ? 'warn' : 'info';
    log(level, 'event-waiting', { ...fields, nextAttemptAt: event.reason?.nextAttemptAt });
  } else {
    log(event.state === 'failed' ? 'error' : 'info', 'event-ended', fields);
  }
}

// The other reasons to wait pass by themselves in the normal course of things.
const wantsAttention: ReadonlySet<string | undefined> = new Set<ReasonCode<'waiting'>>([
  'source-unavailable',
  'rate-limited',
  'login-refused',
]);
