import { beforeAll, describe, expect, it } from 'vitest';
import type { Keys } from '../../src/local/simulators/pywebhooks/simulator.ts';
import { startPyWebhooksEnv, type PyWebhooksEnv } from '../support/pywebhooks-env.ts';
import { until } from '../support/until.ts';

let shop: PyWebhooksEnv;
let keys: Keys;
beforeAll(async () => {
  shop = await startPyWebhooksEnv({
    SOURCES: 'scans,tidy',
    SOURCE_TIDY_KIND: 'pywebhooks',
    SOURCE_TIDY_URL: 'http://127.0.0.1:9',
    SOURCE_TIDY_SECRET: 'a secret of tidy that nobody shares',
    SOURCE_TIDY_DEDUPLICATE_SECONDS: '3600',
  });
});

/** Triggers an event as its owner would; what the app made of it. */
async function triggered(event: string | null, payload: unknown) {
  const before = new Set((await shop.app.events()).map(({ id }) => id));
  const registration = await shop.subscribed(keys, event, payload);
  const sentBefore = shop.service.sent.length;
  await shop.service.trigger(registration);
  expect(shop.service.sent.slice(sentBefore)).toMatchObject([{ kind: 'event', status: 200, attempt: 1 }]);
  const { id } = await until(async () =>
    (await shop.app.events()).find((found) => !before.has(found.id) && found.finishedAt !== null),
  );
  return await shop.app.event(id);
}

describe('an account', () => {
  it('is made while the app has no secret: the echo is answered, events are not taken yet', async () => {
    const body = Buffer.from('{}');
    const early = await shop.service.deliver(shop.addressOf('scans'), { secret: 'x'.repeat(40), body });
    expect(early).toMatchObject({ status: 503 });
    keys = await shop.enrol('scans');
    expect(shop.service.sent).toMatchObject([{ kind: 'echo', status: 200 }]);
  });

  it('whose secret was kept a moment ago has its first event taken at the first try', async () => {
    const payload = {
      asset: { id: 'scan-0001', title: 'Café du Port, façade', link: 'https://scans.example.org/items/1' },
      pages: 12,
    };
    const event = await triggered('scan.finished', payload);
    expect(event).toMatchObject({
      source: 'scans',
      type: 'scan.finished',
      assetKind: 'asset',
      assetId: 'scan-0001',
      state: 'done',
      reason: null,
      title: 'Café du Port, façade',
      data: payload,
    });
    expect(event.occurredAt).toBe(event.receivedAt);
    expect(await shop.app.record('scans', 'scan-0001')).toMatchObject({
      v: 1,
      title: 'Café du Port, façade',
      links: { page: 'https://scans.example.org/items/1' },
      details: payload,
      thumbnail: null,
      thumbnailState: 'none',
      deleted: false,
    });
  });
});

describe('a payload', () => {
  const named = (id: string) => ({ asset: { id, title: `The one of ${id}` } });

  it.each<[string, Record<string, unknown>]>([
    [
      "the platform's own words",
      {
        headers: { event: 'x', 'pywebhooks-signature': 'x' },
        query: { a: 1 },
        source: 'tidy',
        Source: 'tidy',
        sys: 1,
      },
    ],
    [
      'the words of this app',
      { id: 'x', type: 'asset_remove', removal: true, earlier: {}, events: [], data: null },
    ],
    ['other letters', { place: '東京 📓', del: '\u007f', nul: '\u0000' }],
    ['numbers of all sizes', { e16: 1e16, tiny: 1e-7, half: 2.5, most: 9_007_199_254_740_991 }],
  ])('with members of %s is a record of its own', async (name, members) => {
    const id = `scan of ${name}`;
    const payload = { ...members, ...named(id) };
    expect(await triggered('scan.finished', payload)).toMatchObject({
      state: 'done',
      assetId: id,
      data: payload,
    });
    expect(await shop.app.record('scans', id)).toMatchObject({ title: `The one of ${id}`, details: payload });
  });

  it('with a number that no double tells from its neighbours keeps its digits', async () => {
    const payload = { ...named('scan of a large number'), past: 9_007_199_254_740_992 };
    expect(await triggered('scan.finished', payload)).toMatchObject({ data: { past: '9007199254740992' } });
  });

  it.each([null, 5, 'x', true, [], [1, 'two', { three: 3 }]])(
    'that is no object (%j) has its row and can be seen',
    async (payload) => {
      expect(await triggered('scan.finished', payload)).toMatchObject({
        assetId: null,
        assetKind: 'other',
        state: 'ignored',
        reason: { code: 'not-an-asset' },
        data: { payload },
      });
    },
  );

  it('without an asset has its row, its payload, and no record', async () => {
    const payload = { box: 'MS 42', returned: '2024-03-05T09:08:07Z' };
    expect(await triggered('batch.delivered', payload)).toMatchObject({
      type: 'batch.delivered',
      state: 'ignored',
      reason: { code: 'not-an-asset' },
      data: payload,
    });
  });

  it('of an event without a name is of the type event', async () => {
    expect(await triggered(null, named('scan-0004'))).toMatchObject({ type: 'event', state: 'done' });
  });

  it('too large for a message comes through, with the name of its event', async () => {
    const payload = { ...named('large'), text: 'é'.repeat(60_000) };
    const event = await triggered('scan.finished', payload);
    expect(event).toMatchObject({ state: 'done', type: 'scan.finished', data: payload });
    expect(await shop.app.record('scans', 'large')).toMatchObject({ details: payload });
  });

  it('too large for a message is kept whatever its event is called', async () => {
    const body = Buffer.from(JSON.stringify({ ...named('long name'), text: 'x'.repeat(60_000) }));
    const { secretKey: secret } = keys;
    const event = 'n'.repeat(3_000);
    expect(await shop.service.deliver(shop.addressOf('scans'), { secret, body, event })).toMatchObject({
      status: 200,
    });
    const found = await until(async () => (await shop.app.events('&assetId=long name&state=done'))[0]);
    expect(found.type).toBe('n'.repeat(256));
  });

  it('that comes later replaces the record', async () => {
    await triggered('scan.finished', { ...named('again'), step: 1 });
    await triggered('record.updated', { ...named('again'), step: 2 });
    expect(await shop.app.record('scans', 'again')).toMatchObject({ details: { step: 2 } });
  });
});

describe('the same bytes twice', () => {
  const deliver = async (source: string, body: string, secret: string) =>
    await shop.service.deliver(shop.addressOf(source), { secret, body: Buffer.from(body), event: 'e' });

  it('are two events', async () => {
    const body = JSON.stringify({ asset: { id: 'twice' } });
    for (const _ of [1, 2])
      expect(await deliver('scans', body, keys.secretKey)).toMatchObject({ status: 200 });
    const events = await until(async () => {
      const found = await shop.app.events('&assetId=twice');
      return found.length === 2 && found.every(({ finishedAt }) => finishedAt !== null) ? found : undefined;
    });
    expect(events.map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('are one where a setting says for how long', async () => {
    const secret = shop.app.settings['SOURCE_TIDY_SECRET'] ?? '';
    const body = JSON.stringify({ note: 'the same' });
    for (const _ of [1, 2, 3]) expect(await deliver('tidy', body, secret)).toMatchObject({ status: 200 });
    expect(await deliver('tidy', `${body} `, secret)).toMatchObject({ status: 200 });
    const events = await until(async () => {
      const found = await shop.app.events('&source=tidy');
      return found.length === 2 && found.some(({ duplicates }) => duplicates === 2) ? found : undefined;
    });
    expect(events.map(({ duplicates }) => duplicates).toSorted((a, b) => a - b)).toEqual([0, 2]);
  });
});
