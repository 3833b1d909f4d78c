import { describe, expect, it } from 'vitest';
import { addSampleLibrary } from '../../../../src/local/simulators/woodwing/sample-library.ts';
import { search, setup } from './client.ts';

async function filled() {
  const all = await setup();
  const { library } = all;
  const harbour = library.add({
    id: 'Lq8_0aZtR-xK2mVbNcYp7W',
    filename: 'harbour.jpg',
    status: 'Final',
    rating: 3,
    metadata: {
      tags: ['sea', 'night'],
      cf_kind: { value: 'News' },
      assetModified: { value: 1_000, formatted: '' },
    },
  });
  library.add({
    id: '-q8_0aZtR-xK2mVbNcYp7X',
    filename: 'Hütte am See.png',
    folderPath: '/Demo Zone/Winter',
    metadata: { assetModified: { value: 2_000, formatted: '' } },
  });
  library.add({
    filename: 'notes (2).wav',
    folderPath: '/Archive',
    metadata: { assetModified: { value: 3_000, formatted: '' } },
  });
  return { ...all, harbour };
}

const [harbour, hut, notes] = ['harbour.jpg', 'Hütte am See.png', 'notes (2).wav'];

describe('a query', () => {
  it.each([
    ['id:Lq8_0aZtR-xK2mVbNcYp7W', [harbour]],
    ['id:"Lq8_0aZtR-xK2mVbNcYp7W"', [harbour]],
    ['id:lq8_0aztr-xk2mvbncyp7w', []],
    ['id:"-q8_0aZtR-xK2mVbNcYp7X"', [hut]],
    [String.raw`id:\-q8_0aZtR-xK2mVbNcYp7X`, [hut]],
    ['id:(Lq8_0aZtR-xK2mVbNcYp7W OR "-q8_0aZtR-xK2mVbNcYp7X" OR unknown)', [harbour, hut]],
    ['', [harbour, hut, notes]],
    ['*:*', [harbour, hut, notes]],
    ['*', [harbour, hut, notes]],
    ['assetModified:[1000 TO 2000]', [harbour, hut]],
    ['assetModified:{1000 TO 2000]', [hut]],
    ['assetModified:[1000 TO 2000}', [harbour]],
    ['assetModified:[1970-01-01T00:00:02Z TO *]', [hut, notes]],
    ['assetModified:[* TO "1970-01-01T00:00:01Z"]', [harbour]],
    ['assetModified:[then TO now]', []],
    ['filename:[a TO i]', [harbour]],
    ['folderPath:"/Demo Zone"', [harbour]],
    ['ancestorPaths:"/Demo Zone"', [harbour, hut]],
    ['ancestorPaths:"/Demo"', []],
    ['status:final', [harbour]],
    ['rating:3', [harbour]],
    ['tags:night', [harbour]],
    ['cf_kind:News', [harbour]],
    ['cf_kind:*', [harbour]],
    ['filename:h?*.jpg', [harbour]],
    ['filename:"h*.jpg"', []],
    ['sea', [harbour]],
    ['status:Final AND tags:sea', [harbour]],
    ['status:Final tags:other', []],
    ['status:Final && NOT tags:sea', []],
    ['-status:Final', [hut, notes]],
    ['+(assetDomain:image || assetDomain:audio) !rating:3', [hut, notes]],
    [String.raw`filename:"notes (2).wav"`, [notes]],
    ['unknown:x', []],
  ])('finds %j', async (q, expected) => {
    const { client } = await filled();
    const { status, json, names } = await search(client, q, { sort: 'assetModified-asc' });
    expect(status).toBe(200);
    expect(names).toEqual(expected);
    expect(json).toMatchObject({ firstResult: 0, maxResultHits: 50, totalHits: expected.length, facets: {} });
  });

  it.each([
    'filename:"x',
    'id:-q8_0aZtR-xK2mVbNcYp7X',
    'id:(a OR -)',
    '(status:Final',
    'status:Final)',
    'status:',
    'a:b:c',
    'AND',
    'status:Final OR',
    'status:Final AND',
    'assetModified:[1 TO',
    'assetModified:[1 2]',
    'folderPath:/Demo',
    'x^2',
  ])('is broken: %s', async (q) => {
    const { status, json } = await search((await filled()).client, q);
    expect(status).toBe(400);
    expect(json).toMatchObject({ errorcode: 400 });
  });

  it.each(['', '?q=*:*&num=many', '?q=*:*&start=-1'])('is refused: %j', async (query) => {
    const { client } = await setup();
    expect((await client(`/services/search${query}`)).status).toBe(400);
  });

  it('comes in the query, as a form and as multipart', async () => {
    const { client } = await filled();
    const parameters = { q: 'filename:"Hütte am See.png"', metadataToReturn: 'filename' };
    const multipart = new FormData();
    for (const [name, value] of Object.entries(parameters)) multipart.set(name, value);
    const ways = [
      await client(`/services/search?${new URLSearchParams(parameters).toString()}`),
      await client('/services/search', { method: 'POST', body: new URLSearchParams(parameters) }),
      await client('/services/search', { method: 'POST', body: multipart }),
    ];
    for (const { json } of ways)
      expect(json).toMatchObject({ totalHits: 1, hits: [{ metadata: { filename: hut } }] });
    expect((await client('/services/search?q=*:*', { method: 'PUT' })).status).toBe(405);
  });
});

describe('an answer', () => {
  it('has the part asked for, in the order asked for', async () => {
    const { client } = await filled();
    const page = await search(client, '*:*', {
      sort: 'assetDomain-desc,assetModified',
      start: '1',
      num: '1',
    });
    expect(page.names).toEqual([hut]);
    expect(page.json).toMatchObject({ firstResult: 1, maxResultHits: 1, totalHits: 3 });
    const all = await search(client, '*:*', { sort: 'assetDomain-desc,assetModified' });
    expect(all.names).toEqual([harbour, hut, notes]);
    const counted = await search(client, '*:*', { num: '0' });
    expect([counted.hits, counted.json?.['totalHits']]).toEqual([[], 3]);
  });

  it('tells nothing beyond the first 10,000', async () => {
    const { client, library } = await setup();
    for (let count = 0; count < 10_002; count += 1) library.add({ filename: `${count}.jpg` });
    const last = await search(client, '*:*', { start: '9999', metadataToReturn: 'filename' });
    expect([last.hits.length, last.json?.['totalHits']]).toEqual([1, 10_002]);
  });

  it('has only the fields asked for that have a value', async () => {
    const { client } = await filled();
    const { hits } = await search(client, 'rating:3', {
      metadataToReturn: 'filename, cf_kind,cf_none,fileSize',
    });
    expect(hits[0]?.metadata).toEqual({
      filename: harbour,
      cf_kind: { value: 'News' },
      fileSize: { value: expect.any(Number) as unknown, formatted: expect.stringMatching(/KB$/) as unknown },
    });
  });

  it('describes an asset in all its fields', async () => {
    const { client, simulator, harbour: asset } = await filled();
    const { hits } = await search(client, 'rating:3', { metadataToReturn: 'all' });
    const { url } = simulator;
    const date = {
      value: expect.any(Number) as unknown,
      formatted: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000$/) as unknown,
    };
    expect(hits[0]).toEqual({
      id: asset.id,
      permissions: 'VPUMERXCD',
      metadata: {
        filename: harbour,
        folderPath: '/Demo Zone',
        assetPath: '/Demo Zone/harbour.jpg',
        assetDomain: 'image',
        assetType: 'jpg',
        status: 'Final',
        rating: 3,
        previewState: 'yes',
        thumbnailState: 'yes',
        tags: ['sea', 'night'],
        cf_kind: { value: 'News' },
        assetCreated: date,
        assetModified: { value: 1_000, formatted: '' },
        fileSize: expect.anything() as unknown,
        firstExtractedChecksum: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
        width: expect.any(Number) as unknown,
        height: expect.any(Number) as unknown,
      },
      thumbnailUrl: `${url}/thumbnail/${asset.id}/*/harbour_thumb.jpg?_=1`,
      previewUrl: `${url}/preview/${asset.id}/previews/maxWidth_1600_maxHeight_1600.jpg/*/harbour_preview.jpg?_=1`,
      originalUrl: `${url}/file/${asset.id}/*/harbour.jpg?_=1`,
    });
  });

  it('has addresses of another origin where set, and of the path that was called', async () => {
    const { client, simulator } = await filled();
    const own = (await client('/app/services/search?q=rating:3')).json?.['hits'] as { previewUrl: string }[];
    expect(own[0]?.previewUrl).toContain(`${simulator.url}/app/preview/`);
    simulator.settings.renditionsOrigin = 'http://127.0.0.2:9';
    const { hits } = await search(client, 'rating:3');
    for (const each of [hits[0]?.thumbnailUrl, hits[0]?.previewUrl, hits[0]?.originalUrl])
      expect(each).toMatch(/^http:\/\/127\.0\.0\.2:9\/(thumbnail|preview|file)\//);
  });

  it('says nothing of what is hidden', async () => {
    const { client, library } = await setup();
    const { id } = library.add({ filename: 'private.jpg', folderPath: '/Users/kim', hidden: true });
    expect((await search(client, `id:"${id}"`)).json).toEqual({
      firstResult: 0,
      maxResultHits: 50,
      totalHits: 0,
      hits: [],
      facets: {},
    });
    for (const path of [`/api/asset/${id}`, `/file/${id}`]) expect((await client(path)).status).toBe(404);
  });
});

it('keeps to the old state while the index is frozen', async () => {
  const { client, library } = await setup();
  const kept = library.add({ filename: 'kept.jpg', status: 'New' });
  const removed = library.add({ filename: 'removed.jpg' });
  library.freezeIndex();
  library.update(kept.id, { status: 'Final' });
  library.remove(removed.id);
  library.add({ filename: 'added.jpg' });
  const found = async (q: string) => (await search(client, q, { sort: 'filename-desc' })).names;
  expect(await found('*:*')).toEqual(['removed.jpg', 'kept.jpg']);
  expect([await found('status:Final'), (await search(client, 'kept')).hits[0]?.metadata['status']]).toEqual([
    [],
    'New',
  ]);
  library.thawIndex();
  expect(await found('*:*')).toEqual(['kept.jpg', 'added.jpg']);
  expect(await found('status:Final')).toEqual(['kept.jpg']);
});

it('gives one asset by its id', async () => {
  const { client, harbour: asset } = await filled();
  const one = await client(`/api/asset/${asset.id}`);
  expect(one.json).toEqual((await search(client, 'rating:3', { metadataToReturn: 'all' })).hits[0]);
  for (const path of ['unknown', `${asset.id}/other`])
    expect((await client(`/api/asset/${path}`)).status).toBe(404);
  expect((await client(`/api/asset/${asset.id}`, { method: 'POST' })).status).toBe(405);
});

it('starts with the same picture desk every time', async () => {
  const { client, library } = await setup();
  const assets = addSampleLibrary(library);
  expect(assets.map(({ id }) => id)).toEqual(addSampleLibrary((await setup()).library).map(({ id }) => id));
  const { hits } = await search(client, '*:*', { sort: 'filename' });
  expect(hits).toHaveLength(assets.length);
  const without = (name: 'thumbnailUrl' | 'previewUrl') =>
    hits.filter((each) => each[name] === undefined).map(({ metadata }) => metadata['filename']);
  expect(without('previewUrl')).toEqual(['storm at the pier (raw).tif']);
  expect(without('thumbnailUrl')).toEqual(['interview-mayor.wav', 'storm at the pier (raw).tif']);
});
