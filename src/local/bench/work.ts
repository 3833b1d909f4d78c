import { startAzurite, type Azurite } from '../azurite.ts';
import type { Entity } from '../simulators/preservica/library.ts';
import { startPreservicaSimulator, type PreservicaSimulator } from '../simulators/preservica/simulator.ts';
import { drawPicture } from '../simulators/pictures.ts';
import { settings, startApp } from './app-process.ts';
import { Caller, eventDocument } from './caller.ts';
import { countStorage } from './counting-storage.ts';
import { oneByOne } from './one-by-one.ts';

const deliveries = 1_000;
const latencyMs = 50;
const senders = 32;

/**
 * From the first of 1,000 deliveries to the last record, with 50 ms a call at the source, beside handling each inside
 * its request, one call after another; and what an event costs in storage transactions and logins.
 */
export async function benchWork() {
  const alone = await runOneByOne(25);
  const atDefault = await run(deliveries, {});
  const at64 = await run(deliveries, { MAX_CALLS_AT_ONCE: '64' });
  const counted = await run(200, {}, { count: true });
  return {
    oneByOneMsAnEvent: alone,
    atDefaultMsAnEvent: atDefault.msAnEvent,
    timesFasterAtDefault: alone / atDefault.msAnEvent,
    timesFasterAt64: alone / at64.msAnEvent,
    callsAnEvent: atDefault.callsAnEvent,
    mostCallsAtOnce: { atDefault: atDefault.mostAtOnce, at64: at64.mostAtOnce },
    logins: atDefault.logins,
    transactionsAnEvent: counted.transactionsAnEvent,
    transactions: counted.transactions,
  };
}

async function runOneByOne(count: number): Promise<number> {
  const azurite = await startAzurite({ inMemory: true });
  const preservica = await startPreservicaSimulator();
  try {
    const assets = addAssets(preservica, count + 1);
    preservica.settings.latencyMs = latencyMs;
    const msAnEvent = await oneByOne(
      settingsAt(azurite.connectionString, preservica),
      assets.map(({ ref }) => ref),
    );
    await recordsAre(assets.length, azurite);
    return msAnEvent;
  } finally {
    await preservica.close();
    await azurite.stop();
  }
}

export function settingsAt(
  storage: string,
  { url, settings: { account } }: PreservicaSimulator,
): Record<string, string> {
  return settings(storage, url, {
    SOURCE_ARCHIVE_USERNAME: account.username,
    SOURCE_ARCHIVE_PASSWORD: account.password,
  });
}

export async function run(count: number, env: Record<string, string>, how: { count?: boolean } = {}) {
  const azurite = await startAzurite({ inMemory: true });
  const preservica = await startPreservicaSimulator();
  const counting = how.count === true ? await countStorage(azurite.connectionString) : undefined;
  const storage = counting?.connectionString ?? azurite.connectionString;
  const app = await startApp({ ...settingsAt(storage, preservica), ...env });
  const caller = new Caller(senders);
  try {
    preservica.settings.latencyMs = latencyMs;
    const assets = addAssets(preservica, count + 1);
    // A first event, so that everything is loaded.
    const [first, ...rest] = assets;
    if (first !== undefined) await caller.deliver(app.url, eventDocument(first.ref, 0));
    await app.handled(1);

    const callsBefore = preservica.calls.length;
    const before = total(counting?.counts);
    const countsBefore = new Map(counting?.counts);
    const startedAt = performance.now();
    await Promise.all(
      rest.map(async (asset, index) => await caller.deliver(app.url, eventDocument(asset.ref, index))),
    );
    await app.handled(count + 1);
    const took = performance.now() - startedAt;
    await recordsAre(count + 1, azurite);
    const logins = preservica.calls.filter(({ target }) => target.endsWith('/accesstoken/login')).length;
    return {
      msAnEvent: took / count,
      callsAnEvent: (preservica.calls.length - callsBefore) / count,
      mostAtOnce: preservica.mostAtOnce,
      logins,
      transactionsAnEvent: (total(counting?.counts) - before) / count,
      transactions: Object.fromEntries(
        [...(counting?.counts ?? [])].map(([name, times]) => [
          name,
          (times - (countsBefore.get(name) ?? 0)) / count,
        ]),
      ),
    };
  } finally {
    caller.close();
    await app.stop();
    await counting?.close();
    await preservica.close();
    await azurite.stop();
  }
}

/** Assets that share one picture, so that drawing is not measured. */
export function addAssets({ library }: PreservicaSimulator, count: number): Entity[] {
  const thumbnail = drawPicture('bench', 400);
  return Array.from({ length: count }, (_, index) =>
    library.addAsset({ title: `Asset ${index}`, thumbnail }),
  );
}

function total(counts: ReadonlyMap<string, number> | undefined): number {
  return [...(counts?.values() ?? [])].reduce((sum, times) => sum + times, 0);
}

/** Throws unless so many records are kept: what was measured must have happened. */
async function recordsAre(count: number, azurite: Azurite): Promise<void> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const assets = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
    'assets',
  );
  let found = 0;
  for await (const { name } of assets.listBlobsFlat()) if (name.endsWith('/record.json')) found += 1;
  if (found !== count) throw new Error(`${found} records are kept, and not ${count}.`);
}
