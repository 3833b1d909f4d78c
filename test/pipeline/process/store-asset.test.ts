import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readRecord, storeAsset, type Fetched } from '../../../src/pipeline/process/store-asset.ts';
import { AssetRecord } from '../../../src/pipeline/model/record.ts';
import type { FoundThumbnail } from '../../../src/pipeline/ports/source-client.ts';
import type { AssetStore } from '../../../src/pipeline/ports/stores.ts';
import { memoryStores } from '../../support/memory-stores.ts';

const picture = PNG.sync.write(new PNG({ width: 30, height: 20 }));
const sha256 = createHash('sha256').update(picture).digest('hex');
const other = PNG.sync.write(new PNG({ width: 31, height: 20 }));
const name = { source: 'archive', assetId: 'a-1' };

async function store(
  stores: ReturnType<typeof memoryStores>,
  thumbnail: FoundThumbnail,
  given: Partial<Fetched> = {},
) {
  const result = await storeAsset(
    {
      ...name,
      details: { kind: 'asset', title: 'Harbour', links: {}, details: {} },
      thumbnail,
      deleted: false,
      before: await readRecord(stores.assetStore, name),
      beganAt: new Date('2026-01-05T09:00:00Z'),
      ...given,
    },
    stores.assetStore,
  );
  const record = AssetRecord.parse(
    JSON.parse(Buffer.from(stores.blobs.get('archive/a-1/record.json')?.bytes ?? []).toString()),
  );
  const pictures = [...stores.blobs.keys()].filter((path) => path.includes('/thumbnail-'));
  return { result, record, pictures };
}

describe('storing an asset', () => {
  it('writes the thumbnail first and the record last, with its digest', async () => {
    const stores = memoryStores();
    const { record, pictures } = await store(stores, { kind: 'bytes', bytes: picture });
    expect(stores.writes).toEqual(['thumbnail', 'record.json']);
    expect(record.thumbnailState).toBe('stored');
    expect(record.thumbnail).toEqual({
      contentType: 'image/png',
      sizeBytes: picture.byteLength,
      width: 30,
      height: 20,
      sha256,
    });
    expect(pictures).toEqual([`archive/a-1/thumbnail-${sha256.slice(0, 16)}`]);
  });

  it.each<[string, FoundThumbnail, string]>([
    ['text that says it is a picture', { kind: 'bytes', bytes: Buffer.from('GIF? no.') }, 'refused'],
    ['a page', { kind: 'bytes', bytes: Buffer.from('<html><script>alert(1)</script></html>') }, 'refused'],
    [
      'a drawing that can hold script',
      { kind: 'bytes', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>') },
      'refused',
    ],
    ['nothing at all', { kind: 'bytes', bytes: new Uint8Array() }, 'refused'],
    ['the start of a picture', { kind: 'bytes', bytes: picture.subarray(0, 10) }, 'refused'],
    ['too large', { kind: 'too-large' }, 'refused'],
    ['none', { kind: 'none' }, 'none'],
    ['pending', { kind: 'pending' }, 'pending'],
  ])('keeps the record when the thumbnail is %s', async (_name, thumbnail, state) => {
    const { record, pictures } = await store(memoryStores(), thumbnail);
    expect(record).toMatchObject({ thumbnail: null, thumbnailState: state });
    expect(pictures).toEqual([]);
  });

  it('takes away a thumbnail that the asset no longer has, after the record says so', async () => {
    const stores = memoryStores();
    await store(stores, { kind: 'bytes', bytes: picture });
    const { pictures } = await store(stores, { kind: 'none' });
    expect(pictures).toEqual([]);
    expect(stores.writes.slice(2)).toEqual(['record.json', 'remove']);
  });

  it('puts a new picture beside the old one, which goes once the record names the new one', async () => {
    const stores = memoryStores();
    await store(stores, { kind: 'bytes', bytes: picture });
    const { pictures } = await store(stores, { kind: 'bytes', bytes: other });
    expect(pictures).toHaveLength(1);
    expect(stores.writes.slice(2)).toEqual(['thumbnail', 'record.json', 'remove']);
  });

  it('does not write an unchanged picture again', async () => {
    const stores = memoryStores();
    await store(stores, { kind: 'bytes', bytes: picture });
    await store(stores, { kind: 'bytes', bytes: picture });
    expect(stores.writes.slice(2)).toEqual(['record.json']);
    // What is known of it is carried on: it can still be taken away.
    expect((await store(stores, { kind: 'none' })).pictures).toEqual([]);
  });

  it('goes on naming the earlier picture while the source has not made the new one', async () => {
    const stores = memoryStores();
    await store(stores, { kind: 'bytes', bytes: picture });
    const { record, pictures } = await store(stores, { kind: 'pending' });
    expect(record).toMatchObject({ thumbnail: { sha256 }, thumbnailState: 'pending' });
    expect(pictures).toHaveLength(1);
    // What is known of it is carried on: it goes when there is another one.
    const { record: next, pictures: now } = await store(stores, { kind: 'bytes', bytes: other });
    expect(next.thumbnailState).toBe('stored');
    expect(now).toHaveLength(1);
  });

  it('leaves a picture that another fetch has found again', async () => {
    const stores = memoryStores();
    await store(stores, { kind: 'bytes', bytes: picture });
    const before = await readRecord(stores.assetStore, name);
    await store(stores, { kind: 'none' }, { before });
    await store(stores, { kind: 'bytes', bytes: picture });
    // The deletion that belongs to the second record comes only now.
    await stores.assetStore.remove(
      { ...name, name: `thumbnail-${sha256.slice(0, 16)}` },
      before?.thumbnailEtag ?? '',
    );
    expect((await store(stores, { kind: 'bytes', bytes: picture })).pictures).toHaveLength(1);
  });

  describe('of a deleted asset', () => {
    const deleted = async (given: Partial<Fetched>, before: boolean) => {
      const stores = memoryStores();
      if (before) await store(stores, { kind: 'bytes', bytes: picture });
      const details = { kind: 'asset' as const, title: 'As it was told', links: {}, details: {} };
      const { record } = await store(stores, { kind: 'none' }, { deleted: true, details, ...given });
      return record;
    };

    it('takes what is told now for the title, and keeps the rest', async () => {
      expect(await deleted({}, true)).toMatchObject({
        deleted: true,
        title: 'As it was told',
        thumbnailState: 'stored',
      });
    });

    it('leaves what is known where what is told may be older', async () => {
      expect(await deleted({ detailsMayBeOld: true }, true)).toMatchObject({
        deleted: true,
        title: 'Harbour',
      });
    });

    it('writes nothing where it is told once more', async () => {
      const stores = memoryStores();
      await store(stores, { kind: 'bytes', bytes: picture });
      const gone = { deleted: true, beganAt: new Date('2026-01-06T09:00:00Z') };
      await store(stores, { kind: 'none' }, gone);
      const before = stores.writes.length;
      const again = { ...gone, beganAt: new Date('2026-01-07T09:00:00Z') };
      const { result } = await store(stores, { kind: 'none' }, again);
      expect(result).toMatchObject({ kind: 'stored', record: { fetchedAt: '2026-01-06T09:00:00.000Z' } });
      expect(stores.writes.slice(before)).toEqual([]);
      const details = { kind: 'asset' as const, title: 'Another title', links: {}, details: {} };
      await store(stores, { kind: 'none' }, { ...again, details });
      expect(stores.writes.slice(before)).toEqual(['record.json']);
    });

    it('takes what is told, however old, where nothing is known', async () => {
      expect(await deleted({ detailsMayBeOld: true }, false)).toMatchObject({ title: 'As it was told' });
    });
  });

  it.each([
    ['a record came', false],
    ['another record came', true],
  ])('stops where %s after its fetch began', async (_name, hadOne) => {
    const stores = memoryStores();
    if (hadOne) await store(stores, { kind: 'bytes', bytes: picture });
    const before = await readRecord(stores.assetStore, name);
    await store(
      stores,
      { kind: 'none' },
      { details: { kind: 'asset', title: 'Later', links: {}, details: {} } },
    );
    const { result, record } = await store(stores, { kind: 'bytes', bytes: other }, { before });
    expect(result).toEqual({ kind: 'record-changed' });
    expect(record).toMatchObject({ title: 'Later', thumbnailState: 'none' });
  });

  it('knows its own record again where only the answer was lost', async () => {
    const stores = memoryStores();
    let lost = false;
    const assetStore: AssetStore = {
      ...stores.assetStore,
      write: async (blob, content) => {
        const etag = await stores.assetStore.write(blob, content);
        if (blob.name !== 'record.json' || lost) return etag;
        lost = true;
        // As the SDK does: it asks again, and finds what it has written itself.
        return await stores.assetStore.write(blob, content);
      },
    };
    const { result } = await store({ ...stores, assetStore }, { kind: 'bytes', bytes: picture });
    expect(lost).toBe(true);
    expect(result).toMatchObject({ kind: 'stored' });
  });
});
