import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { addSampleLibrary } from '../../../../src/local/simulators/preservica/sample-library.ts';
import { Library } from '../../../../src/local/simulators/preservica/library.ts';
import { clientOf, startSimulator } from './client.ts';

async function setup() {
  const simulator = await startSimulator();
  return { simulator, library: simulator.library, client: await clientOf(simulator) };
}
const idOf = ({ code, ref }: { code: string; ref: string }): string =>
  encodeURIComponent(`sdb:${code}|${ref}`);

describe('a thumbnail', () => {
  it.each([
    ['&size=small', 64],
    ['&size=medium', 150],
    ['&size=large', 400],
    ['', 400],
  ])('fits: %s', async (query, pixels) => {
    const { library, client } = await setup();
    const answer = await client(
      `/api/content/thumbnail?id=${idOf(library.addAsset({ title: 'Harbour' }))}${query}`,
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/png');
    const { width, height } = PNG.sync.read(answer.bytes);
    expect(Math.max(width, height)).toBe(pixels);
  });

  it('is the same for an asset each time, and another one for each', async () => {
    const { library, client } = await setup();
    const assets = Array.from({ length: 20 }, (_, index) => library.addAsset({ title: `${index}` }));
    const draw = async () =>
      await Promise.all(
        assets.map(async (asset) => {
          const answer = await client(`/api/content/thumbnail?size=small&id=${idOf(asset)}`);
          return answer.bytes.toString('base64');
        }),
      );
    const first = await draw();
    expect(await draw()).toEqual(first);
    expect(new Set(first).size).toBe(20);
  });

  it('is not there for what is deleted, unknown, or has none', async () => {
    const { library, client, simulator } = await setup();
    const [deleted, without, folder] = [
      library.addAsset({ title: 'Deleted' }),
      library.addAsset({ title: 'Sound', thumbnail: 'none' }),
      library.addFolder({ title: 'Folder' }),
    ];
    library.markDeleted(deleted.ref);
    const statusOf = async (id: string) => (await client(`/api/content/thumbnail?id=${id}`)).status;
    expect(await statusOf(idOf(deleted))).toBe(404);
    expect(await statusOf(idOf(without))).toBe(404);
    expect(await statusOf(idOf({ code: 'IO', ref: folder.ref }))).toBe(404);
    expect(await statusOf('bla')).toBe(404);
    expect(await statusOf(idOf(folder))).toBe(200);
    simulator.settings.hiddenTags.add('open');
    expect(await statusOf(idOf(folder))).toBe(403);
  });

  it('is replaced by an own one, and comes back', async () => {
    const { library, client } = await setup();
    const asset = library.addAsset({ title: 'Harbour' });
    const thumbnail = async () => (await client(`/api/content/thumbnail?id=${idOf(asset)}`)).bytes;
    const preview = `/api/entity/information-objects/${asset.ref}/preview`;
    const drawn = await thumbnail();
    const own = Buffer.from('own');
    expect((await client(preview, { method: 'PUT', body: own })).status).toBe(204);
    expect((await client(preview)).status).toBe(404);
    expect(await thumbnail()).toEqual(own);
    expect((await client(preview, { method: 'PUT', body: Buffer.alloc(10_000_001) })).status).toBe(400);
    expect((await client(preview, { method: 'DELETE' })).status).toBe(204);
    expect(await thumbnail()).toEqual(drawn);
  });
});

it('tells the details of an object', async () => {
  const { library, client } = await setup();
  const asset = library.addAsset({ title: 'Harbour', description: 'Glass negative' });
  const answer = await client(`/api/content/object-details?id=${idOf(asset)}`);
  expect(JSON.parse(answer.text)).toMatchObject({
    success: true,
    value: { id: `sdb:IO|${asset.ref}`, name: 'Harbour', links: [] },
  });
  expect((await client(`/api/content/object-details?id=sdb%3AIO%7Cbla`)).status).toBe(404);
});

it('gives the access copy of an asset, and nothing of a folder', async () => {
  const { library, client } = await setup();
  const asset = library.addAsset({
    title: 'Harbour',
    representations: [
      { type: 'Preservation', contentObjects: [[{ name: 'harbour.tif' }]] },
      { type: 'Access', contentObjects: [[{ name: '東京.jpg', bytes: Buffer.from('copy') }]] },
    ],
  });
  const answer = await client(`/api/content/download?id=${idOf(asset)}`);
  expect(answer.text).toBe('copy');
  expect(answer.headers.get('content-disposition')).toBe(
    `attachment; filename*=UTF-8''${encodeURIComponent('東京.jpg')}`,
  );
  const folder = library.addFolder({ title: 'Folder' });
  expect((await client(`/api/content/download?id=${idOf(folder)}`)).status).toBe(400);
});

it.each(['POST', 'GET'])('searches by %s, among what the account may see', async (method) => {
  const { library, client } = await setup();
  const samples = addSampleLibrary(library);
  const search = async (q: string, given: Record<string, string> = {}) => {
    const form = new URLSearchParams({
      q,
      start: '0',
      max: '10',
      metadata: 'xip.title,xip.reference',
      ...given,
    });
    const answer =
      method === 'POST'
        ? await client('/api/content/search', { method, body: form })
        : await client(`/api/content/search?${form.toString()}`);
    return { status: answer.status, ...(JSON.parse(answer.text) as { value?: Record<string, unknown> }) };
  };
  const everything = await search('{"q":"%"}');
  expect(everything.value).toMatchObject({
    totalHits: samples.length,
    objectIds: samples.map(({ code, ref }) => `sdb:${code}|${ref}`),
  });
  const [, harbour] = samples;
  expect((await search('{"q":"looking north"}')).value?.['metadata']).toEqual([
    [
      { name: 'xip.title', value: harbour?.title },
      { name: 'xip.reference', value: harbour?.ref },
    ],
  ]);
  expect((await search('{"q":"%"}', { start: '5' })).value).toMatchObject({
    objectIds: [`sdb:IO|${samples[5]?.ref}`],
    totalHits: samples.length,
  });
  expect((await search('no JSON')).status).toBe(400);
});

describe('the sample library', () => {
  it('is the same one at each start', () => {
    const refs = () => {
      const library = new Library();
      addSampleLibrary(library);
      return library.all().map(({ ref }) => ref);
    };
    expect(refs()).toEqual(refs());
  });

  it('has one deleted and one closed asset, which an ingest does not tell of', async () => {
    const { library, client } = await setup();
    const told = new Set(addSampleLibrary(library));
    const others = library.all().filter((each) => each.code !== 'CO' && !told.has(each));
    const [deleted, closed] = others.map(({ ref }) => `/api/entity/information-objects/${ref}`);
    expect(others).toHaveLength(2);
    expect((await client(deleted ?? '')).text).toContain('<xip:Deleted>true</xip:Deleted>');
    expect((await client(closed ?? '')).status).toBe(403);
  });
});
