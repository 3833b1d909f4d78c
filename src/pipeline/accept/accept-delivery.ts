import type { Log } from '../ports/log.ts';
import type { Call, Receiver, UnreadableDelivery } from '../ports/receiver.ts';
import type { ProcessDeps } from '../process/process-deps.ts';
import type { WorkQueue } from '../ports/stores.ts';
import { inSpan, queueAttributes, SpanKind } from '../ports/telemetry.ts';
import { withDeadline } from './deadline.ts';
import { enqueueDelivery, storeUnreadable, type ProvedDelivery } from './enqueue-delivery.ts';
import type { VerifyCall, VerifyResult } from './verify-call.ts';

export type AcceptResult =
  | Exclude<VerifyResult, { kind: 'proved' }>
  | { kind: 'kept'; deliveryId: string; events: number; secret: 'current' | 'previous' }
  /** Proved and kept, but nothing that we could read. */
  | { kind: 'unreadable'; deliveryId: string; why: UnreadableDelivery['why'] };

export interface AcceptDeps extends Pick<ProcessDeps, 'deliveries' | 'ledger' | 'keeping' | 'now' | 'newId'> {
  readonly queue: WorkQueue;
  readonly log: Log;
}

/** A source as its webhook route needs it. */
export interface AcceptSource {
  readonly name: string;
  readonly receiver: Receiver;
  readonly verify: VerifyCall;
}

// Of the time in which an answer must be out, keeping gets so much at the most.
const keptWithinMs = 3_500;

/**
 * Proves a call, reads it and keeps it: once this returns `kept`, nothing of it can be lost. Throws a StorageError or a
 * DeadlineError where that is not so; then the sender must come again.
 */
export async function acceptDelivery(
  call: Call & { readonly receivedAt: Date; readonly traceparent: string | undefined },
  { name, receiver, verify }: AcceptSource,
  leftMs: () => number,
  deps: AcceptDeps,
): Promise<AcceptResult> {
  const verdict = await withDeadline(leftMs(), async () => await verify(call, leftMs));
  if (verdict.kind !== 'proved') return verdict;
  const delivery: ProvedDelivery = {
    head: {
      v: 1,
      deliveryId: deps.newId(),
      source: name,
      receivedAt: call.receivedAt.toISOString(),
      traceparent: call.traceparent,
      attempt: 0,
      replayId: null,
    },
    body: { bytes: call.body, eventName: receiver.eventName?.(call) },
  };
  return await deps.keeping.track(
    async () =>
      await withDeadline(
        Math.min(keptWithinMs, leftMs()),
        async (signal) => await keep(delivery, { receiver, secret: verdict.secret }, { ...deps, signal }),
      ),
  );
}

async function keep(
  delivery: ProvedDelivery,
  { receiver, secret }: { receiver: Receiver; secret: 'current' | 'previous' },
  deps: AcceptDeps & { signal: AbortSignal },
): Promise<AcceptResult> {
  const { source, deliveryId, receivedAt } = delivery.head;
  const { bytes, eventName } = delivery.body;
  const reading = receiver.read(bytes, { source, deliveryId, receivedAt: new Date(receivedAt), eventName });
  if (reading.kind === 'unreadable') {
    await storeUnreadable(delivery, reading.why, deps);
    return { kind: 'unreadable', deliveryId, why: reading.why };
  }
  const { events } = reading;
  if (events.length > 0)
    await inSpan(
      'send asset-events',
      {
        kind: SpanKind.PRODUCER,
        attributes: { ...queueAttributes('send'), 'asset_webhooks.source': source },
      },
      async () => await enqueueDelivery(delivery, events, deps),
    );
  return { kind: 'kept', deliveryId, events: events.length, secret };
}
