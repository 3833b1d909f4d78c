import { claimReader } from '../../src/pipeline/process/claimed-events.ts';
import { createSourceLimiter } from '../../src/pipeline/concurrency/source-limiter.ts';
import { eventSlots } from '../../src/pipeline/concurrency/event-slots.ts';
import { Coalescer } from '../../src/pipeline/concurrency/coalescer.ts';
import { InFlight } from '../../src/pipeline/concurrency/in-flight.ts';
import type { AssetEvent } from '../../src/pipeline/model/event.ts';
import type { AssetMessage } from '../../src/pipeline/model/message.ts';
import { handleMessage } from '../../src/pipeline/process/handle-message.ts';
import type { FetchResult, FetchContext, WantedAsset } from '../../src/pipeline/ports/source-client.ts';
import type {
  Outcome,
  ProcessDeps,
  ProcessLimits,
  ProcessSource,
} from '../../src/pipeline/process/process-deps.ts';
import type { JobKind } from '../../src/pipeline/process/jobs.ts';
import { preservicaReceiver } from '../../src/sources/preservica/receiver.ts';
import { memoryStores } from './memory-stores.ts';

export const assetId = '11111111-2222-4333-8444-555555555555';
export const receivedAt = '2026-01-05T09:08:07.065Z';

export function anEvent(given: Partial<AssetEvent> = {}): AssetEvent {
  return {
    id: 'event-1',
    type: 'FULL_TEXT_INDEXED',
    assetKind: 'asset',
    assetId,
    occurredAt: receivedAt,
    identifiers: [],
    data: { tenant: 'ACME' },
    ...given,
  };
}

export function aMessage(given: Partial<AssetMessage> = {}): AssetMessage {
  return {
    v: 1,
    deliveryId: 'delivery-1',
    source: 'archive',
    receivedAt,
    traceparent: null,
    attempt: 0,
    replayId: null,
    events: [anEvent()],
    ...given,
  } as AssetMessage;
}

export function found(title = 'Harbour'): FetchResult {
  return {
    kind: 'found',
    details: { kind: 'asset', title, links: {}, details: {} },
    thumbnail: { kind: 'none' },
  };
}

const shortMarginMs = 1;

/** The pipeline on storage in memory, a source that answers as `answer` says, and a clock that stands still until moved. */
export function processBench(
  answer: (asset: WantedAsset, context: FetchContext) => FetchResult | Promise<FetchResult> = () => found(),
  limits: Partial<ProcessLimits> = {},
  source: Partial<ProcessSource> = {},
  jobKinds: readonly JobKind[] = [],
) {
  const stores = memoryStores();
  let now = Date.parse(receivedAt);
  let ids = 0;
  const asked: WantedAsset[] = [];
  const logged: { level: string; name: string; [field: string]: unknown }[] = [];
  const limiter = createSourceLimiter({
    source: 'archive',
    states: stores.sourceStates,
    owner: 'instance-1',
    maxAtOnce: 16,
    maxPerSecond: 0,
    probeAfterMs: 30_000,
    now: () => now,
    log: (level, name, fields) => logged.push({ level, name, ...fields }),
  });
  const deps: ProcessDeps = {
    sources: new Map([
      [
        'archive',
        {
          receiver: preservicaReceiver({ handshake: 'strict' }),
          limiter,
          slots: eventSlots(1, { now: () => now }),
          selfContainedEvents: false,
          eventuallyConsistent: false,
          client: async () => ({
            fetchAsset: async (asset, _turn, _signal, context) => {
              asked.push(asset);
              return await answer(asset, context);
            },
          }),
          ...source,
        },
      ],
    ]),
    queue: stores.queue,
    putBacks: stores.queue,
    deliveries: stores.deliveryStore,
    claimedEvents: claimReader(stores.deliveryStore),
    assets: stores.assetStore,
    ledger: stores.ledger,
    startRuns: async () => undefined,
    jobs: stores.jobs,
    jobKinds: new Map(jobKinds.map((kind) => [kind.name, kind])),
    coalescer: new Coalescer<Outcome>(),
    keeping: new InFlight(),
    limits: {
      maxEventAgeMs: 604_800_000,
      retryDelaysMs: [5_000, 30_000],
      retryAfterCapMs: 60_000,
      foldMarginMs: shortMarginMs,
      ...limits,
    },
    log: (level, name, fields) => logged.push({ level, name, ...fields }),
    now: () => now,
    newId: () => `id-${(ids += 1)}`,
    random: () => 0,
  };
  let serial = 0;
  let handled = false;
  let waiting: { text: string; dueAt: number }[] = [];
  const drain = async (until: number, most: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const sent = stores.messages.splice(0).map(({ text, delayMs }) => ({ text, dueAt: now + delayMs }));
      waiting = [...waiting, ...sent].toSorted((a, b) => a.dueAt - b.dueAt);
      const [message] = waiting;
      if (message === undefined || message.dueAt > until) return;
      if (count >= most) throw new Error('the queue does not come to an end');
      waiting.shift();
      now = Math.max(now, message.dueAt);
      await handleMessage({ item: JSON.parse(message.text), messageId: `m-${(serial += 1)}` }, deps);
    }
  };
  return {
    ...stores,
    deps,
    asked,
    logged,
    /** Another event on the same asset comes when the margin of folding is over. */
    handle: async (item: unknown, messageId = `m-${(serial += 1)}`) => {
      if (handled) now += deps.limits.foldMarginMs === shortMarginMs ? shortMarginMs : 0;
      handled = true;
      await handleMessage({ item, messageId }, deps);
    },
    /** Messages that come in one moment. */
    handleAtOnce: async (items: readonly unknown[]) => {
      const messageId = (): string => `m-${(serial += 1)}`;
      await Promise.all(
        items.map(async (item) => await handleMessage({ item, messageId: messageId() }, deps)),
      );
    },
    pass(ms: number): void {
      now += ms;
    },
    summary(id = 'event-1') {
      return stores.events.get(id)?.value.summary;
    },
    record() {
      const blob = stores.blobs.get(`archive/${assetId}/record.json`);
      return blob === undefined
        ? undefined
        : (JSON.parse(Buffer.from(blob.bytes).toString()) as Record<string, unknown>);
    },
    /** Handles what is in the queue, moving the clock to each message's time, until nothing is left. */
    drain: async (most = 200) => await drain(Infinity, most),
    /** The same up to a time, which it is then. */
    async drainUntil(time: number): Promise<void> {
      await drain(time, Infinity);
      now = Math.max(now, time);
    },
  };
}
