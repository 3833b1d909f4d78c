import { expect } from 'vitest';
import type { Entity } from '../../src/local/simulators/preservica/library.ts';
import { startAppUnderTest, until, type AppUnderTest } from './app-under-test.ts';

const settings = { LOCAL_QUEUE_LEASE_SECONDS: '2' };

/** An app that is killed and comes back, with a short lease and a sender that comes again. */
export interface KilledApp {
  readonly app: AppUnderTest;
  readonly newAsset: () => Entity;
  /** The app comes back at the same address. */
  readonly restart: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** Waits until each is a record with its picture. */
  readonly allAreRecords: (assets: readonly Entity[]) => Promise<void>;
  /** Lets something happen to what is made, kills the app at that point, and brings it back. */
  killedAt(point: string, make: () => Entity[]): Promise<void>;
  /** Waits until all that was made is on record: an event that was being worked on waits for the end of its lease. */
  nothingIsLost(): Promise<void>;
}

export async function startKilledApp(): Promise<KilledApp> {
  const app = await startAppUnderTest(settings);
  expect(await app.subscribe()).toBe(200);
  // A sender that got no answer comes again.
  app.preservica.settings.retryDelaysMs = Array.from({ length: 20 }, () => 500);
  let serial = 0;
  const made: Entity[] = [];
  const restart: KilledApp['restart'] = async (env = {}) => {
    const { port } = new URL(app.host.url);
    await app.restart({ ...settings, ...env }, Number(port));
  };
  const allAreRecords: KilledApp['allAreRecords'] = async (assets) => {
    for (const { ref, title } of assets) {
      const event = await until(async () => {
        const [found] = await app.events(`&assetId=${ref}`);
        return found === undefined || found.finishedAt === null ? undefined : found;
      });
      expect(event).toMatchObject({ state: 'done', title });
      const record = await app.record(ref);
      expect(record).toMatchObject({ title, thumbnailState: 'stored' });
      expect((await app.get(`/assets/archive/${ref}/thumbnail`)).bytes.byteLength).toBe(
        record?.thumbnail?.sizeBytes,
      );
    }
  };
  return {
    app,
    newAsset: () => app.preservica.library.addAsset({ title: `Asset ${(serial += 1)}` }),
    restart,
    allAreRecords,
    async killedAt(point, make) {
      await restart({ LOCAL_FAULT_POINT: point });
      const assets = make();
      made.push(...assets);
      const happening = app.preservica.happen('FULL_TEXT_INDEXED', assets);
      expect(await app.host.exited).toMatchObject({ signal: 'SIGKILL' });
      await restart();
      await happening;
    },
    nothingIsLost: async () => await allAreRecords(made),
  };
}
