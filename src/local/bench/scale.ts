import { QueueServiceClient } from '@azure/storage-queue';
import { setTimeout as delay } from 'node:timers/promises';
import { startAzurite, type Azurite } from '../azurite.ts';
import type { Entity } from '../simulators/preservica/library.ts';
import { startPreservicaSimulator, type PreservicaSimulator } from '../simulators/preservica/simulator.ts';
import { startApp, type AppProcess } from './app-process.ts';
import { Caller, eventDocument } from './caller.ts';
import { percentile, perSecond } from './measure.ts';
import { addAssets, settingsAt } from './work.ts';

const connections = 32;
const atOnce = 200;

// What a machine has of memory, V8 takes before it looks for what is no longer needed.
const smallHeap = ['--max-old-space-size=128', '--max-semi-space-size=4'];

interface Running {
  readonly azurite: Azurite;
  readonly preservica: PreservicaSimulator;
  readonly apps: readonly AppProcess[];
  readonly caller: Caller;
  readonly assets: readonly Entity[];
}

/** An archive of so many assets with the app, warm, in so many processes. */
async function running<T>(
  {
    assets: count,
    processes = 1,
    env = {},
    nodeOptions = [],
    onDisk = false,
  }: {
    assets: number;
    processes?: number;
    env?: Record<string, string>;
    nodeOptions?: readonly string[];
    onDisk?: boolean;
  },
  measure: (running: Running) => Promise<T>,
): Promise<T> {
  const azurite = await startAzurite({ inMemory: !onDisk });
  const preservica = await startPreservicaSimulator();
  const apps: AppProcess[] = [];
  const caller = new Caller(connections);
  try {
    const assets = addAssets(preservica, count);
    const settings = { ...settingsAt(azurite.connectionString, preservica), ...env };
    for (let started = 0; started < processes; started += 1)
      apps.push(await startApp(settings, { nodeOptions }));
    const [app] = apps;
    for (const asset of addAssets(preservica, 50))
      await caller.deliver(app?.url ?? '', eventDocument(asset.ref, 0));
    await handled(apps, 50);
    return await measure({ azurite, preservica, apps, caller, assets });
  } finally {
    caller.close();
    await Promise.all(apps.map(async (app) => await app.stop()));
    await preservica.close();
    await azurite.stop();
  }
}

/** Resolves once the processes have ended so many events together. */
async function handled(apps: readonly AppProcess[], count: number): Promise<void> {
  while (apps.reduce((sum, { lags }) => sum + lags.length, 0) < count) await delay(20);
}

const url = ({ apps }: Running): string => apps[0]?.url ?? '';
const refOf = ({ assets }: Running, index: number): string => assets[index % assets.length]?.ref ?? '';

/** Delivers so many events, one a delivery, over all connections. */
async function deliver(all: Running, count: number, from = 0): Promise<void> {
  await perSecond(count, connections, async (index) => {
    await all.caller.deliver(url(all), eventDocument(refOf(all, from + index), from + index));
  });
}

/** Milliseconds from the receipt of an event to its end, at a steady rate and in a burst of 2,000. */
export async function benchLag() {
  const steady = await running({ assets: 400 }, async (all) => {
    const app = all.apps[0];
    const deliveries: Promise<void>[] = [];
    for (let index = 0; index < 400; index += 1) {
      deliveries.push(all.caller.deliver(url(all), eventDocument(refOf(all, index), index)));
      await delay(50);
    }
    await Promise.all(deliveries);
    await handled(all.apps, 450);
    return app?.lags.slice(50) ?? [];
  });
  const burst = await running({ assets: 2_000 }, async (all) => {
    const before = await all.apps[0]?.usage();
    await deliver(all, 2_000);
    await handled(all.apps, 2_050);
    const after = await all.apps[0]?.usage();
    const cpuMsAnEvent = ((after?.cpuMs ?? 0) - (before?.cpuMs ?? 0)) / 2_000;
    return { lags: all.apps[0]?.lags.slice(50) ?? [], cpuMsAnEvent };
  });
  return {
    steady20ASecondP50Ms: percentile(steady, 0.5),
    steady20ASecondP95Ms: percentile(steady, 0.95),
    burstOf2000P50Ms: percentile(burst.lags, 0.5),
    burstOf2000P95Ms: percentile(burst.lags, 0.95),
    cpuMsAnEvent: burst.cpuMsAnEvent,
  };
}

/** Deliveries accepted over 32 connections while the same process works on a backlog, beside the bare queue SDK on a storage at rest. */
export async function benchAcceptWhileWorking() {
  return await running({ assets: 3_000 }, async (all) => {
    all.preservica.settings.latencyMs = 20;
    const queues = QueueServiceClient.fromConnectionString(all.azurite.connectionString);
    const bareQueue = queues.getQueueClient('bare');
    await bareQueue.create();
    const text = Buffer.alloc(720, 'x').toString('base64');
    const sendBare = async (): Promise<void> => void (await bareQueue.sendMessage(text));
    await perSecond(2_000, connections, sendBare);
    const bare = await perSecond(2_000, connections, sendBare);
    const backlog = 2_000;
    await deliver(all, backlog);
    const times: number[] = [];
    const before = all.apps[0]?.lags.length ?? 0;
    const accepted = await perSecond(1_000, connections, async (index) => {
      const startedAt = performance.now();
      await all.caller.deliver(url(all), eventDocument(refOf(all, backlog + index), index));
      times.push(performance.now() - startedAt);
    });
    const workedOn = (all.apps[0]?.lags.length ?? 0) - before;
    return {
      acceptedPerSecond: accepted,
      bareQueuePerSecond: bare,
      ratio: accepted / bare,
      p50Ms: percentile(times, 0.5),
      p95Ms: percentile(times, 0.95),
      eventsEndedMeanwhile: workedOn,
    };
  });
}

/** The same backlog in one process and in two. */
export async function benchProcesses() {
  const backlog = 1_000;
  const eventsPerSecond = async (processes: number): Promise<number> =>
    await running({ assets: backlog, processes }, async (all) => {
      all.preservica.settings.latencyMs = 50;
      const startedAt = performance.now();
      await deliver(all, backlog);
      await handled(all.apps, backlog + 50);
      return (backlog * 1_000) / (performance.now() - startedAt);
    });
  const one = await eventsPerSecond(1);
  const two = await eventsPerSecond(2);
  return { onePerSecond: one, twoPerSecond: two, ratio: two / one };
}

/** Resident memory after 5,000 and after 20,000 events. */
export async function benchMemory() {
  const grown = await running({ assets: 1_000, env: { FOLD_MARGIN_SECONDS: '0' } }, async (all) => {
    const after: number[] = [];
    let sent = 0;
    for (const count of [5_000, 20_000]) {
      // Azurite looks through a whole queue for each message: a long one would leave it time for nothing else.
      while (sent < count) {
        await deliver(all, atOnce, sent);
        sent += atOnce;
        await handled(all.apps, sent + 50 - atOnce);
      }
      await handled(all.apps, count + 50);
      await delay(3_000);
      after.push((await all.apps[0]?.usage())?.residentMiB ?? Number.NaN);
    }
    return after;
  });
  const [after5000 = Number.NaN, after20000 = Number.NaN] = grown;
  return { after5000MiB: after5000, after20000MiB: after20000, ratio: after20000 / after5000 };
}

/** Resident memory at most while a delivery of 10,000 events is worked on, above that of the idle app, with a small heap. */
export async function benchLargeDelivery() {
  // In memory, Azurite stands still once a minute for as long as it takes to forget each message by itself.
  const large = await running({ assets: 10_000, nodeOptions: smallHeap, onDisk: true }, async (all) => {
    await delay(3_000);
    const idle = (await all.apps[0]?.usage())?.residentMiB ?? Number.NaN;
    const body = eventDocument(
      all.assets.map(({ ref }) => ref),
      0,
    );
    await all.caller.deliver(url(all), body);
    let most = 0;
    const startedAt = performance.now();
    const end = handled(all.apps, 10_050).then(() => 'end');
    while ((await Promise.race([end, delay(100)])) !== 'end')
      most = Math.max(most, (await all.apps[0]?.usage())?.residentMiB ?? 0);
    const seconds = (performance.now() - startedAt) / 1_000;
    return { idle, most, seconds, bodyMiB: body.byteLength / 1_048_576 };
  });
  return {
    idleMiB: large.idle,
    mostMiB: large.most,
    bodyMiB: large.bodyMiB,
    aboveIdleMiB: large.most - large.idle,
    seconds: large.seconds,
  };
}
