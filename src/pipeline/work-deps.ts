import type { CallGate } from './call-gate.ts';
import type { Settled } from './event-rules.ts';
import type { Folding } from './folding.ts';
import type { AssetState, Ledger } from './ledger.ts';
import type { Log } from './log.ts';
import type { ReasonCode } from './reason-codes.ts';
import type { Receiver } from './receiver.ts';
import type { SourceSystem } from './source-system.ts';
import type { AssetStore, DeliveryStore, WorkQueue } from './stores.ts';

/** A source as the work needs it. */
export interface WorkSource {
  readonly receiver: Receiver;
  readonly gate: CallGate;
  /** Its events hold all that there is to know: each is kept for itself, the one received last on top. */
  readonly eventsAreWhole: boolean;
  /** What a look-up finds may be older than an event that was received before it. */
  readonly lookUpsMayLag: boolean;
  system(): Promise<SourceSystem>;
}

export interface WorkDeps {
  readonly sources: ReadonlyMap<string, WorkSource>;
  readonly queue: WorkQueue;
  readonly deliveries: DeliveryStore;
  readonly assets: AssetStore;
  readonly ledger: Ledger;
  readonly folding: Folding<Outcome>;
  readonly limits: WorkLimits;
  readonly log: Log;
  now(): Date;
  newId(): string;
  /** From 0 to 1. */
  random(): number;
}

export interface WorkLimits {
  readonly maxEventAgeMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly retryAfterCapMs: number;
  readonly foldMarginMs: number;
}

/** What working on an event came to. */
export type Outcome =
  | { kind: 'ended'; settled: Settled; asset?: AssetState }
  | Again
  /** Not now, and no try was made; `waiting` is told in the ledger, where it is for long. */
  | { kind: 'put-back'; delayMs: number; waiting?: { code: AgainCode; text: string } }
  | { kind: 'over' };

/** To be tried again on our schedule. */
export interface Again {
  readonly kind: 'again';
  readonly code: AgainCode;
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
  /** What was kept so far. */
  readonly asset?: AssetState;
  /** How the event ends when the schedule is at its end; it is given up if left out. */
  readonly atLast?: Settled;
  /** The schedule ends here, whatever it still holds. */
  readonly enough?: boolean;
}

export type AgainCode = ReasonCode<'waiting'>;
