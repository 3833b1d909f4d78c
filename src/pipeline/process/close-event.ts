import type { EventCopy } from './event-copy.ts';
import type { LeaseResult, Settled } from './event-transitions.ts';
import type { EventLease } from './event-lease.ts';
import { encodeMessage, type AssetMessage, type MessageHead } from '../model/message.ts';
import { retryDelayMs } from './retry-schedule.ts';
import { settleEvent, type Settling } from './settle-event.ts';
import type { AgainCode, Outcome, ProcessDeps } from './process-deps.ts';

export type CloseDeps = Pick<
  ProcessDeps,
  'queue' | 'putBacks' | 'ledger' | 'startRuns' | 'limits' | 'log' | 'now' | 'random'
>;

/** Writes an outcome down, and sends what must come again. The new message goes first: the row first would lose the event in a crash. */
export async function closeEvent(
  copy: EventCopy,
  outcome: Outcome,
  deps: CloseDeps,
  lease?: EventLease,
): Promise<void> {
  const { head } = copy;
  switch (outcome.kind) {
    case 'over':
      return;
    case 'put-back': {
      const { delayMs, waiting } = outcome;
      const waitingFor = waiting === undefined ? {} : { waitingFor: waiting.code };
      await (lease === undefined ? deps.putBacks : deps.queue).send(
        textOf(copy, head.attempt, lease, waitingFor),
        { delayMs },
      );
      if (waiting === undefined) return logPutBack(copy, delayMs, deps);
      if (lease === undefined && isToldAlready(head, waiting.code, delayMs)) return;
      const nextAttemptAt = new Date(deps.now() + delayMs).toISOString();
      const settled: Settled = { state: 'waiting', reason: { ...waiting, nextAttemptAt } };
      await tell(copy, settled, { countsAsTry: false }, deps, lease);
      return;
    }
    case 'again': {
      const delayMs = retryDelayMs(head.attempt, {
        ...deps.limits,
        retryAfterMs: outcome.retryAfterMs,
        random: deps.random(),
      });
      const asset = outcome.asset === undefined ? {} : { asset: outcome.asset };
      if (delayMs === undefined || outcome.enough === true) {
        const settled = outcome.atLast ?? givenUp(outcome, head.attempt + 1);
        await end(copy, settled, { countsAsTry: true, ...asset }, deps, lease);
        return;
      }
      await deps.queue.send(textOf(copy, head.attempt + 1, lease), { delayMs });
      const nextAttemptAt = new Date(deps.now() + delayMs).toISOString();
      const settled: Settled = {
        state: 'waiting',
        reason: { code: outcome.code, text: outcome.text, nextAttemptAt },
      };
      const about = { countsAsTry: true, attempt: head.attempt + 1, ...asset };
      await tell(copy, settled, about, deps, lease);
      return;
    }
    case 'ended': {
      const asset = outcome.asset === undefined ? {} : { asset: outcome.asset };
      const claimed = await end(copy, outcome.settled, { countsAsTry: true, ...asset }, deps, lease);
      // Somebody holds the event and may yet fail: this copy waits for the end of that lease.
      if (claimed.kind !== 'held') return;
      const delayMs = untilFree(claimed, deps);
      await deps.queue.send(textOf(copy, head.attempt, lease), { delayMs });
      return logPutBack(copy, delayMs, deps);
    }
    default:
      outcome satisfies never;
  }
}

/** Ends an event. What the actions are to do goes first: the row first would lose it in a crash. */
async function end(
  copy: EventCopy,
  settled: Settled,
  about: Settling,
  deps: CloseDeps,
  lease: EventLease | undefined,
): Promise<LeaseResult> {
  if (settled.state === 'done') await deps.startRuns(copy);
  return await settleEvent(copy, settled, about, deps, lease);
}

// A time in the ledger may be past by so much.
const shortWaitMs = 300_000;

/** True where the ledger need not be told that an event goes on waiting: thousands may wait for one source. */
export function isToldAlready(head: MessageHead, code: string, delayMs: number): boolean {
  return head.waitingFor === code && delayMs < shortWaitMs;
}

function logPutBack({ event, head }: EventCopy, delayMs: number, { log }: CloseDeps): void {
  const fields = { source: head.source, eventId: event.id, delivery: head.deliveryId };
  log('info', 'event-put-back', { ...fields, delayMs: Math.round(delayMs) });
}

function givenUp(outcome: { code: AgainCode; text: string }, tries: number): Settled {
  if (outcome.code === 'login-refused')
    return { state: 'failed', reason: { code: outcome.code, text: outcome.text } };
  const text = `Given up after ${tries} ${tries === 1 ? 'try' : 'tries'}. The last: ${outcome.text}`;
  return { state: 'failed', reason: { code: 'gave-up', text } };
}

/** Says in the ledger why an event waits. The message that was sent holds the event: a throw would bring a second one. */
async function tell(
  copy: EventCopy,
  settled: Settled,
  about: Settling,
  deps: CloseDeps,
  lease: EventLease | undefined,
): Promise<void> {
  await settleEvent(copy, settled, about, deps, lease).catch((error: unknown) => {
    deps.log('warn', 'waiting-not-told', { eventId: copy.event.id, error: String(error) });
  });
}

/** The message for the next time; it takes over the lease that is let go here, should the ledger not have been told. */
function textOf(
  { event, head: before, content, owner }: EventCopy,
  attempt: number,
  lease: EventLease | undefined,
  waitingFor: Pick<MessageHead, 'waitingFor'> = {},
): string {
  const { stumbles: _past, waitingFor: _before, leaseOwners: former, ...known } = before;
  const leaseOwners = lease === undefined ? former : [owner];
  const head = { ...known, attempt, ...waitingFor, ...(leaseOwners === undefined ? {} : { leaseOwners }) };
  const message: AssetMessage =
    'claim' in content ? { ...head, claim: content.claim } : { ...head, events: [event] };
  const text = encodeMessage(message);
  if (text === undefined) throw new Error(`event ${event.id} came in a message and does not fit into one`);
  return text;
}

/** When to come again to an event that somebody holds. */
export function untilFree({ until }: { until: number }, deps: Pick<CloseDeps, 'now' | 'random'>): number {
  return Math.max(0, until - deps.now()) + 1_000 * deps.random();
}
