import type { Clock } from '../ports/clock.ts';
import type { ClaimedEvents } from './claimed-events.ts';
import type { InFlight } from '../concurrency/in-flight.ts';
import type { EventSlots } from '../concurrency/event-slots.ts';
import type { SourceLimiter } from '../concurrency/source-limiter.ts';
import type { EventCopy } from './event-copy.ts';
import type { Settled } from './event-transitions.ts';
import type { Coalescer } from '../concurrency/coalescer.ts';
import type { AssetState, Ledger } from '../model/ledger.ts';
import type { JobKind } from './jobs.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { Log } from '../ports/log.ts';
import type { ReasonCode } from '../model/reason-codes.ts';
import type { Receiver } from '../ports/receiver.ts';
import type { SourceClient } from '../ports/source-client.ts';
import type { AssetStore, DeliveryStore, WorkQueue } from '../ports/stores.ts';

/** A source as the work needs it. */
export interface ProcessSource {
  readonly receiver: Receiver;
  readonly limiter: SourceLimiter;
  readonly slots: EventSlots;
  /** Its events hold all that there is to know: each is kept for itself, the one received last on top. */
  readonly selfContainedEvents: boolean;
  /** What a look-up finds may be older than an event that was received before it. */
  readonly eventuallyConsistent: boolean;
  client(): Promise<SourceClient>;
}

export interface ProcessDeps extends Clock {
  readonly sources: ReadonlyMap<string, ProcessSource>;
  readonly queue: WorkQueue;
  /** The same queue, for messages that find no room: many of them go back in one write. */
  readonly putBacks: WorkQueue;
  readonly deliveries: DeliveryStore;
  readonly claimedEvents: ClaimedEvents;
  readonly assets: AssetStore;
  readonly ledger: Ledger;
  readonly jobs: JobStore;
  readonly jobKinds: ReadonlyMap<string, JobKind>;
  /** Queues what the actions do with an event that ends as `done`; twice is the same as once. May throw a StorageError. */
  startRuns(copy: EventCopy): Promise<void>;
  readonly coalescer: Coalescer<Outcome>;
  /** The deliveries that are being kept: they go before events. */
  readonly keeping: InFlight;
  readonly limits: ProcessLimits;
  readonly log: Log;
  newId(): string;
  /** From 0 to 1. */
  random(): number;
}

export interface ProcessLimits {
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
