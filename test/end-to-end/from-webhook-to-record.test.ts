import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { addSampleLibrary } from '../../src/local/simulators/preservica/sample-library.ts';
import { drawPicture } from '../../src/local/simulators/pictures.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({ SOURCE_ARCHIVE_PORTAL_URL: 'https://portal.example.org' });
});

describe('from the webhook to the stored record', () => {
  it('answers the handshake inside the subscription, and keeps what is then ingested', async () => {
    expect(await app.subscribe()).toBe(200);
    const samples = addSampleLibrary(app.preservica.library);
    await app.preservica.happen('FULL_TEXT_INDEXED', samples);
    expect(app.preservica.sent.map(({ status }) => status)).toEqual(Array(samples.length + 1).fill(200));

    const events = await app.settled(samples.length);
    expect(new Set(events.map(({ state }) => state))).toEqual(new Set(['done']));
    expect(new Set(events.map(({ assetId }) => assetId))).toEqual(new Set(samples.map(({ ref }) => ref)));

    const [folder, harbour, keeper, cafe, volume, sound] = samples.map(({ ref }) => ref);
    const picture = drawPicture(harbour ?? '', 400);
    const file = app.preservica.library.get(
      app.preservica.library.get(harbour ?? '')?.representations[0]?.contentObjects[0] ?? '',
    )?.generations[0]?.files[0];
    expect(await app.record(harbour ?? '')).toEqual({
      v: 1,
      source: 'archive',
      assetId: harbour,
      kind: 'asset',
      title: 'Harbour, looking north',
      description: 'Glass negative, scanned',
      parentId: folder,
      securityTag: 'open',
      identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
      fileCount: 1,
      filesTruncated: false,
      files: [
        {
          name: 'harbour.png',
          representation: 'Preservation',
          sizeBytes: file?.bytes.byteLength,
          fixity: ['sha1', 'sha256'].map((algorithm) => ({
            algorithm: algorithm.toUpperCase(),
            value: createHash(algorithm)
              .update(file?.bytes ?? '')
              .digest('hex'),
          })),
        },
      ],
      links: { page: `https://portal.example.org/uncategorized/IO_${harbour}` },
      details: {
        entityType: 'IO',
        customType: 'Photograph',
        metadata: [
          {
            schema: 'http://purl.org/dc/elements/1.1/',
            ref: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
          },
        ],
        representations: [{ type: 'Preservation', name: 'Preservation-1', contentObjects: 1 }],
      },
      thumbnail: {
        contentType: 'image/png',
        sizeBytes: picture.byteLength,
        width: picture.readUInt32BE(16),
        height: picture.readUInt32BE(20),
        sha256: createHash('sha256').update(picture).digest('hex'),
      },
      thumbnailState: 'stored',
      deleted: false,
      fetchedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
    });
    const thumbnail = await app.get(`/assets/archive/${harbour}/thumbnail`);
    expect(thumbnail.headers.get('content-type')).toBe('image/png');
    expect(thumbnail.bytes.equals(picture)).toBe(true);

    expect((await app.record(keeper ?? ''))?.files?.map(({ representation }) => representation)).toEqual([
      'Preservation',
      'Access',
    ]);
    expect(await app.record(cafe ?? '')).toMatchObject({
      title: 'Café du Port, 東京 exhibition',
      identifiers: [{ type: 'Titre', value: 'café' }],
    });
    expect(await app.record(volume ?? '')).toMatchObject({ fileCount: 500, filesTruncated: true });
    expect((await app.record(volume ?? ''))?.files).toHaveLength(100);
    expect(await app.record(sound ?? '')).toMatchObject({ thumbnail: null, thumbnailState: 'none' });
    expect(await app.get(`/assets/archive/${sound}/thumbnail`)).toMatchObject({ status: 404 });
    expect(await app.record(folder ?? '')).toMatchObject({ kind: 'folder', details: { entityType: 'SO' } });
    expect(app.preservica.calls.filter(({ target }) => target === '/api/accesstoken/login')).toHaveLength(2);
  });

  it('shows what an event itself calls its asset, and finds it by that', async () => {
    const asset = app.preservica.library.addAsset({
      title: 'Ledger of the port',
      identifiers: [{ type: 'BatchId', value: 'Batch-0042' }],
    });
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const found = await until(async () => {
      const [event] = await app.events('&q=batch-0042');
      return event?.state === 'done' ? event : undefined;
    });
    expect(found).toMatchObject({ assetId: asset.ref });
    expect(await app.event(found.id)).toMatchObject({
      identifiers: [{ type: 'BatchId', value: 'Batch-0042' }],
    });
  });
});
