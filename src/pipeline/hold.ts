import { begin, keysOf, renew, settle, type Claimed, type EventCopy, type Settled } from './event-rules.ts';
import type { AssetState, RowKeys, Rows } from './ledger.ts';
import type { Settling } from './settle-event.ts';
import type { WorkDeps } from './work-deps.ts';

const leaseMs = 120_000;
const renewEveryMs = 40_000;
// The platform ends an invocation after ten minutes (host.json), and takes the process with it.
const longestWorkMs = 480_000;

/** An event that is ours to work on: leased, the lease renewed, and given up at once when somebody else took it. */
export class Hold {
  readonly #keys: RowKeys;
  readonly #copy: EventCopy;
  readonly #holder: string;
  readonly #deps: WorkDeps;
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
    deps: WorkDeps,
  ): Promise<Hold | Exclude<Claimed, { kind: 'ours' }>> {
    const holder = deps.newId();
    const keys = keysOf(copy, assetId);
    const { answer, rows } = await deps.ledger.change(keys, known, (current) => {
      const now = deps.now();
      const until = new Date(now.getTime() + leaseMs).toISOString();
      return begin(current, copy, { holder, messageId: copy.messageId, until }, now);
    });
    switch (answer.kind) {
      case 'over':
      case 'held':
        return answer;
      case 'ours':
        return new Hold(keys, copy, holder, rows, deps);
      default:
        return answer satisfies never;
    }
  }

  private constructor(keys: RowKeys, copy: EventCopy, holder: string, rows: Rows, deps: WorkDeps) {
    if (rows.asset === undefined) throw new Error('an event was begun without its asset');
    this.#keys = keys;
    this.#copy = copy;
    this.#holder = holder;
    this.#rows = rows;
    this.#deps = deps;
    this.asset = rows.asset.value;
    this.signal = AbortSignal.any([this.#lost.signal, AbortSignal.timeout(longestWorkMs)]);
    this.#renewal = setInterval(() => void this.#renew(), renewEveryMs);
  }

  async settle(settled: Settled, about: Settling & { now: Date }): Promise<{ answer: Claimed; rows: Rows }> {
    this.letGo();
    await this.#busy;
    return await this.#deps.ledger.change(this.#keys, this.#rows, (rows) =>
      settle(rows, this.#copy, settled, { ...about, holder: this.#holder }),
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

  letGo(): void {
    clearInterval(this.#renewal);
  }

  #renew(): Promise<void> {
    const renewed = (async () => {
      const until = new Date(this.#deps.now().getTime() + leaseMs);
      const { answer, rows } = await this.#deps.ledger.change(this.#keys, this.#rows, (current) =>
        renew(current, this.#holder, until),
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
