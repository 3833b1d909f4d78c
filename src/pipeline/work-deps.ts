import type { CallGate } from './call-gate.ts';
import type { Settled } from './event-rules.ts';
import type { Folding } from './folding.ts';
import type { AssetState, Ledger } from './ledger.ts';
import type { Log } from './log.ts';
import type { Receiver } from './receiver.ts';
import type { SourceSystem } from './source-system.ts';
import type { AssetStore, DeliveryStore, WorkQueue } from './stores.ts';

/** A source as the work needs it. */
export interface WorkSource {
  readonly receiver: Receiver;
  readonly gate: CallGate;
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
  | { kind: 'again'; code: AgainCode; text: string; retryAfterMs?: number | undefined }
  /** Not now, and no try was made; `waiting` is told in the ledger, where it is for long. */
  | { kind: 'put-back'; delayMs: number; waiting?: { code: AgainCode; text: string } }
  | { kind: 'over' };

export type AgainCode = 'source-unavailable' | 'rate-limited' | 'login-refused' | 'overtaken';
