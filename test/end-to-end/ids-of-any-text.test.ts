import { createHmac } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { startRunningApp, type RunningApp } from '../support/running-app.ts';

const secret = 'a secret of the stock';
let app: RunningApp;
let expected = 0;

beforeAll(async () => {
  app = await startRunningApp({
    SOURCES: 'stock',
    SOURCE_STOCK_KIND: 'pywebhooks',
    SOURCE_STOCK_URL: 'http://127.0.0.1:9',
    SOURCE_STOCK_SECRET: secret,
    SOURCE_STOCK_ASSET_ID_POINTER: '/id',
  });
});

async function received(id: string) {
  const body = JSON.stringify({ id });
  const headers = { 'pywebhooks-signature': createHmac('sha1', secret).update(body).digest('hex') };
  await fetch(`${app.host.url}/webhooks/stock`, { method: 'POST', headers, body });
  expected += 1;
  const [latest] = await app.settled(expected);
  return latest;
}

it.each(['shelf/7', 'a/b/c', '100% of it', 'box%2F7', 'Žofia 日本', 'a?b#c'])(
  'the record of %j is shown by its id',
  async (id) => {
    expect(await received(id)).toMatchObject({ state: 'done', assetId: id });
    expect(await app.record('stock', id)).toMatchObject({ assetId: id, details: { id } });
  },
);

it('an id that cannot be kept as it stands is told, and is no other asset’s', async () => {
  expect(await received('shelf\u00007')).toMatchObject({
    state: 'ignored',
    reason: { code: 'impossible-id' },
    assetId: 'shelf\ufffd7',
  });
  expect(await app.record('stock', 'shelf\ufffd7')).toBeUndefined();
});
