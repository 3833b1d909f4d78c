import { QueueServiceClient } from '@azure/storage-queue';
import { beforeAll, expect, it } from 'vitest';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';
import { runCommand } from '../support/command.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest();
  expect(await app.subscribe()).toBe(200);
});

const replay = async (id: string) => {
  const answer = await fetch(`${app.host.url}/events/${id}/replay`, { method: 'POST' });
  return { status: answer.status, json: await answer.json() };
};
const settled = async (id: string, attempts: number) =>
  await until(async () => {
    const event = await app.event(id);
    return event.attempts === attempts && event.finishedAt !== null ? event : undefined;
  });

it('an event is done again by the route and by the command, each once', async () => {
  const asset = app.preservica.library.addAsset({ title: 'Harbour' });
  await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  const [event] = await app.settled(1);
  const id = event?.id ?? '';
  asset.title = 'Harbour, renamed';
  const queued = await replay(id);
  expect(queued).toEqual({ status: 202, json: { id, replayId: expect.any(String) } });
  const { history } = await settled(id, 2);
  expect(history.map(({ state, replayId }) => [state, replayId])).toEqual([
    ['done', undefined],
    ['done', (queued.json as { replayId: string }).replayId],
  ]);
  expect(await app.record(asset.ref)).toMatchObject({ title: 'Harbour, renamed' });

  const env = { ...app.settings, ASSET_WEBHOOKS_URL: app.host.url };
  const ran = await runCommand(['events', 'replay', id.slice(0, 12)], { env });
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain(`events show ${id}`);
  expect((await settled(id, 3)).duplicates).toBe(0);
  expect(await app.events()).toHaveLength(1);
});

it('an event that there is not is not replayed', async () => {
  expect(await replay('A'.repeat(43))).toMatchObject({ status: 404 });
  const env = { ...app.settings, ASSET_WEBHOOKS_URL: app.host.url };
  expect(await runCommand(['events', 'replay', 'A'.repeat(43)], { env })).toMatchObject({ code: 1 });
});

it('an event of a source that is named again gets its record', async () => {
  const service = QueueServiceClient.fromConnectionString(app.azurite.connectionString);
  const at = new Date().toISOString();
  const event = {
    id: 'F'.repeat(43),
    type: 'scan.finished',
    assetKind: 'asset',
    assetId: 'scan-1',
    occurredAt: at,
    identifiers: [],
    data: { asset: { id: 'scan-1', title: 'A scan' } },
  };
  const head = { v: 1, deliveryId: 'd-1', source: 'scans', receivedAt: at, attempt: 0, replayId: null };
  const message = JSON.stringify({ ...head, putBackAt: at, events: [event] });
  await service.getQueueClient('asset-events').sendMessage(Buffer.from(message).toString('base64'));
  const failed = await until(async () => (await app.events('&state=failed'))[0]);
  expect(failed).toMatchObject({ id: event.id, reason: { code: 'unknown-source' } });
  expect(await replay(event.id)).toMatchObject({ status: 409 });

  await app.restart({
    SOURCES: `${app.settings['SOURCES']},scans`,
    SOURCE_SCANS_KIND: 'pywebhooks',
    SOURCE_SCANS_TITLE_POINTER: '/asset/title',
  });
  expect(await replay(event.id)).toMatchObject({ status: 202 });
  await until(async () => ((await app.events('&source=scans'))[0]?.state === 'done' ? true : undefined));
  const { status, json } = await app.get('/assets/scans/scan-1');
  expect({ status, json }).toMatchObject({ status: 200, json: { title: 'A scan' } });
  expect(await app.events('&state=failed')).toEqual([]);
});
