import { BlobServiceClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, it } from 'vitest';
import { post, type Framing } from '../../src/local/simulators/post.ts';
import { signEvent } from '../../src/local/simulators/woodwing/sender.ts';
import { bodyOf, vectors, type VectorName } from '../sources/woodwing/vectors.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { until } from '../support/until.ts';

// The vectors were signed with three tokens, and a source has one.
const tokens = {
  photos: vectors.V1.token,
  press: vectors.V3.token,
  sound: vectors.V5.token,
};
type Source = keyof typeof tokens;

let desk: WoodWingEnv;
beforeAll(async () => {
  desk = await startWoodWingEnv((assets) => ({
    SOURCES: Object.keys(tokens).join(','),
    ...Object.fromEntries(
      Object.entries(tokens).flatMap(([source, token]) =>
        Object.entries({
          KIND: 'woodwing',
          URL: assets.url,
          USERNAME: assets.settings.account.username,
          PASSWORD: assets.settings.account.password,
          SECRET: token,
        }).map(([name, value]) => [`SOURCE_${source.toUpperCase()}_${name}`, value]),
      ),
    ),
    // The vectors are of 2023.
    MAX_EVENT_AGE_HOURS: '0',
    // Their assets are nowhere.
    RETRY_DELAYS_SECONDS: '0',
  }));
});

interface Sent {
  readonly source?: Source;
  /** The right one if left out, none if null. */
  readonly signature?: string | null;
  readonly headers?: Record<string, string>;
  readonly framing?: Framing;
}

async function send(body: Buffer, { source = 'photos', signature, headers = {}, framing }: Sent = {}) {
  const given = signature === undefined ? signEvent(tokens[source], body) : signature;
  const answer = await post(`${desk.app.host.url}/webhooks/${source}`, {
    body,
    headers: { ...(given === null ? {} : { 'X-Hook-Signature': given }), ...headers },
    ...(framing === undefined ? {} : { framing }),
  });
  // Whatever came, nobody was stopped by it.
  expect(await desk.app.get('/health')).toMatchObject({ status: 200 });
  return answer;
}

/** The event that a call made, once the app is done with it. */
async function eventMadeBy(call: () => Promise<{ status: number }>, status: number) {
  const before = new Set((await desk.app.events()).map(({ id }) => id));
  expect(await call()).toMatchObject({ status });
  const { id } = await until(async () =>
    (await desk.app.events()).find((event) => !before.has(event.id) && event.finishedAt !== null),
  );
  return await desk.app.event(id);
}

const sourceOf = (name: VectorName): Source =>
  (Object.keys(tokens) as Source[]).find((source) => tokens[source] === vectors[name].token) ?? 'photos';

describe('a published vector', () => {
  it.each<[VectorName, string, object]>([
    ['V1', 'asset_update_metadata', { metadata: { filename: 'harbour.jpg', status: 'Final' } }],
    ['V2', 'asset_create', { metadata: { filename: 'Café Zürich – Straße.jpg', creatorName: 'Åsa Núñez' } }],
    ['V3', 'asset_rename', { metadata: { filename: '写真📷.png' } }],
    ['V4', 'asset_move', { metadata: { folderPath: '/Demo Zone/Café' } }],
    ['V5', 'asset_update_metadata', { metadata: { resolutionPpi: 300, widthPt: 1281.6 } }],
    ['V6', 'folder_create', { timestamp: 1_700_000_005_000 }],
    ['V8', 'asset_update_metadata', { changedMetadata: { '2': { newValue: 'y' } } }],
    ['V9', 'asset_create', { metadata: { filename: 'Cafe\u0301.jpg' } }],
    ['V10', 'asset_create', { metadata: { filename: 'Caf\u00e9.jpg' } }],
    ['V11', 'authkey_create', {}],
    ['V12', 'asset_create', { metadata: { filename: 'caf\ufffd.jpg' } }],
  ])('%s is taken, byte for byte', async (name, type, data) => {
    const source = sourceOf(name);
    const body = bodyOf(name);
    const { signature } = vectors[name];
    const event = await eventMadeBy(
      async () => await send(body, { source, signature, framing: 'pieces' }),
      200,
    );
    expect(event).toMatchObject({ source, type, data });
  });

  it('in pieces is cut inside a character', () => {
    const cuts = [...bodyOf('V3').keys()].filter((at) => at % 7 === 0);
    expect(cuts.some((at) => ((bodyOf('V3')[at] ?? 0) & 0xc0) === 0x80)).toBe(true);
  });

  it.each([
    ['the token decoded', '3113cd2dc445c86c095e6c2629ca93cbef409d751f5d80f1be9c154ee4614ff7'],
    ['Base64', 'ISMX0iX0hFvcyRAyNrlFKshOMQsXNcAiiMel4CfpKtg='],
    ['SHA-1', '4c210a131a4e7a6672692591a8941079d9dab051'],
    ['a line end added', '0a3baf88e96e39f5c165a03c84a67f8c8d19029b6c6e002cef3d1732e0be10fa'],
    ['upper case', vectors.V1.signature.toUpperCase()],
    ['nothing', ''],
    ['no header', null],
  ])('signed with %s gets one and the same 401', async (_name, signature) => {
    expect(await send(bodyOf('V1'), { signature })).toMatchObject({
      status: 401,
      body: '{"error":"not proved"}',
    });
  });

  it('is proved at no other source', async () => {
    const { signature } = vectors.V1;
    expect(await send(bodyOf('V1'), { source: 'press', signature })).toMatchObject({ status: 401 });
  });
});

describe('what stops sample receivers', () => {
  it.each<[string, Framing]>([
    ['chunked', 'chunked'],
    ['of length 0', 'content-length'],
  ])('an empty unsigned POST, %s: stops nobody', async (_name, framing) => {
    expect(await send(Buffer.alloc(0), { signature: null, framing })).toMatchObject({ status: 401 });
  });

  it.each<[string, string, Sent]>([
    ['an empty body (V7)', '', { signature: vectors.V7.signature }],
    ['an empty body (V7) of length 0', '', { signature: vectors.V7.signature, framing: 'content-length' }],
    ['no JSON', 'This is no JSON: é.', {}],
    ['half an object', '{"type":"asset_create"', {}],
    ['a list', '[{"type":"asset_create"}]', {}],
    ['a number', '5', {}],
    ['null', 'null', {}],
    ['a text', '"asset_create"', {}],
    ['brackets past all sense', '['.repeat(50_000), {}],
  ])('%s with a good signature: 400, kept and recorded', async (_name, text, sent) => {
    const body = Buffer.from(text);
    const [known] = (await desk.app.events('&type=unreadable&state=failed')).filter(
      ({ reason }) => text === '' && reason?.code === 'unreadable',
    );
    // The second empty body is the same event as the first.
    const event =
      known === undefined
        ? await eventMadeBy(async () => await send(body, sent), 400)
        : await send(body, sent).then(async () => await desk.app.event(known.id));
    expect(event).toMatchObject({ source: 'photos', state: 'failed', reason: { code: 'unreadable' } });
    const blob = /kept as (\S+) in deliveries/.exec(event.reason?.text ?? '')?.[1] ?? '';
    const storage = BlobServiceClient.fromConnectionString(desk.app.azurite.connectionString);
    const kept = await storage.getContainerClient('deliveries').getBlobClient(blob).downloadToBuffer();
    expect(kept.equals(body)).toBe(true);
  });

  const json = { 'Content-Type': 'application/json' };
  it.each<[string, string | Buffer, Sent?]>([
    ['an update without changedMetadata', '{"type":"asset_update_metadata","assetId":"ID"}'],
    [
      'a changedMetadata that is a list',
      '{"type":"asset_update_metadata","assetId":"ID","changedMetadata":[1]}',
    ],
    ['a metadata that is null', '{"type":"asset_create","assetId":"ID","metadata":null}'],
    ['a BOM', '\ufeff{"type":"asset_create","assetId":"ID"}'],
    ['U+FFFE in front', '\ufffe{"type":"asset_create","assetId":"ID"}'],
    ['NUL inside', '{"type":"asset_create","assetId":"ID","metadata":{"name":"a\0b"}}'],
    ['NUL behind', '{"type":"asset_create","assetId":"ID"}\0\n'],
    ['a raw line end inside', '{"type":"asset_create","assetId":"ID","metadata":{"name":"a\nb"}}'],
    [
      'half surrogates',
      '{"type":"asset_create","assetId":"ID","metadata":{"name":"\\ud83d \\ude00\\ud83d"}}',
    ],
    [
      'half a surrogate, raw',
      Buffer.from(
        '{"type":"asset_create","assetId":"ID","metadata":{"name":"\u00ed\u00a0\u00bd"}}',
        'latin1',
      ),
    ],
    ['escapes', '{"type":"asset\\u005fcreate","assetId":"ID","metadata":{"name":"\\/\\u0000\\u00e9"}}'],
    ['decomposed characters', '{"type":"asset_create","assetId":"ID","metadata":{"name":"Cafe\u0301"}}'],
    ['an unknown type', '{"type":"asset_polished","assetId":"ID"}'],
    ['a member __proto__', '{"type":"asset_create","assetId":"ID","__proto__":{"type":"x"}}'],
    [
      "the platform's own words",
      '{"type":"asset_create","assetId":"ID","headers":{"x-hook-signature":"x"},"query":{},"sys":{},"Source":"press"}',
      { headers: json, framing: 'content-length' },
    ],
    ['no content type', '{"type":"asset_create","assetId":"ID"}', { framing: 'content-length' }],
    [
      'a content type of its own',
      '{"type":"asset_create","assetId":"ID"}',
      { headers: { 'Content-Type': 'x' } },
    ],
  ])('%s: 200, and a record', async (title, text, sent) => {
    const { id } = desk.assets.library.add({ filename: `${title.replaceAll(/\W/g, '-')}.jpg` });
    const body = Buffer.from(Buffer.from(text).toString('latin1').replace('ID', id), 'latin1');
    const event = await eventMadeBy(async () => await send(body, sent), 200);
    expect(event).toMatchObject({ state: 'done', reason: null, assetId: id, source: 'photos' });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'stored' });
  });

  it('a body over the limit: 413, signed or not', async () => {
    const body = Buffer.alloc(4_194_305, ' ');
    expect(await send(body)).toMatchObject({ status: 413 });
    expect(await send(body, { signature: null, framing: 'content-length' })).toMatchObject({ status: 413 });
  });

  it('GET: there is no handshake to answer', async () => {
    const { status, headers } = await desk.app.get('/webhooks/photos?echo=abc');
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('POST');
  });
});
