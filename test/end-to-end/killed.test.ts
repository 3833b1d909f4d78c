import { beforeAll, describe, expect, it } from 'vitest';
import type { Entity } from '../../src/local/preservica/library.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
const settings = { LOCAL_QUEUE_LEASE_SECONDS: '2' };
beforeAll(async () => {
  app = await startAppUnderTest(settings);
  expect(await app.subscribe()).toBe(200);
  // A sender that got no answer comes again.
  app.preservica.settings.retryDelaysMs = Array.from({ length: 20 }, () => 500);
});

let serial = 0;
const newAsset = (): Entity => app.preservica.library.addAsset({ title: `Asset ${(serial += 1)}` });

/** The app comes back at another address; its subscription moves along. */
async function restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const port = new URL(app.host.url).port;
  await app.restart({ ...settings, ...env }, Number(port));
}

async function allAreRecords(assets: readonly Entity[]): Promise<void> {
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
}

describe('a process that is killed loses nothing', () => {
  it.each([
    'before:message-queued',
    'after:message-queued',
    'before:event-begun',
    'after:event-begun',
    'before:thumbnail-written',
    'after:thumbnail-written',
    'before:record-written',
    'after:record-written',
    'before:event-finished',
    'after:event-finished',
    'before:message-deleted',
    'after:message-deleted',
  ])('%s', async (point) => {
    await restart({ LOCAL_FAULT_POINT: point });
    const asset = newAsset();
    const happening = app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    expect(await app.host.exited).toMatchObject({ signal: 'SIGKILL' });
    await restart();
    await happening;
    await allAreRecords([asset]);
  });

  it.each([
    'before:message-queued#2',
    'after:message-queued#2',
    'before:event-finished',
    'after:event-finished',
  ])('while an event is put to wait: %s', async (point) => {
    await restart({ LOCAL_FAULT_POINT: point });
    app.preservica.fault({ kind: 'status', status: 500, path: /information-objects/, times: 1 });
    const asset = newAsset();
    const happening = app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    expect(await app.host.exited).toMatchObject({ signal: 'SIGKILL' });
    await restart();
    await happening;
    await allAreRecords([asset]);
  });

  it.each([
    'before:claim-written',
    'after:claim-written',
    'message-queued#1',
    'message-queued#3',
    'message-queued#40',
  ])('while a large delivery is kept and split: %s', async (point) => {
    await restart({ LOCAL_FAULT_POINT: point });
    const { settings: sender } = app.preservica;
    sender.batch = 80;
    const assets = Array.from({ length: 80 }, () => {
      const folder = app.preservica.library.addFolder({
        title: `Folder ${(serial += 1)}`,
        identifiers: [{ type: 'Long', value: 'x'.repeat(200) }],
      });
      return folder;
    });
    const happening = app.preservica.happen('FULL_TEXT_INDEXED', assets);
    expect(await app.host.exited).toMatchObject({ signal: 'SIGKILL' });
    await restart();
    await happening;
    sender.batch = 1;
    await allAreRecords(assets);
  });

  it('at random, again and again', async () => {
    const assets = Array.from({ length: 120 }, newAsset);
    await restart();
    const happening = app.preservica.happen('FULL_TEXT_INDEXED', assets);
    for (let kills = 0; kills < 5; kills += 1) {
      const callsBefore = app.preservica.calls.length;
      const enough = 40 + Math.floor(Math.random() * 120);
      await until(async () => (app.preservica.calls.length - callsBefore > enough ? true : undefined));
      await restart();
    }
    await happening;
    await allAreRecords(assets);
  });
});
