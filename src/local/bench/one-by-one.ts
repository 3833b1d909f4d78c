import { claimReader } from '../../pipeline/process/claimed-events.ts';
import { randomUUID } from 'node:crypto';
import { assetStore, deliveryStore } from '../../azure/blob-stores.ts';
import { tableJobs } from '../../azure/jobs-table.ts';
import { tableLedger } from '../../azure/ledger-table.ts';
import { configuredVault } from '../../azure/key-vault.ts';
import { createSecrets } from '../../secrets/create-secrets.ts';
import { storageClients } from '../../azure/storage-clients.ts';
import { tableSourceStates } from '../../azure/source-states-table.ts';
import { workQueue, workQueueName } from '../../azure/work-queue.ts';
import { readConfig } from '../../config.ts';
import { isOfKind } from '../../sources/index.ts';
import { eventSlots } from '../../pipeline/concurrency/event-slots.ts';
import { createSourceLimiter } from '../../pipeline/concurrency/source-limiter.ts';
import { Coalescer } from '../../pipeline/concurrency/coalescer.ts';
import { InFlight } from '../../pipeline/concurrency/in-flight.ts';
import { handleMessage } from '../../pipeline/process/handle-message.ts';
import type { Outcome } from '../../pipeline/process/process-deps.ts';
import { preservicaReceiver } from '../../sources/preservica/receiver.ts';
import { preservicaClient } from '../../sources/preservica/client.ts';
import { eventDocument } from './caller.ts';

/** Milliseconds an event when each is handled inside its request: no queue between, one call after another, the same storage. */
export async function oneByOne(env: Record<string, string>, assetIds: readonly string[]): Promise<number> {
  const read = readConfig(env);
  const source = read.ok ? read.config.sources.get('archive') : undefined;
  if (!read.ok || source === undefined || !isOfKind(source, 'preservica'))
    throw new Error('The settings of this measurement are faulty.');
  const { config } = read;
  const log = (): void => undefined;
  const clients = storageClients(config);
  const secrets = createSecrets(config, {
    vault: configuredVault(config, { now: Date.now }),
    now: Date.now,
    log,
  });
  const receiver = preservicaReceiver(source);
  const client = preservicaClient({
    source,
    secrets,
    ...config,
    firstRetryDelayMs: 5_000,
    now: Date.now,
    log,
  });
  const deliveries = deliveryStore(clients);
  const deps = {
    sources: new Map([
      [
        'archive',
        {
          receiver,
          selfContainedEvents: false,
          eventuallyConsistent: false,
          slots: eventSlots(1, { now: Date.now }),
          limiter: createSourceLimiter({
            source: 'archive',
            states: tableSourceStates(clients),
            owner: randomUUID(),
            maxAtOnce: 1,
            maxPerSecond: 0,
            probeAfterMs: 30_000,
            now: Date.now,
            log,
          }),
          client: () => Promise.resolve(client),
        },
      ],
    ]),
    queue: workQueue(clients, workQueueName),
    putBacks: workQueue(clients, workQueueName),
    startRuns: async () => undefined,
    deliveries,
    claimedEvents: claimReader(deliveries),
    assets: assetStore(clients),
    ledger: tableLedger(clients, ['archive']),
    jobs: tableJobs(clients),
    jobKinds: new Map(),
    coalescer: new Coalescer<Outcome>(),
    keeping: new InFlight(),
    limits: config,
    log,
    now: Date.now,
    newId: () => randomUUID(),
    random: Math.random,
  };
  const handle = async (assetId: string, serial: number): Promise<void> => {
    const receivedAt = new Date();
    const deliveryId = randomUUID();
    const reading = receiver.read(eventDocument(assetId, serial), {
      source: 'archive',
      deliveryId,
      receivedAt,
    });
    const events = reading.kind === 'events' ? reading.events.slice(0, 1) : [];
    const item = {
      v: 1,
      deliveryId,
      source: 'archive',
      receivedAt: receivedAt.toISOString(),
      attempt: 0,
      replayId: null,
      events,
    };
    await handleMessage({ item, messageId: deliveryId }, deps);
  };
  const [first = '', ...rest] = assetIds;
  await handle(first, 0);
  const startedAt = performance.now();
  for (const [index, assetId] of rest.entries()) await handle(assetId, index + 1);
  return (performance.now() - startedAt) / rest.length;
}
