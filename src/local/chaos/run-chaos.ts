import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startAzurite, type Azurite } from '../azurite.ts';
import { startArchive } from './archive.ts';
import { buildBundles, type Bundles, type Safeguard } from './bundles.ts';
import { chance as chanceOf, type Chance } from './chance.ts';
import { Instance } from './instance.ts';
import { startPhotos } from './photos.ts';
import { plant, plantedMessages } from './planted.ts';
import { startScans } from './scans.ts';
import { Sent, sendAll, sendOvertaking } from './senders.ts';
import { SourceFaults } from './source-faults.ts';
import type { ChangingSource } from './source.ts';
import { StorageFaults } from './storage-faults.ts';
import { Stored } from './stored.ts';
import { judge, type Verdict } from './verdict.ts';
import { Witness, type SeenWrite } from './witness.ts';
import type { EventEntry } from '../../pipeline/model/ledger.ts';
import { isFinal } from '../../pipeline/process/event-transitions.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly events: number;
  readonly kills: number;
  /** Taken out of the app, to see whether the run would find it. */
  readonly without?: Safeguard | undefined;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly verdict: Verdict;
  readonly figures: Readonly<Record<string, string | number>>;
  /** True where every promise was kept. */
  readonly kept: boolean;
}

// Of one delivery in three a process is killed just after one of these; else after any write.
const killPoints: readonly (SeenWrite['kind'] | 'any')[] = [
  'event-waiting',
  'any',
  'event-claimed',
  'message-sent',
  'record-written',
  'any',
  'event-ended',
  'message-deleted',
  'picture-written',
];

/** Lets an app of two processes work while everything around it fails, and looks at what came of it. */
export async function runChaos({ seed, events, kills, without, say }: ChaosOptions): Promise<ChaosReport> {
  const chance = chanceOf(seed);
  const startedAt = Date.now();
  // Azurite takes a quarter of a second to look into a queue of thousands: faster, it would do nothing else.
  const secondsOfSending = Math.max(20, events / 25);
  // The older process lives for a quarter of the sending; what it does not know waits longer than that.
  const olderForMs = secondsOfSending * 250;
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const closing: (() => Promise<void>)[] = [async () => await rm(folder, { recursive: true, force: true })];
  try {
    const bundles = await buildBundles(folder, olderForMs + 15_000, without);
    // On a disk it writes all that it holds every few seconds; of much it comes to nothing else.
    const inMemory = events > 2_000;
    const azurite = await startAzurite({ inMemory });
    closing.push(async () => await azurite.stop());
    const sources = await startSources(events, chance);
    closing.push(
      async () => void (await Promise.all(sources.map(async ({ simulator }) => await simulator.close()))),
    );

    const witness = new Witness();
    const faults = new StorageFaults(chance.of('storage'));
    const settings = appSettings(sources, folder);
    await writeFile(settings['LOCAL_SETTINGS_FILE'] ?? '', '{"Values":{}}');
    const instances: Instance[] = [];
    closing.push(async () => void (await Promise.all(instances.map(async (each) => await each.close()))));
    for (const [name, bundle] of [
      ['first', bundles.present],
      ['second', bundles.older],
    ] as const)
      instances.push(
        await Instance.start({ name, bundle, storage: azurite.connectionString, settings, faults, witness }),
      );

    const stored = new Stored(azurite.connectionString);
    const planted = plantedMessages();
    await plant(azurite.connectionString, planted);
    const sourceFaults = new SourceFaults(
      sources.filter(({ name }) => name !== 'scans').map(({ simulator }) => simulator),
      chance.of('sources'),
    );
    closing.push(async () => await sourceFaults.stop());

    const sent = new Sent();
    const course = new Course(events);
    const upset = Promise.all([
      killAtRandom({ kills, instances, bundles, course, chance: chance.of('kills'), say }),
      upsetAround({
        storage: inMemory ? storageBehind(faults) : azurite,
        faults,
        sourceFaults,
        sources,
        course,
        chance: chance.of('course'),
        say,
        events,
      }),
    ]);
    upset.catch(() => undefined);
    say(`Sending ${events} events, ${Math.round(events / secondsOfSending)} a second.`);
    await sendAll(
      sources,
      instances,
      {
        events,
        perSecond: events / secondsOfSending,
        largest: events >= 5_000 ? 200 : 100,
        removals: Math.ceil(events / 200),
      },
      { chance: chance.of('senders'), progress: (count) => course.reach(count), sent },
    );
    course.reach(Infinity);
    await upset;
    await sourceFaults.stop();
    faults.calm = true;
    say(`All are sent after ${seconds(startedAt)} s. Waiting for the app to come to an end.`);

    const limitMs = 300_000 + events * 60;
    await settled(stored, { limitMs });
    const [archive] = sources;
    if (archive !== undefined) await sendOvertaking(archive, instances, { assets: 20, sent });
    const rows = await settled(stored, { limitMs });
    const endsSaid = new Map<string, number>();
    for (const { ended } of instances)
      for (const [id, count] of ended) endsSaid.set(id, (endsSaid.get(id) ?? 0) + count);
    const verdict = await judge(
      {
        accepted: sent.accepted,
        refused: sent.refused,
        planted,
        expected: sources.flatMap((source) => source.expected()),
        endsSaid,
        witnessed: witness.broken,
      },
      rows,
      stored,
    );
    const kept = [verdict.lost, verdict.doubled, verdict.poison, verdict.wrong].every(
      (list) => list.length === 0,
    );
    return {
      verdict,
      kept,
      figures: {
        'events accepted': sent.accepted.size,
        duplicates: sent.duplicates,
        'refused (wrong signature)': sent.refused.length,
        'tries of deliveries that had to come again': sent.failedTries,
        planted: planted.length,
        kills: instances.reduce((sum, each) => sum + each.kills, 0),
        'storage: 503': faults.counts.throttled,
        'storage: 503 inside a batch': faults.counts.throttledInBatch,
        'storage: answers lost': faults.counts.answersLost,
        'storage: delayed': faults.counts.delayed,
        'sources: calls that were to go wrong': [...sourceFaults.counts.values()].reduce((a, b) => a + b, 0),
        'events taken for work': witness.claims,
        'of these, from a lease that had run out': witness.overdue,
        'events ended': witness.ends,
        seconds: seconds(startedAt),
        lost: verdict.lost.length,
        doubled: verdict.doubled.length,
        poison: verdict.poison.length,
        'otherwise wrong': verdict.wrong.length,
      },
    };
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1_000);
}

async function startSources(events: number, chance: Chance): Promise<ChangingSource[]> {
  const assets = Math.min(300, Math.max(60, events / 30));
  let last = 0;
  const serials = { next: () => (last += 1) };
  return [
    await startArchive(Math.round(assets / 2), serials, chance.of('archive')),
    await startPhotos(Math.round(assets / 4), serials, chance.of('photos')),
    await startScans(Math.round(assets / 4), serials, chance.of('scans')),
  ];
}

function appSettings(sources: readonly ChangingSource[], folder: string): Record<string, string> {
  return {
    SOURCES: sources.map(({ name }) => name).join(','),
    LOCAL_SETTINGS_FILE: join(folder, 'no.settings.json'),
    LOCAL_SECRETS_FILE: join(folder, 'local.secrets.json'),
    // Enough of them, so that chance alone uses up no event's tries.
    RETRY_DELAYS_SECONDS: ['1,1,1', ...Array.from({ length: 40 }, () => '2')].join(','),
    FOLD_MARGIN_SECONDS: '1',
    // What a killed process had is free again only after some seconds.
    MAX_CALLS_AT_ONCE: '64',
    LOCAL_QUEUE_LEASE_SECONDS: '2',
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:00.200',
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:00',
    // What is not put back is poison while the storage still fails.
    AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '8',
    ...Object.assign({}, ...sources.map(({ settings }) => settings)),
  };
}

/** How far the sending has come, for those who wait for a point of it. */
class Course {
  readonly #events: number;
  #reached = 0;
  readonly #waiting = new Set<{ at: number; go: () => void }>();

  constructor(events: number) {
    this.#events = events;
  }

  reach(count: number): void {
    this.#reached = count / this.#events;
    for (const each of this.#waiting) {
      if (each.at > this.#reached) continue;
      this.#waiting.delete(each);
      each.go();
    }
  }

  /** Resolves when that part of the events has happened. */
  async at(part: number): Promise<void> {
    if (this.#reached >= part) return;
    await new Promise<void>((go) => this.#waiting.add({ at: part, go }));
  }
}

/** Kills one process or the other at random; the older one comes back as the present one. */
async function killAtRandom({
  kills,
  instances,
  bundles,
  course,
  chance,
  say,
}: {
  kills: number;
  instances: readonly Instance[];
  bundles: Bundles;
  course: Course;
  chance: Chance;
  say: (line: string) => void;
}): Promise<void> {
  const [first, second] = instances;
  if (first === undefined || second === undefined) throw new Error('There must be two processes.');
  const points = Array.from({ length: kills }, (_, index) => killPoints[index % killPoints.length] ?? 'any');
  let isOlder = true;
  for (const [index, point] of points.entries()) {
    await course.at(0.05 + (0.9 * (index + chance.next() / 2)) / kills);
    const isDue = isOlder && (index + 1) / kills >= 0.25;
    const instance = isDue ? second : chance.pick(instances);
    const how = await instance.killAt(point, chance.between(1, 40));
    say(
      `Killed the ${instance.name} process (${how === 'at-write' ? `just after: ${point}` : 'at no write'}).`,
    );
    await instance.restart(isDue ? bundles.present : undefined);
    if (isDue) isOlder = false;
  }
  if (isOlder) {
    await second.kill();
    await second.restart(bundles.present);
  }
}

/** A storage that keeps all in memory cannot be stopped: nobody reaches it. */
function storageBehind(faults: StorageFaults): Pick<Azurite, 'pause' | 'resume'> {
  return {
    async pause() {
      faults.isAway = true;
    },
    async resume() {
      faults.isAway = false;
    },
  };
}

/** What happens around the app in the course of the run: storage goes and comes back, twice; services of it are busy for a while; a source is down. */
async function upsetAround({
  storage,
  faults,
  sourceFaults,
  sources,
  course,
  chance,
  say,
  events,
}: {
  storage: Pick<Azurite, 'pause' | 'resume'>;
  faults: StorageFaults;
  sourceFaults: SourceFaults;
  sources: readonly ChangingSource[];
  course: Course;
  chance: Chance;
  say: (line: string) => void;
  events: number;
}): Promise<void> {
  const isLong = events >= 5_000;
  const stop = async (): Promise<void> => {
    say('Storage is stopped.');
    await storage.pause();
    await delay(chance.between(2_000, isLong ? 8_000 : 3_000));
    await storage.resume();
    say('Storage is back.');
  };
  const throttle = async (service: 'Blob' | 'Queue' | 'Table', forMs: number): Promise<void> => {
    say(`${service}s are throttled for ${forMs / 1_000} s.`);
    faults.throttled.add(service);
    await delay(forMs);
    faults.throttled.delete(service);
  };
  const outage = async (): Promise<void> => {
    const source = chance.pick(sources.filter(({ name }) => name !== 'scans'));
    say(`The source ${source.name} is down.`);
    await sourceFaults.outage(source.simulator, isLong ? 15_000 : 4_000);
    say(`The source ${source.name} is back.`);
  };
  const all = chance.shuffled([
    stop,
    stop,
    async () => await throttle('Table', isLong ? 15_000 : 10_000),
    async () => await throttle('Queue', isLong ? 10_000 : 4_000),
    async () => await throttle('Blob', isLong ? 10_000 : 4_000),
    outage,
  ]);
  for (const [index, happen] of all.entries()) {
    await course.at(0.08 + (0.85 * index) / all.length);
    await happen();
  }
}

const lookEveryMs = 1_000;
// Longer than any lease, and than what a message that is put back waits.
const stuckAfterMs = 20_000;

/** The ledger when nothing is under way any more; as it stands where nothing moves on, or after the limit. */
async function settled(stored: Stored, { limitMs }: { limitMs: number }): Promise<readonly EventEntry[]> {
  const deadline = Date.now() + limitMs;
  let emptySince: number | undefined;
  for (;;) {
    const isEmpty = (await stored.messages()) === 0;
    if (!isEmpty) emptySince = undefined;
    else {
      emptySince ??= Date.now();
      const events = await stored.events();
      if (events.every(({ summary }) => isFinal(summary.state)) || Date.now() - emptySince > stuckAfterMs)
        return events;
    }
    if (Date.now() > deadline) return await stored.events();
    await delay(lookEveryMs);
  }
}
