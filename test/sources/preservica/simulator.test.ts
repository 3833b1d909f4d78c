import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPreservicaSimulator } from '../../../src/local/simulators/preservica/simulator.ts';
import { readPicture } from '../../../src/pipeline/process/picture.ts';
import { askerOf } from './stand-in.ts';

async function simulator() {
  const started = await startPreservicaSimulator();
  onTestFinished(() => started.close());
  const apiCalls = () => started.calls.filter(({ target }) => !target.startsWith('/api/accesstoken/'));
  const logins = () => started.calls.filter(({ target }) => target === '/api/accesstoken/login');
  return Object.assign(started, { apiCalls, logins });
}

const harbour = Buffer.from('a scan of a harbour');

describe('a look-up at the simulated Preservica', () => {
  it('finds a single-file asset in eight calls', async () => {
    const archive = await simulator();
    const folder = archive.library.addFolder({ title: 'Glass negatives' });
    const asset = archive.library.addAsset({
      title: 'Harbour <looking> north & south',
      description: 'One\nTwo',
      parent: folder.ref,
      identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
      metadata: [{ schema: 'http://purl.org/dc/elements/1.1/', content: '<dc xmlns="x"/>' }],
      representations: [
        { type: 'Preservation', contentObjects: [[{ name: 'harbour.tif', bytes: harbour }]] },
      ],
    });
    const fetchResult = await askerOf(archive.url).fetchAsset({ kind: 'asset', id: asset.ref });
    expect(fetchResult).toMatchObject({
      kind: 'found',
      details: {
        title: 'Harbour <looking> north & south',
        description: 'One\nTwo',
        parentId: folder.ref,
        identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
        fileCount: 1,
        filesTruncated: false,
        files: [{ name: 'harbour.tif', representation: 'Preservation', sizeBytes: harbour.byteLength }],
        details: { metadata: [{ schema: 'http://purl.org/dc/elements/1.1/', ref: asset.fragments[0]?.ref }] },
      },
    });
    const digest = createHash('sha256').update(harbour).digest('hex');
    expect(JSON.stringify(fetchResult)).toContain(JSON.stringify({ algorithm: 'SHA256', value: digest }));
    const picture =
      fetchResult.kind === 'found' && fetchResult.thumbnail.kind === 'bytes' && fetchResult.thumbnail.bytes;
    expect(picture && readPicture(picture)).toMatchObject({ contentType: 'image/png' });
    expect(archive.apiCalls()).toHaveLength(8);
    expect(archive.logins()).toHaveLength(1);
  });

  it('finds an asset with two representations in twelve', async () => {
    const archive = await simulator();
    const representations = ['Access', 'Preservation', 'Preservation'].map((type, index) => ({
      type,
      contentObjects: [[{ name: `${type}-${index}` }]],
    }));
    const asset = archive.library.addAsset({ title: 'Harbour', representations });
    const fetchResult = await askerOf(archive.url).fetchAsset({ kind: 'asset', id: asset.ref });
    expect(fetchResult).toMatchObject({
      details: { files: [{ name: 'Preservation-1' }, { name: 'Access-0' }] },
    });
    expect(archive.apiCalls()).toHaveLength(12);
  });

  it('finds folders, deleted assets, and none', async () => {
    const archive = await simulator();
    const folder = archive.library.addFolder({ title: 'Glass negatives', thumbnail: 'none' });
    const asset = archive.library.addAsset({ title: 'Harbour' });
    asset.deleted = true;
    const asker = askerOf(archive.url);
    expect(await asker.fetchAsset({ kind: 'folder', id: folder.ref })).toMatchObject({
      kind: 'found',
      details: { kind: 'folder', title: 'Glass negatives' },
      thumbnail: { kind: 'none' },
    });
    expect(archive.apiCalls()).toHaveLength(3);
    expect(await asker.fetchAsset({ kind: 'asset', id: asset.ref })).toMatchObject({ kind: 'deleted' });
    const unknown = { kind: 'asset', id: '00000000-0000-4000-8000-000000000000' } as const;
    expect(await asker.fetchAsset(unknown)).toMatchObject({ kind: 'not-found' });
    expect(await asker.fetchAsset({ kind: 'folder', id: asset.ref })).toMatchObject({ kind: 'not-found' });
  });

  it('stops at the number of files of a volume', async () => {
    const archive = await simulator();
    const contentObjects = Array.from({ length: 500 }, (_, index) => [{ name: `page-${index}.tif` }]);
    const asset = archive.library.addAsset({
      title: 'Minutes',
      representations: [{ type: 'Preservation', contentObjects }],
    });
    archive.settings.latencyMs = 1;
    const fetchResult = await askerOf(archive.url).fetchAsset({ kind: 'asset', id: asset.ref });
    expect(fetchResult).toMatchObject({
      kind: 'found',
      details: { fileCount: 500, filesTruncated: true },
    });
    expect(fetchResult.kind === 'found' && fetchResult.details.files).toHaveLength(100);
    expect(archive.apiCalls()).toHaveLength(305);
    expect(archive.mostAtOnce).toBeLessThanOrEqual(8);
  });

  it('logs in once again when all tokens are forgotten, also with a second factor', async () => {
    const archive = await simulator();
    const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    archive.settings.account.totpSeed = seed;
    const { ref } = archive.library.addAsset({ title: 'Harbour' });
    const asker = askerOf(archive.url, { totpSeed: seed, now: Date.now() });
    const all = async () =>
      await Promise.all(Array.from({ length: 8 }, () => asker.fetchAsset({ kind: 'asset', id: ref })));
    expect((await all()).every(({ kind }) => kind === 'found')).toBe(true);
    archive.forgetTokens();
    expect((await all()).every(({ kind }) => kind === 'found')).toBe(true);
    expect(archive.logins()).toHaveLength(2);
  });

  it('reads the documents of other versions', async () => {
    const archive = await simulator();
    const { ref } = archive.library.addAsset({ title: 'Harbour' });
    for (const version of ['6.0', '7.7', '12.3']) {
      archive.settings.version = version;
      expect(await askerOf(archive.url).fetchAsset({ kind: 'asset', id: ref })).toMatchObject({
        details: { title: 'Harbour', fileCount: 1 },
      });
    }
  });
});
