import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';
import { runCommand } from '../support/command.ts';
import { until } from '../support/until.ts';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
} from '../../src/local/simulators/preservica/simulator.ts';
import {
  startWoodWingSimulator,
  type WoodWingSimulator,
} from '../../src/local/simulators/woodwing/simulator.ts';

// Nobody tells the app of anything: it has to find all changes in the sources' own lists.

let preservica: PreservicaSimulator;
let woodwing: WoodWingSimulator;
let app: RunningApp;
beforeAll(async () => {
  preservica = await startPreservicaSimulator();
  woodwing = await startWoodWingSimulator();
  app = await startRunningApp({
    SOURCES: 'archive,photos,scans',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: preservica.url,
    SOURCE_ARCHIVE_USERNAME: preservica.settings.account.username,
    SOURCE_ARCHIVE_PASSWORD: preservica.settings.account.password,
    SOURCE_ARCHIVE_CATCH_UP: 'off',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: woodwing.url,
    SOURCE_PHOTOS_USERNAME: woodwing.settings.account.username,
    SOURCE_PHOTOS_PASSWORD: woodwing.settings.account.password,
    SOURCE_PHOTOS_CATCH_UP_FROM: '2020-01-01',
    SOURCE_SCANS_KIND: 'pywebhooks',
    CATCH_UP_SCHEDULE: '*/5 * * * * *',
  });
});
afterAll(async () => {
  await Promise.all([preservica.close(), woodwing.close()]);
});

interface CatchUp {
  readonly state: string;
  readonly run: string;
  readonly seen: number;
  readonly recovered: number;
  readonly missed: number;
}

const start = async (source: string, body: object = {}) => {
  const path = `${app.host.url}/sources/${source}/catch-up`;
  const answer = await fetch(path, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
};
const ended = async (source: string, run: unknown): Promise<CatchUp> =>
  await until(async () => {
    const { json } = await app.get('/sources');
    const { sources } = json as { sources: { name: string; catchUp: CatchUp | null }[] };
    const found = sources.find(({ name }) => name === source)?.catchUp ?? undefined;
    if (found === undefined || found.run !== run) return undefined;
    return ['done', 'failed'].includes(found.state) ? found : undefined;
  });

it('a change in Preservica of which no call told is found, with folders and what was deleted', async () => {
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const folder = preservica.library.addFolder({ title: 'Harbour views' });
  const assets = Array.from({ length: 130 }, (_, serial) =>
    preservica.library.addAsset({ title: `Plate ${serial}`, parent: folder.ref }),
  );
  const gone = preservica.library.addAsset({ title: 'Gone' });
  gone.deleted = true;
  for (const entity of [folder, gone, ...assets]) entity.changedAt = anHourAgo;

  const since = new Date(Date.now() - 7_200_000).toISOString();
  const { status, json } = await start('archive', { since });
  expect({ status, json }).toMatchObject({ status: 202, json: { source: 'archive', from: since } });
  expect((await start('archive')).status).toBe(409);
  expect(await ended('archive', json['run'])).toMatchObject({
    state: 'done',
    seen: 132,
    recovered: 132,
    missed: 132,
  });
  await until(async () => {
    const { json: page } = await app.get('/events?source=archive&state=done&limit=200');
    return (page as { events: unknown[] }).events.length === 132 ? true : undefined;
  });
  expect(await app.record('archive', assets[129]?.ref ?? '')).toMatchObject({ title: 'Plate 129' });
  expect(await app.record('archive', folder.ref)).toMatchObject({ kind: 'folder', title: 'Harbour views' });
  expect(await app.record('archive', gone.ref)).toMatchObject({ deleted: true });

  const again = await start('archive', { since });
  expect(await ended('archive', again.json['run'])).toMatchObject({ seen: 132, recovered: 0, missed: 0 });
});

it('the timer looks back as far as the settings say, at WoodWing Assets', async () => {
  const asset = woodwing.library.add({
    filename: 'harbour.jpg',
    metadata: { assetModified: { value: Date.now() - 900_000, formatted: '' } },
  });
  // What else is there changed just now, which is for a later time.
  const record = await until(async () => await app.record('photos', asset.id));
  expect(record).toMatchObject({ title: expect.any(String) });
  const { json } = await app.get('/events?source=photos');
  expect((json as { events: { type: string }[] }).events.map(({ type }) => type)).toEqual(['CATCH_UP']);
});

it('is refused in words where there is nothing to compare', async () => {
  expect(await start('scans')).toMatchObject({ status: 409, json: { error: /has no list of changes/ } });
  expect(await start('attic')).toMatchObject({ status: 404 });
  expect(await start('archive', { since: 'once' })).toMatchObject({ status: 400 });
  expect(await start('archive', { since: '2100-01-01' })).toMatchObject({ status: 400 });
});

it('is asked for by the command, which tells how far it is', async () => {
  const env = { ...app.settings, ASSET_WEBHOOKS_URL: app.host.url };
  const ran = await runCommand(['source', 'catch-up', 'archive', '--since', '2h'], { env });
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(ran.stdout).toMatch(/recovered +0/);
  expect(await runCommand(['source', 'catch-up', 'scans'], { env })).toMatchObject({ code: 1 });
});
