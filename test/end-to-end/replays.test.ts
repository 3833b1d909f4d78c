import { QueueServiceClient } from '@azure/storage-queue';
import { beforeAll, describe, expect, it } from 'vitest';
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

describe('a replay of many', () => {
  beforeAll(async () => {
    // It was restarted at another port.
    expect(await app.subscribe()).toBe(200);
  });
  const post = async (body: object | string) => {
    const answer = await fetch(`${app.host.url}/replays`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  const ended = async (replayId: unknown) =>
    await until(async () => {
      const { json } = await app.get(`/replays/${String(replayId)}`);
      return (json as { finishedAt: string | null }).finishedAt === null ? undefined : json;
    });
  const historyOf = async (id: string) =>
    (await app.event(id)).history.flatMap(({ replayId }) => replayId ?? []);

  it('works on what its filter finds, once, and counts first', async () => {
    const assets = ['One', 'Two', 'Three'].map((title) => app.preservica.library.addAsset({ title }));
    await app.preservica.happen('FULL_TEXT_INDEXED', assets);
    const ids = await until(async () => {
      const events = await app.events('&source=archive&type=FULL_TEXT_INDEXED&state=done');
      const own = events.filter(({ assetId }) => assets.some(({ ref }) => ref === assetId));
      return own.length === 3 ? own.map(({ id }) => id) : undefined;
    });
    const filter = { source: 'archive', state: 'done', q: 'T' };
    const counted = await post({ filter, dryRun: true });
    expect(counted).toMatchObject({ status: 200, json: { complete: true } });
    const before = await Promise.all(ids.map(historyOf));
    expect(before.flat()).toEqual([]);

    const wanted = { assetId: assets[0]?.ref, state: 'done' };
    expect(await post({ ...wanted, confirm: 7 })).toMatchObject({ status: 409, json: { matches: 1 } });
    const started = await post(wanted);
    expect(started).toMatchObject({ status: 202, json: { replayId: expect.any(String) } });
    expect(await ended(started.json['replayId'])).toMatchObject({
      state: 'done',
      filter: wanted,
      matched: 1,
      queued: 1,
      refused: 0,
    });
    await until(async () => ((await Promise.all(ids.map(historyOf))).flat().length > 0 ? true : undefined));
    expect((await Promise.all(ids.map(historyOf))).flat()).toEqual([started.json['replayId']]);
  });

  it('of everything wants the count', async () => {
    for (const body of [{}, '', { to: new Date().toISOString() }]) {
      const refused = await post(body);
      expect(refused.status).toBe(409);
      const { matches, to } = refused.json as { matches: number; to: string };
      expect(matches).toBe((await app.events()).length);
      expect(refused.json['error']).toContain(`"confirm": ${matches}`);
      if (body !== '') continue;
      const { status, json } = await post({ confirm: matches, to });
      expect(status).toBe(202);
      const progress = await ended(json['replayId']);
      expect(progress).toMatchObject({ state: 'done', matched: matches });
      const { queued } = progress as { queued?: number };
      await until(async () => {
        const histories = await Promise.all((await app.events()).map(({ id }) => historyOf(id)));
        return (
          histories.filter((each) => each.includes(String(json['replayId']))).length === queued || undefined
        );
      });
    }
  });

  it.each([
    ['nonsense', 'no JSON'],
    ['[]', 'JSON object'],
    [{ states: 'failed' }, 'states'],
    [{ state: 'lost' }, 'state'],
    [{ from: 'yesterday' }, 'from'],
    [{ source: 'attic' }, 'There is no source "attic"'],
    [{ filter: { limit: '5' } }, 'limit'],
  ])('says what is wrong with %j', async (body, said) => {
    const { status, json } = await post(body);
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: expect.stringContaining(said) });
  });

  it('that there is not is 404', async () => {
    expect(await app.get('/replays/nobody')).toMatchObject({ status: 404 });
  });

  it('is asked for by the command', async () => {
    const env = { ...app.settings, ASSET_WEBHOOKS_URL: app.host.url };
    const options = ['events', 'replay', '--state', 'done', '--from', '2h', '--source', 'archive'];
    // What was replayed before must have come to its end, or it is counted only later.
    await until(async () =>
      (await app.events('&source=archive')).every(({ state }) => !['processing', 'waiting'].includes(state))
        ? true
        : undefined,
    );
    const counted = await runCommand([...options, '--dry-run', '--json'], { env });
    expect(counted, counted.stderr).toMatchObject({ code: 0 });
    const { matches } = JSON.parse(counted.stdout) as { matches: number };
    expect(matches).toBeGreaterThan(0);
    expect(await runCommand(options, { env })).toMatchObject({ code: 2 });
    const ran = await runCommand([...options, '--yes'], { env });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain(`queued   ${matches}`);
    expect(await runCommand(['events', 'replay', 'abcd', '--dry-run'], { env })).toMatchObject({ code: 2 });
  });
});
