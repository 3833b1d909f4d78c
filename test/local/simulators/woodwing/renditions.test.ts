import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { call, search, setup } from './client.ts';

async function withHarbour() {
  const all = await setup();
  const asset = all.library.add({ filename: 'harbour at night.jpg', folderPath: '/Demo Zone' });
  const [hit] = (await search(all.client, '*:*')).hits;
  const { thumbnailUrl = '', previewUrl = '', originalUrl = '' } = hit ?? {};
  return { ...all, asset, urls: { thumbnailUrl, previewUrl, originalUrl } };
}

function longestSide(bytes: Buffer): number {
  const { width, height } = PNG.sync.read(bytes);
  return Math.max(width, height);
}

describe('a rendition', () => {
  it.each([
    ['thumbnailUrl', 256],
    ['previewUrl', 800],
    ['originalUrl', 800],
  ] as const)('is a picture behind the %s of a hit', async (name, side) => {
    const { client, urls } = await withHarbour();
    const answer = await client(urls[name]);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(longestSide(answer.bytes)).toBe(side);
    expect((await call(urls[name])).json).toMatchObject({ errorcode: 401 });
    expect((await client(urls[name], { method: 'POST' })).status).toBe(405);
  });

  it.each([
    ['/thumbnail/{id}/*/any.jpg', 256],
    ['/preview/{id}', 800],
    ['/preview/Demo%20Zone/harbour%20at%20night.jpg', 800],
    ['/preview/{id}/previews/maxWidth_500_maxHeight_350.jpg', 350],
    ['/preview/{id}/*/any.jpg', 800],
    ['/api/asset/{id}/thumbnail', 256],
    ['/api/asset/{id}/preview', 800],
    ['/api/asset/{id}/original', 800],
    ['/app/file/{id}/*/any.jpg', 800],
  ])('has other addresses too: %s', async (path, side) => {
    const { client, asset } = await withHarbour();
    const answer = await client(path.replace('{id}', asset.id));
    expect(answer.status).toBe(200);
    expect(longestSide(answer.bytes)).toBe(side);
    expect((await client(path.replace('{id}', 'unknown').replace('night', 'noon'))).status).toBe(404);
  });

  it('has no address that is a thumbnail and an id', async () => {
    const { client, asset } = await withHarbour();
    expect((await client(`/thumbnail/${asset.id}`)).status).toBe(404);
  });

  it('is not there before its state is yes', async () => {
    const { client, library } = await setup();
    const { id } = library.add({ filename: 'fresh.jpg', previewState: 'no' });
    const pending = (await search(client, '*:*')).hits[0];
    expect(pending).not.toHaveProperty('thumbnailUrl');
    expect(pending).not.toHaveProperty('previewUrl');
    for (const path of [`/api/asset/${id}/thumbnail`, `/preview/${id}`, `/api/asset/${id}/preview`])
      expect((await client(path)).json, path).toMatchObject({ errorcode: 409 });
    expect((await client(pending?.originalUrl ?? '')).status).toBe(200);
    expect(library.update(id, { previewState: 'yes' })).toEqual({
      previewState: { oldValue: 'no', newValue: 'yes' },
    });
    const ready = (await search(client, '*:*')).hits[0];
    for (const url of [ready?.thumbnailUrl, ready?.previewUrl])
      expect((await client(url ?? '')).status).toBe(200);
  });

  it.each([
    ['talk.wav', { previewUrl: 'audio/mpeg', originalUrl: 'audio/wav' }],
    ['film.mp4', { thumbnailUrl: 'image/png', previewUrl: 'video/mp4', originalUrl: 'video/mp4' }],
    ['page.pdf', { thumbnailUrl: 'image/png', previewUrl: 'image/png', originalUrl: 'application/pdf' }],
    ['list.xyz', { originalUrl: 'application/octet-stream' }],
  ])('of %s is of its own kind', async (filename, types: Record<string, string>) => {
    const { client, library } = await setup();
    library.add({ filename });
    const hit = Object.entries((await search(client, '*:*')).hits[0] ?? {});
    for (const [name, type] of Object.entries(types)) {
      const url = String(hit.find(([each]) => each === name)?.[1]);
      expect((await client(url)).headers.get('content-type'), name).toBe(type);
    }
  });

  it('is the file itself where there is one', async () => {
    const { client, library } = await setup();
    const original = Buffer.from('ffd8ffe0', 'hex');
    library.add({ filename: 'tiny.jpg', original });
    const hit = (await search(client, '*:*')).hits[0];
    const answer = await client(`${hit?.originalUrl}&forceDownload=true`);
    expect(answer.bytes.equals(original)).toBe(true);
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(hit?.metadata).toMatchObject({ fileSize: { value: 4, formatted: '0.00 KB' } });
    expect(hit?.metadata).not.toHaveProperty('width');
  });

  it('needs no login with the code that search appended, while that lasts', async () => {
    const { simulator, client, urls } = await withHarbour();
    const secretUrl = async () =>
      (await search(client, '*:*', { appendRequestSecret: 'true' })).hits[0]?.thumbnailUrl ?? '';
    expect((await call(await secretUrl())).status).toBe(200);
    expect((await call(`${urls.thumbnailUrl}&requestSecret=x`)).status).toBe(401);
    simulator.settings.requestSecretLifeMs = 0;
    expect((await call(await secretUrl())).status).toBe(401);
  });

  it('has its name encoded twice in the address of the preview', async () => {
    const { urls } = await withHarbour();
    expect(urls.previewUrl).toContain('/*/harbour%2520at%2520night_preview.jpg?_=1');
    expect(urls.thumbnailUrl).toContain('/*/harbour%20at%20night_thumb.jpg?_=1');
  });
});
