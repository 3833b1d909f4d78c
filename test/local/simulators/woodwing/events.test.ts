import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hooked, startReceiver } from './receiver.ts';
import { search, setup } from './client.ts';

const signed = (token: string, body: Uint8Array): string =>
  createHmac('sha256', Buffer.from(token, 'utf8')).update(body).digest('hex');

describe('an event', () => {
  it('is one JSON object, signed over its bytes', async () => {
    const { receiver, webhook, asset, change, simulator } = await hooked(
      {},
      { metadataToReturn: ['filename', 'none'] },
    );
    await change();
    const [got, ...others] = receiver.got;
    expect(others).toEqual([]);
    expect(got).toMatchObject({ method: 'POST', target: '/api/assets' });
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-hook-signature': signed(webhook.secretToken, got?.body ?? Buffer.alloc(0)),
    });
    expect(receiver.events()).toEqual([
      {
        timestamp: expect.any(Number) as unknown,
        type: 'asset_update_metadata',
        metadata: { filename: 'Café 東京.jpg' },
        assetId: asset.id,
        changedMetadata: { status: { oldValue: 'Production', newValue: 'Final' } },
      },
    ]);
    expect(got?.body.toString()).toContain('Café 東京.jpg');
    expect(simulator.sent).toEqual([
      { kind: 'event', webhookId: webhook.id, url: receiver.url, status: 200, body: '', attempt: 1 },
    ]);
  });

  it.each([
    ['asset_create', { assetId: true }, { metadata: { status: 'Production' } }],
    ['folder_create', { folderPath: '/Demo Zone/New' }, { metadata: {}, folderPath: '/Demo Zone/New' }],
    ['authkey_create', { authKey: 'x' }, { authKey: 'x' }],
    ['something_new', { more: [1] }, { metadata: {}, more: [1] }],
  ])('of type %s has what belongs to it', async (type, given, expected) => {
    const { simulator, receiver, asset } = await hooked(
      {},
      { eventTypes: [type], metadataToReturn: ['status'] },
    );
    const { assetId, ...more } = { assetId: false, ...given };
    await simulator.happen({ type, timestamp: 5, ...more, ...(assetId ? { assetId: asset.id } : {}) });
    expect(receiver.events()).toEqual([
      { type, timestamp: 5, ...expected, ...(assetId ? { assetId: asset.id } : {}) },
    ]);
  });

  it('of a removed asset tells its last state', async () => {
    const given = {
      eventTypes: ['asset_remove'],
      metadataToReturn: ['all'],
      foldersAndQuery: { folders: ['Demo Zone'] },
    };
    const { simulator, library, receiver, asset } = await hooked({}, given);
    library.remove(asset.id);
    await simulator.happen({ type: 'asset_remove', assetId: asset.id });
    expect(receiver.events()[0]?.['metadata']).toMatchObject({ filename: 'Café 東京.jpg', rating: 0 });
  });

  it('comes of an update, with what that changed', async () => {
    const { client, library, receiver, asset } = await hooked();
    library.update(asset.id, { tags: ['sea', 'night'] });
    const form = new FormData();
    form.set('id', asset.id);
    form.set('metadata', JSON.stringify({ rating: 5, tags: '+dawn, -sea', status: 'Production' }));
    form.set('metadataToReturn', 'rating,tags');
    const answer = await client('/services/update', { method: 'POST', body: form });
    expect(answer.json).toMatchObject({ id: asset.id, metadata: { rating: 5, tags: ['night', 'dawn'] } });
    await expect.poll(() => receiver.events().length).toBe(1);
    expect(receiver.events()[0]).toMatchObject({
      type: 'asset_update_metadata',
      changedMetadata: {
        rating: { oldValue: 0, newValue: 5 },
        tags: { oldValue: ['sea', 'night'], newValue: ['night', 'dawn'] },
      },
    });
    expect(receiver.events()[0]?.['changedMetadata']).not.toHaveProperty('status');
  });

  it('does not come of an update that is refused or changes nothing', async () => {
    const { client, receiver, asset, change } = await hooked();
    const update = async (form: Record<string, string>, method = 'POST') =>
      (await client('/services/update', { method, body: new URLSearchParams(form) })).status;
    expect(await update({ id: asset.id, metadata: '{"status":"Production"}' })).toBe(200);
    expect(await update({ id: asset.id, metadata: '[]' })).toBe(400);
    expect(await update({ id: 'unknown', metadata: '{}' })).toBe(404);
    expect((await client('/services/update?id=x')).status).toBe(405);
    await change();
    expect(receiver.events()).toHaveLength(1);
  });
});

describe('a filter', () => {
  const changed = (field: string) => ({ changedMetadata: { [field]: { newValue: 1 } } });
  it.each<[string, object, Record<string, unknown>, boolean]>([
    ['no event types', { eventTypes: [] }, {}, false],
    ['another event type', { eventTypes: ['asset_create'] }, {}, false],
    ['its event type', { eventTypes: ['asset_create', 'asset_move'] }, { type: 'asset_move' }, true],
    ['off', { enabled: false }, {}, false],
    ['a field that changed', { triggerMetadataFields: ['rating', 'status'] }, changed('status'), true],
    ['a field that did not', { triggerMetadataFields: ['rating'] }, changed('status'), false],
    ['a field, and nothing changed', { triggerMetadataFields: ['rating'] }, {}, false],
    ['no fields', { triggerMetadataFields: [] }, {}, true],
    ['its folder', { foldersAndQuery: { folders: ['/Other', '/Demo Zone'] } }, {}, true],
    ['its folder without a slash', { foldersAndQuery: { folders: ['Demo Zone'] } }, {}, true],
    ['a folder above', { foldersAndQuery: { folders: ['/'] } }, {}, true],
    ['another folder', { foldersAndQuery: { folders: ['/Demo'] } }, {}, false],
    ['a query that fits', { foldersAndQuery: { query: 'assetDomain:image' } }, {}, true],
    ['a query that does not', { foldersAndQuery: { query: 'assetDomain:audio' } }, {}, false],
    [
      'folder and another query',
      { foldersAndQuery: { folders: ['/Demo Zone'], query: 'rating:5' } },
      {},
      false,
    ],
    ['a broken query', { foldersAndQuery: { query: '"' } }, {}, false],
    ['wildcards', { foldersAndQuery: { query: 'filename:Caf*' } }, {}, false],
    [
      'wildcards that are on',
      { foldersAndQuery: { query: 'filename:Caf*', enableWildcardSelection: true } },
      {},
      true,
    ],
    [
      'asset filters with another event',
      { eventTypes: ['folder_create'], triggerMetadataFields: ['x'], foldersAndQuery: { folders: ['/x'] } },
      { type: 'folder_create', assetId: undefined },
      true,
    ],
  ])('decides with %s', async (_name, given, event, comes) => {
    const { simulator, asset, receiver } = await hooked({}, given);
    await simulator.happen({ type: 'asset_update_metadata', assetId: asset.id, ...event });
    expect(receiver.got).toHaveLength(comes ? 1 : 0);
  });

  it('narrows what changed', async () => {
    const { receiver, change } = await hooked({}, { changedMetadataToReturn: ['rating'] });
    await change();
    expect(receiver.events()[0]?.['changedMetadata']).toEqual({});
  });
});

describe('a fault', () => {
  it('is another declared type', async () => {
    const { receiver, change } = await hooked({ contentType: 'application/json;charset=UTF-8' });
    await change();
    expect(receiver.got[0]?.headers['content-type']).toBe('application/json;charset=UTF-8');
  });

  it('is a cut inside a character', async () => {
    const { receiver, change, webhook } = await hooked(
      { framing: 'pieces' },
      { metadataToReturn: ['creatorName'] },
    );
    await change();
    expect(receiver.got[0]?.pieces.length).toBeGreaterThan(1);
    expect(webhook.metadataToReturn).toEqual(['creatorName']);
    const { simulator } = await setup();
    const body = Buffer.from(JSON.stringify({ name: '東京 € 🖼 café, 東京 € 🖼 café' }));
    await simulator.deliver(receiver.url, { token: 'x', body, framing: 'pieces' });
    expect(receiver.got[1]?.body.equals(body)).toBe(true);
    expect(receiver.got[1]?.pieces.some((piece) => piece.toString().includes('\uFFFD'))).toBe(true);
  });

  it('is an escaped body', async () => {
    const { receiver, change, webhook } = await hooked({ escaped: true }, { metadataToReturn: ['filename'] });
    await change();
    const body = receiver.got[0]?.body ?? Buffer.alloc(0);
    expect(body.toString()).toContain(String.raw`Caf\u00e9 \u6771\u4eac.jpg`);
    expect(receiver.events()[0]?.['metadata']).toEqual({ filename: 'Café 東京.jpg' });
    expect(receiver.got[0]?.headers['x-hook-signature']).toBe(signed(webhook.secretToken, body));
  });

  it('is a field too few or too many', async () => {
    const { receiver, change } = await hooked({
      leaveOut: new Set(['changedMetadata', 'metadata']),
      extraFields: { type: 'asset_unheard_of', more: { of: 'it' } },
    });
    await change();
    expect(receiver.events()[0]).toEqual({
      timestamp: expect.any(Number) as unknown,
      type: 'asset_unheard_of',
      assetId: expect.any(String) as unknown,
      more: { of: 'it' },
    });
  });

  it.each([
    ['empty', ''],
    ['not-json', 'This is no JSON: é.'],
  ] as const)('is a body that says nothing, well signed: %s', async (body, text) => {
    const { receiver, change, webhook } = await hooked({ body });
    await change();
    const [got] = receiver.got;
    expect(got?.body.toString()).toBe(text);
    expect(got?.headers['x-hook-signature']).toBe(signed(webhook.secretToken, Buffer.from(text)));
  });

  it('is a wrong signature, or none', async () => {
    const { simulator, receiver, change, webhook } = await hooked({ signature: 'wrong-token' });
    await change();
    simulator.settings.signature = 'missing';
    await change();
    const [wrong, missing] = receiver.got;
    expect(wrong?.headers['x-hook-signature']).toMatch(/^[0-9a-f]{64}$/);
    expect(wrong?.headers['x-hook-signature']).not.toBe(
      signed(webhook.secretToken, wrong?.body ?? Buffer.alloc(0)),
    );
    expect(missing?.headers).not.toHaveProperty('x-hook-signature');
  });

  it('is one delivery twice', async () => {
    const { receiver, change } = await hooked({ copies: 2 });
    await change();
    const [one, other] = receiver.got;
    expect(receiver.got).toHaveLength(2);
    expect(other?.body.equals(one?.body ?? Buffer.alloc(0))).toBe(true);
  });

  it.each([
    ['in-order', [1, 2, 3]],
    ['newest-first', [3, 2, 1]],
  ] as const)('is another order: %s', async (order, expected) => {
    const { simulator, receiver, asset } = await hooked();
    simulator.hold();
    const all = [1, 2, 3].map((timestamp) =>
      simulator.happen({ type: 'asset_update_metadata', assetId: asset.id, timestamp }),
    );
    expect(receiver.got).toEqual([]);
    await simulator.release(order);
    await Promise.all(all);
    expect(receiver.events().map(({ timestamp }) => timestamp)).toEqual(expected);
  });

  it('is chance in the order', async () => {
    const { receiver, change } = await hooked({ jitterMs: 20 });
    await Promise.all([change(), change(), change()]);
    expect(receiver.got).toHaveLength(3);
  });
});

// Of the vectors in src/sources/woodwing/README.md.
describe('a delivery made by hand', () => {
  it.each([
    [
      'AAECAwQFBgcICQoLDA0ODw==',
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDAwMDAsInR5cGUiOiJhc3NldF91cGRhdGVfbWV0YWRhdGEiLCJhc3NldElkIjoiQWJDZEVmR2hJaktsTW5PcFFyU3RVdiIsIm1ldGFkYXRhIjp7ImZpbGVuYW1lIjoiaGFyYm91ci5qcGciLCJzdGF0dXMiOiJGaW5hbCJ9LCJjaGFuZ2VkTWV0YWRhdGEiOnsic3RhdHVzIjp7Im9sZFZhbHVlIjoiUHJvZHVjdGlvbiIsIm5ld1ZhbHVlIjoiRmluYWwifX19',
      '212317d225f4845bdcc9103236b9452ac84e310b1735c02288c7a5e027e92ad8',
    ],
    [
      '+//+776t//vvvgARIjP/7w==',
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDIwMDAsInR5cGUiOiJhc3NldF9yZW5hbWUiLCJhc3NldElkIjoielo5X3lZOC14WDd3VzZ2VjV1VTR0VCIsIm1ldGFkYXRhIjp7ImZpbGVuYW1lIjoi5YaZ55yf8J+Tty5wbmcifSwiY2hhbmdlZE1ldGFkYXRhIjp7ImZpbGVuYW1lIjp7Im9sZFZhbHVlIjoi55S75YOPLnBuZyIsIm5ld1ZhbHVlIjoi5YaZ55yf8J+Tty5wbmcifX19',
      '7c6f728fa89ff4ecda911004b100df54af78f5b15e8c4dd766a8432f0938eda9',
    ],
    ['AAECAwQFBgcICQoLDA0ODw==', '', '75c022993d64e3ac224c1c9d6f2b4c6eb53f22f6c7aa6be94428577d11d12fd5'],
  ])('has the published signature: %s %.12s', async (token, bodyBase64, signature) => {
    const { simulator } = await setup();
    const receiver = await startReceiver();
    const body = Buffer.from(bodyBase64, 'base64');
    expect(await simulator.deliver(receiver.url, { token, body })).toMatchObject({ status: 200 });
    expect(receiver.got[0]?.body.equals(body)).toBe(true);
    expect(receiver.got[0]?.headers['x-hook-signature']).toBe(signature);
  });

  it('has any signature and headers, or none', async () => {
    const { simulator } = await setup();
    const receiver = await startReceiver(() => ({ status: 401, body: 'no' }));
    const delivery = { token: 'x', body: Buffer.from('{}'), headers: { 'X-More': 'y' } };
    const answer = await simulator.deliver(receiver.url, { ...delivery, signature: 'AB' });
    expect(answer).toMatchObject({ status: 401, body: 'no' });
    await simulator.deliver(receiver.url, { ...delivery, signature: null });
    expect(receiver.got.map(({ headers }) => headers['x-hook-signature'])).toEqual(['AB', undefined]);
    expect(receiver.got[0]?.headers['x-more']).toBe('y');
  });
});

it('remembers what happened to an asset', async () => {
  const { client, library, asset } = await hooked();
  library.update(asset.id, { status: 'Final', none: null });
  library.remove(asset.id);
  const history = async (more = '') => (await client(`/services/asset/history?id=${asset.id}${more}`)).json;
  const actions = (answer: Record<string, unknown> | undefined) =>
    ((answer?.['hits'] ?? []) as { usageStatsRecord: { action: string } }[]).map(
      ({ usageStatsRecord }) => usageStatsRecord.action,
    );
  expect(actions(await history())).toEqual(['REMOVE', 'METADATA_UPDATE', 'CREATE']);
  expect(actions(await history('&start=1&num=1'))).toEqual(['METADATA_UPDATE']);
  expect(await history('&actions=METADATA_UPDATE')).toMatchObject({
    totalHits: 1,
    hits: [
      {
        usageStatsRecord: {
          assetId: asset.id,
          assetPath: '/Demo Zone/Café 東京.jpg',
          changedMetadata: { status: { oldValue: 'Production', newValue: 'Final' } },
        },
      },
    ],
  });
  expect((await search(client, '*:*')).hits).toEqual([]);
});

it('knows its own mistakes', async () => {
  const { library } = await setup();
  expect(() => library.add({ id: 'short', filename: 'a.jpg' })).toThrow('short is no asset id.');
  expect(() => library.update('unknown', {})).toThrow('The library holds no unknown.');
  library.remove('unknown');
  expect(library.all()).toEqual([]);
});
