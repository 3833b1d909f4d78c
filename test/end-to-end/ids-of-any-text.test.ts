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
    SOURCE_STOCK_TITLE_POINTER: '/title',
  });
});

async function received(id: string, more: object = {}) {
  const body = JSON.stringify({ id, ...more });
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

it.each([
  ['a control character', '\u0000'],
  ['a separator of lines', '\u2028'],
  ['a separator of paragraphs', '\u2029'],
  ['a permit of the direction', '\u202e'],
  ['half a character', '\ud83d'],
])('an id with %s is told, and is no other asset’s', async (_name, character) => {
  expect(await received(`shelf${character}7`)).toMatchObject({
    state: 'ignored',
    reason: { code: 'impossible-id' },
    assetId: 'shelf\ufffd7',
  });
  expect(await app.record('stock', 'shelf\ufffd7')).toBeUndefined();
});

it.each([
  ['a separator of lines', 'Harbour\u2028quay', 'Harbour\ufffdquay'],
  ['a permit of the direction', 'Harbour\u202equay', 'Harbour\ufffdquay'],
  ['a character on the edge', `${'x'.repeat(999)}💩`, 'x'.repeat(999)],
])('a title with %s is kept as it can be shown', async (_name, title, shown) => {
  const event = await received(`titled-${shown.length}`, { title });
  expect(event).toMatchObject({ state: 'done', title: shown });
});
