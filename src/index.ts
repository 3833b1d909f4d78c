import { app } from '@azure/functions';
import { randomUUID } from 'node:crypto';
import { assetStore, deliveryStore } from './azure/blob-stores.ts';
import { tableLedger } from './azure/ledger-table.ts';
import { tableJobs } from './azure/jobs-table.ts';
import { poisonQueue, poisonQueueOf } from './azure/poison-queue.ts';
import { tableRefusals } from './azure/refusals-table.ts';
import { configuredVault } from './azure/key-vault.ts';
import { createSecrets } from './secrets/create-secrets.ts';
import { once, storageClients } from './azure/storage-clients.ts';
import { actionState, tableOldRows } from './azure/old-rows.ts';
import { tableRuns } from './azure/runs-table.ts';
import { tableSourceStates } from './azure/source-states-table.ts';
import { tableWindows } from './azure/windows-table.ts';
import { queueGauge, runQueueName, workQueue, workQueueName } from './azure/work-queue.ts';
import { assetEventSchema } from './actions/webhook.ts';
import { outgoingCall } from './actions/outgoing-call.ts';
import { readConfig, type Config } from './config.ts';
import { showAsset, showThumbnail } from './functions/assets.ts';
import { catchUpAll, catchUpOne } from './functions/catch-ups.ts';
import { Bodies } from './functions/bodies.ts';
import { registerRoutes } from './functions/http-routes.ts';
import { listEvents, showEvent } from './functions/events.ts';
import { appLog } from './functions/log.ts';
import { oldRows } from './functions/old-rows.ts';
import { poisonMessages } from './functions/poison-messages.ts';
import { watch } from './functions/watch.ts';
import { watchSubscriptions } from './functions/watch-subscriptions.ts';
import { unnamedPictures } from './functions/unnamed-pictures.ts';
import { queueMessages } from './functions/queue-messages.ts';
import { replayMany, replayOne, showReplay } from './functions/replays.ts';
import { listRuns, replayRun, showRun } from './functions/runs.ts';
import { listSources, openWindow, pauseSource, resumeSource } from './functions/sources.ts';
import { webhooks } from './functions/webhooks.ts';
import { createSourceLimiter } from './pipeline/concurrency/source-limiter.ts';
import { eventSlots } from './pipeline/concurrency/event-slots.ts';
import { InFlight } from './pipeline/concurrency/in-flight.ts';
import { SharedWrites } from './pipeline/concurrency/shared-writes.ts';
import { Coalescer } from './pipeline/concurrency/coalescer.ts';
import { refusalCounter } from './pipeline/accept/refusals.ts';
import type { ActionTools } from './pipeline/ports/action.ts';
import type { SourceStates } from './pipeline/ports/source-states.ts';
import type { NewWindow } from './pipeline/ports/rotation-windows.ts';
import type { SourceKind } from './pipeline/ports/source-kind.ts';
import { catchUpJob } from './pipeline/process/catch-up.ts';
import { claimReader } from './pipeline/process/claimed-events.ts';
import type { EventCopy } from './pipeline/process/event-copy.ts';
import { replayJob } from './pipeline/process/replay-many.ts';
import type { Outcome } from './pipeline/process/process-deps.ts';
import { runJob, startRuns, type RunnableAction } from './pipeline/process/runs.ts';
import { actionSecrets } from './secrets/action-secrets.ts';
import { setWindow } from './secrets/rotation-windows.ts';
import { offersTo } from './secrets/secret-offer.ts';
import { secretProof } from './secrets/secret-proof.ts';
import { sourceKinds } from './sources/index.ts';

// The other sides of actions are small: four at once, over all instances.
const runsAtOnce = 4;

app.setup({ enableHttpStream: true });

const settings = readConfig(process.env);
if (settings.ok) {
  if (settings.warnings.length > 0)
    appLog('warn', 'settings-warning', { warnings: settings.warnings.join(' | ') });
  run(settings.config);
} else {
  // The queue is left alone: what is in it waits for better settings.
  appLog('error', 'settings-faulty', { faults: settings.faults.join(' | ') });
  registerRoutes(undefined);
}

function run(config: Config): void {
  const clock = { now: Date.now, newId: () => randomUUID(), random: Math.random };
  const vault = configuredVault(config, { now: Date.now });
  const secrets = createSecrets(config, { vault, now: Date.now, log: appLog });
  const instance = randomUUID();
  if (config.telemetry.connectionString !== undefined || config.telemetry.otlpEndpoint !== undefined) {
    const { managedIdentity: asIdentity, clientId } = config;
    const telemetry = import('./azure/telemetry.ts').then(({ startTelemetry }) =>
      startTelemetry({ ...config.telemetry, asIdentity, clientId, instance }, appLog),
    );
    app.hook.appTerminate(async () => await (await telemetry)());
  }
  const clients = storageClients(config);
  const queue = workQueue(clients, workQueueName);
  const runQueue = workQueue(clients, runQueueName);
  const deliveries = deliveryStore(clients);
  const claimedEvents = claimReader(deliveries);
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
  const sourceStates = tableSourceStates(clients);

  const fetchDeps = {
    secrets,
    maxFiles: config.maxFiles,
    maxThumbnailBytes: config.maxThumbnailBytes,
    firstRetryDelayMs: config.retryDelaysMs[0] ?? 0,
    now: Date.now,
    log: appLog,
  };
  const sources = new Map(
    [...config.sources].map(([name, source]) => {
      const kind: SourceKind = sourceKinds[source.kind];
      const limiter = createSourceLimiter({
        source: name,
        states: sourceStates,
        owner: instance,
        maxAtOnce: source.maxCallsAtOnce,
        maxPerSecond: source.maxCallsPerSecond,
        // Whoever sets short retry delays wants to hear soon.
        probeAfterMs: Math.min(30_000, ...config.retryDelaysMs.slice(-1)),
        now: Date.now,
        log: appLog,
      });
      return [
        name,
        {
          receiver: kind.receiver(source),
          selfContainedEvents: kind.selfContainedEvents,
          eventuallyConsistent: kind.eventuallyConsistent,
          limiter,
          slots: eventSlots(config.sources.size, clock),
          client: once(() => kind.client(source, fetchDeps)),
          doctor: async () => await kind.doctor(),
        },
      ];
    }),
  );
  const runs = tableRuns(clients);
  const actions = actionsOf(config, { vault, states: sourceStates, instance });
  const actionNames = config.actions.map(({ name }) => name);
  const runMessages = new SharedWrites(runQueue);
  const events = {
    sources,
    queue,
    startRuns: async (copy: EventCopy) => await startRuns(copy, { actions, queue: runMessages }),
    putBacks: new SharedWrites(queue),
    deliveries,
    claimedEvents,
    assets,
    ledger,
    coalescer: new Coalescer<Outcome>(),
    keeping: new InFlight(),
    limits: config,
    jobs: tableJobs(clients),
    ...clock,
  };
  const kinds = [replayJob({ ...events, log: appLog }), catchUpJob({ ...events, log: appLog })];
  const work = { ...events, jobKinds: new Map(kinds.map((kind) => [kind.name, kind])) };
  const tagged = new Set(
    [...config.sources].filter(([, { kind }]) => sourceKinds[kind].hasSecurityTags).map(([name]) => name),
  );
  const runKind = runJob({ actions, tagged, assets, log: appLog, ...clock });
  // A run is a job like any other: it has another queue and another table.
  const runWork = {
    ...work,
    queue: runQueue,
    putBacks: runQueue,
    jobs: runs,
    jobKinds: new Map([[runKind.name, runKind]]),
  };

  const staff = {
    config,
    ledger,
    secrets,
    windows,
    refusals,
    states: sourceStates,
    bodies,
    jobs: work.jobs,
    secretProof,
    now: clock.now,
    setWindow: async (wanted: NewWindow) => await setWindow(wanted, { windows, secrets, ...clock }),
  };

  registerRoutes(
    {
      webhooks: webhooks({
        ...work,
        queue: new SharedWrites(queue),
        secrets,
        windows,
        offers: new Map(
          [...sources.keys()].map((name) => [
            name,
            offersTo(name, { ...clock, windows, secrets, log: appLog }),
          ]),
        ),
        refusals,
        // A vault counts its readers' calls; a file of our own does not.
        refreshEveryMs: config.keyVaultUrl === undefined ? 0 : 5_000,
        maxDeliveryBytes: config.maxDeliveryBytes,
        bodies,
      }),
      'list-events': listEvents({ ledger, sources }),
      'show-event': showEvent({ ledger, sources, deliveries, claimedEvents, runs, actionNames }),
      'replay-event': replayOne({ ...work, bodies }),
      'replay-many': replayMany({ ...work, bodies }),
      'show-replay': showReplay(work),
      'list-runs': listRuns({ runs, actionNames }),
      'show-run': showRun({ runs, actionNames }),
      'replay-run': replayRun({ runs, actionNames, queue: runQueue, ...clock }),
      // It is the same for everybody, and says nothing of what is here.
      'asset-event-schema': () => ({ jsonBody: assetEventSchema() }),
      'show-asset': showAsset({ sources, assets, ledger }),
      'show-thumbnail': showThumbnail({ sources, assets, ledger }),
      'list-sources': listSources(staff),
      'pause-source': pauseSource(staff),
      'resume-source': resumeSource(staff),
      'catch-up': catchUpOne({ ...work, config, bodies }),
      'open-window': openWindow(staff),
    },
    config.staffSignIn,
  );
  app.storageQueue('asset-events', {
    queueName: workQueueName,
    connection: 'AzureWebJobsStorage',
    handler: queueMessages(work),
  });
  app.storageQueue('action-runs', {
    queueName: runQueueName,
    connection: 'AzureWebJobsStorage',
    handler: queueMessages(runWork),
  });
  app.timer('poison-messages', {
    schedule: '0 * * * * *',
    handler: poisonMessages([
      { ...work, poison: poisonQueue(clients, workQueueName) },
      { ...runWork, poison: poisonQueue(clients, runQueueName) },
    ]),
  });
  app.timer('catch-up', {
    schedule: config.catchUpSchedule,
    handler: catchUpAll({ ...work, config }),
  });
  app.timer('old-rows', {
    schedule: '0 47 * * * *',
    handler: oldRows({
      oldRows: tableOldRows(clients, { sources: [...config.sources.keys()], actions: actionNames }),
      retentionMs: config.retentionMs,
      now: clock.now,
    }),
  });
  app.timer('watch', {
    schedule: '0 */5 * * * *',
    handler: watch({
      ...staff,
      queues: [workQueueName, runQueueName]
        .flatMap((name) => [name, poisonQueueOf(name)])
        .map((name) => queueGauge(clients, name)),
    }),
  });
  app.timer('watch-subscriptions', {
    schedule: '0 23 4 * * *',
    handler: watchSubscriptions({ ...staff, sources }),
  });
  app.timer('unnamed-pictures', { schedule: '0 17 3 * * *', handler: unnamedPictures(work) });
}

/** The actions whose settings have no fault, ready to run; those that have some are off, and the log says why. */
function actionsOf(
  config: Config,
  deps: { vault: ReturnType<typeof configuredVault>; states: SourceStates; instance: string },
): ReadonlyMap<string, RunnableAction> {
  const secrets = actionSecrets(deps.vault, {
    overlapMs: config.secretOverlapMs,
    now: Date.now,
    log: appLog,
  });
  return new Map(
    config.actions.flatMap((read): [string, RunnableAction][] => {
      if (!read.ok) {
        appLog('error', 'action-off', { action: read.name, faults: read.faults.join(' | ') });
        return [];
      }
      const { action } = read;
      const limiter = createSourceLimiter({
        source: actionState(action.name),
        states: deps.states,
        owner: deps.instance,
        maxAtOnce: runsAtOnce,
        maxPerSecond: action.mostPerSecond,
        probeAfterMs: Math.min(30_000, ...config.retryDelaysMs.slice(-1)),
        now: Date.now,
        log: appLog,
      });
      const tools: ActionTools = {
        call: async (call) => await outgoingCall(action.name, call, Date.now),
        secret: async (secret) => await secrets(action, secret),
        now: Date.now,
      };
      return [[action.name, { config: action, limiter, tools }]];
    }),
  );
}
