import {
  claimEvent,
  keysOf,
  renew,
  settle,
  type LeaseResult,
  type EventCopy,
  type Settled,
} from './event-transitions.ts';
import type { AssetState, RowKeys, Rows } from '../model/ledger.ts';
import type { Settling } from './settle-event.ts';
import type { ProcessDeps } from './process-deps.ts';

const leaseMs = 120_000;
const renewEveryMs = 40_000;
// The platform ends an invocation after ten minutes (host.json), and takes the process with it.
const longestWorkMs = 480_000;

/** An event that is ours to work on: leased, the lease renewed, and given up at once when somebody else took it. */
export class EventLease {
  readonly #keys: RowKeys;
  readonly #copy: EventCopy;
  readonly #owner: string;
  readonly #deps: ProcessDeps;
  readonly #lost = new AbortController();
  readonly #renewal: NodeJS.Timeout;
  readonly signal: AbortSignal;
  /** The asset's state with this fetch's number. */
  readonly asset: AssetState;
  #rows: Rows;
  #busy: Promise<unknown> = Promise.resolve();

  static async begin(
    copy: EventCopy,
    assetId: string,
    known: Rows,
    deps: ProcessDeps,
  ): Promise<EventLease | Exclude<LeaseResult, { kind: 'ours' }>> {
    const owner = deps.newId();
    const keys = keysOf(copy, assetId);
    const { answer, rows } = await deps.ledger.change(keys, known, (current) => {
      const now = deps.now();
      const until = new Date(now.getTime() + leaseMs).toISOString();
      return claimEvent(current, copy, { owner, messageId: copy.messageId, until }, now);
    });
    switch (answer.kind) {
      case 'over':
      case 'held':
        return answer;
      case 'ours':
        return new EventLease(keys, copy, owner, rows, deps);
      default:
        return answer satisfies never;
    }
  }

  private constructor(keys: RowKeys, copy: EventCopy, owner: string, rows: Rows, deps: ProcessDeps) {
    if (rows.asset === undefined) throw new Error('an event was begun without its asset');
    this.#keys = keys;
    this.#copy = copy;
    this.#owner = owner;
    this.#rows = rows;
    this.#deps = deps;
    this.asset = rows.asset.value;
    this.signal = AbortSignal.any([this.#lost.signal, AbortSignal.timeout(longestWorkMs)]);
    this.#renewal = setInterval(() => void this.#renew(), renewEveryMs);
  }

  async settle(
    settled: Settled,
    about: Settling & { now: Date },
  ): Promise<{ answer: LeaseResult; rows: Rows }> {
    this.release();
    await this.#busy;
    return await this.#deps.ledger.change(this.#keys, this.#rows, (rows) =>
      settle(rows, this.#copy, settled, { ...about, owner: this.#owner }),
    );
  }

  /** How many tries of this event ended for this reason. */
  triesEndedBy(code: string): number {
    return this.#rows.event?.value.history.filter((entry) => entry.code === code).length ?? 0;
  }

  /** True once somebody else has the event. */
  get lost(): boolean {
    return this.#lost.signal.aborted;
  }

  release(): void {
    clearInterval(this.#renewal);
  }

  #renew(): Promise<void> {
    const renewed = (async () => {
      const until = new Date(this.#deps.now().getTime() + leaseMs);
      const { answer, rows } = await this.#deps.ledger.change(this.#keys, this.#rows, (current) =>
        renew(current, this.#owner, until),
      );
      this.#rows = rows;
      if (answer.kind !== 'ours') this.#lost.abort(new Error('another instance took this event over'));
    })().catch((error: unknown) => {
      // The lease still runs for a while, and the next renewal may succeed.
      this.#deps.log('warn', 'lease-not-renewed', { eventId: this.#copy.event.id, error: String(error) });
    });
    this.#busy = renewed;
    return renewed;
  }
}
