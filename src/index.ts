import { app } from '@azure/functions';
import { randomUUID } from 'node:crypto';
import { assetStore, deliveryStore } from './azure/blob-stores.ts';
import { tableLedger } from './azure/ledger-table.ts';
import { poisonQueue } from './azure/poison-queue.ts';
import { tableRefusals } from './azure/refusals-table.ts';
import { createSecrets } from './azure/secrets.ts';
import { once, storageClients } from './azure/storage-clients.ts';
import { tableWindows } from './azure/windows-table.ts';
import { workQueue, workQueueName } from './azure/work-queue.ts';
import { readConfig, type Config } from './config.ts';
import { assetEvents } from './functions/asset-events.ts';
import { showAsset, showThumbnail } from './functions/assets.ts';
import { Bodies } from './functions/bodies.ts';
import { notReady, openDoors } from './functions/doors.ts';
import { listEvents, showEvent } from './functions/events.ts';
import { health } from './functions/health.ts';
import { appLog } from './functions/log.ts';
import { poisonMessages } from './functions/poison-messages.ts';
import { listSources, openWindow } from './functions/sources.ts';
import { webhooks } from './functions/webhooks.ts';
import { createCallGate } from './pipeline/call-gate.ts';
import { Folding } from './pipeline/folding.ts';
import { refusalCounter } from './pipeline/refusals.ts';
import type { Outcome } from './pipeline/work-deps.ts';
import { sourceKinds } from './sources/index.ts';

app.setup({ enableHttpStream: true });
app.http('health', { route: 'health', methods: ['GET'], authLevel: 'anonymous', handler: health });

const settings = readConfig(process.env);
if (settings.ok) {
  if (settings.warnings.length > 0)
    appLog('warn', 'settings-warning', { warnings: settings.warnings.join(' | ') });
  run(settings.config);
} else saySettingsAreFaulty(settings.faults);

function run(config: Config): void {
  const clock = { now: () => new Date(), newId: () => randomUUID(), random: Math.random };
  const secrets = createSecrets(config, { now: Date.now, log: appLog });
  const clients = storageClients(config);
  const queue = workQueue(clients);
  const deliveries = deliveryStore(clients);
  const assets = assetStore(clients);
  const ledger = tableLedger(clients, [...config.sources.keys()]);
  const windows = tableWindows(clients);
  const refusals = refusalCounter({
    store: tableRefusals(clients),
    flushAfterMs: 60_000,
    log: appLog,
    now: Date.now,
  });
  const bodies = new Bodies(config.maxBodiesBytes);

  const asking = {
    secrets,
    maxFiles: config.maxFiles,
    maxThumbnailBytes: config.maxThumbnailBytes,
    firstRetryDelayMs: config.retryDelaysMs[0] ?? 0,
    now: Date.now,
    log: appLog,
  };
  const sources = new Map(
    [...config.sources].map(([name, source]) => {
      const kind = sourceKinds[source.kind];
      const gate = createCallGate({
        maxAtOnce: source.maxCallsAtOnce,
        maxPerSecond: source.maxCallsPerSecond,
        now: Date.now,
      });
      return [
        name,
        {
          receiver: kind.receiver(source),
          eventsAreWhole: kind.eventsAreWhole,
          lookUpsMayLag: kind.lookUpsMayLag,
          gate,
          system: once(() => kind.system(source, asking)),
        },
      ];
    }),
  );
  const work = {
    sources,
    queue,
    deliveries,
    assets,
    ledger,
    folding: new Folding<Outcome>(),
    limits: config,
    ...clock,
  };

  const staff = { config, ledger, secrets, windows, refusals, bodies, now: clock.now, newId: clock.newId };

  openDoors({
    webhooks: webhooks({
      ...work,
      secrets,
      windows,
      refusals,
      // A vault counts its readers' calls; a file of our own does not.
      lookAgainEveryMs: config.keyVaultUrl === undefined ? 0 : 5_000,
      maxDeliveryBytes: config.maxDeliveryBytes,
      bodies,
    }),
    'list-events': listEvents({ ledger, sources }),
    'show-event': showEvent({ ledger, sources, deliveries }),
    'show-asset': showAsset({ sources, assets, ledger }),
    'show-thumbnail': showThumbnail({ sources, assets, ledger }),
    'list-sources': listSources(staff),
    'open-window': openWindow(staff),
  });
  app.storageQueue('asset-events', {
    queueName: workQueueName,
    connection: 'AzureWebJobsStorage',
    handler: assetEvents(work),
  });
  app.timer('poison-messages', {
    schedule: '0 * * * * *',
    handler: poisonMessages({ ...work, poison: poisonQueue(clients) }),
  });
}

/** With faulty settings the queue is left alone: what is in it waits for better ones. */
function saySettingsAreFaulty(faults: readonly string[]): void {
  appLog('error', 'settings-faulty', { faults: faults.join(' | ') });
  openDoors({
    webhooks: notReady,
    'list-events': notReady,
    'show-event': notReady,
    'show-asset': notReady,
    'show-thumbnail': notReady,
    'list-sources': notReady,
    'open-window': notReady,
  });
}
