import type { AssetState, RowKeys, Rows } from '../model/ledger.ts';
import { changeEvent } from './change-event.ts';
import { keysOf, type EventCopy } from './event-copy.ts';
import { claimEvent, renew, settle, type LeaseResult, type Settled } from './event-transitions.ts';
import type { ProcessDeps } from './process-deps.ts';
import type { Settling } from './settle-event.ts';

// A killed worker's event is taken up again a minute later.
const leaseMs = 60_000;
const renewEveryMs = 20_000;
// The platform ends an invocation after ten minutes (host.json), and takes the process with it.
const renewedAtMost = 24;

type LeaseDeps = Pick<ProcessDeps, 'ledger' | 'log' | 'now'>;

/** An event that is ours to work on, its lease renewed until it is released. */
export class EventLease {
  readonly #keys: RowKeys;
  readonly #copy: EventCopy;
  readonly #deps: LeaseDeps;
  readonly #ended = new AbortController();
  readonly #renewal: NodeJS.Timeout;
  #rows: Rows;
  #renewed = 0;
  #renewing: Promise<void> = Promise.resolve();

  static async claim(
    copy: EventCopy,
    assetId: string,
    known: Rows,
    deps: LeaseDeps,
  ): Promise<EventLease | Exclude<LeaseResult, { kind: 'ours' }>> {
    const keys = keysOf(copy, assetId);
    const claim = (current: Rows): ReturnType<typeof claimEvent> => {
      const now = new Date(deps.now());
      return claimEvent(current, copy, { owner: copy.owner, until: endOf(now) }, now);
    };
    const { answer, rows } = await changeEvent(copy, { keys, known }, claim, deps);
    return answer.kind === 'ours' ? new EventLease(keys, copy, rows, deps) : answer;
  }

  private constructor(keys: RowKeys, copy: EventCopy, rows: Rows, deps: LeaseDeps) {
    this.#keys = keys;
    this.#copy = copy;
    this.#rows = rows;
    this.#deps = deps;
    this.#renewal = setInterval(() => {
      this.#renewing = this.#renew();
    }, renewEveryMs);
  }

  /** Aborts when the event is somebody else's, or took too long. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** What was known of the asset when its event was claimed. */
  get asset(): AssetState {
    const { asset } = this.#rows;
    if (asset === undefined) throw new Error('an event was claimed without its asset');
    return asset.value;
  }

  /** How many tries of this event ended for this reason. */
  triesEndedBy(code: string): number {
    return this.#rows.event?.value.history.filter((entry) => entry.code === code).length ?? 0;
  }

  async settle(
    settled: Settled,
    about: Settling & { now: Date },
  ): Promise<{ answer: LeaseResult; rows: Rows }> {
    this.release();
    await this.#renewing;
    return await this.#deps.ledger.change(this.#keys, this.#rows, (rows) =>
      settle(rows, this.#copy, settled, { ...about, owner: this.#copy.owner }),
    );
  }

  /** Ends the renewal; the lease itself ends when the event is settled, or by its time. */
  release(): void {
    clearInterval(this.#renewal);
  }

  async #renew(): Promise<void> {
    this.#renewed += 1;
    if (this.#renewed > renewedAtMost) return this.#ended.abort(new Error('this event took too long'));
    try {
      const { owner } = this.#copy;
      const { answer, rows } = await this.#deps.ledger.change(this.#keys, this.#rows, (current) =>
        renew(current, owner, endOf(new Date(this.#deps.now()))),
      );
      this.#rows = rows;
      if (answer.kind !== 'ours') this.#ended.abort(new Error('another instance took this event over'));
    } catch (error) {
      // The lease still runs for a while, and the next renewal may succeed.
      this.#deps.log('warn', 'lease-not-renewed', { eventId: this.#copy.event.id, error: String(error) });
    }
  }
}

function endOf(now: Date): string {
  return new Date(now.getTime() + leaseMs).toISOString();
}
