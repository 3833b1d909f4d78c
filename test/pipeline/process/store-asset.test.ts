import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { storeAsset, type Fetched } from '../../../src/pipeline/process/store-asset.ts';
import type { AssetState } from '../../../src/pipeline/model/ledger.ts';
import { noneFetched } from '../../../src/pipeline/process/event-transitions.ts';
import { AssetRecord } from '../../../src/pipeline/model/record.ts';
import type { FoundThumbnail } from '../../../src/pipeline/ports/source-client.ts';
import { memoryStores } from '../../support/memory-stores.ts';

const picture = PNG.sync.write(new PNG({ width: 30, height: 20 }));
const first: AssetState = { ...noneFetched, fetch: 1 };

async function keep(
  stores: ReturnType<typeof memoryStores>,
  thumbnail: FoundThumbnail,
  asset = first,
  given: Partial<Fetched> = {},
) {
  const kept = await storeAsset(
    {
      source: 'archive',
      assetId: 'a-1',
      details: { kind: 'asset', title: 'Harbour', links: {}, details: {} },
      thumbnail,
      deleted: false,
      complete: true,
      asset,
      beganAt: new Date('2026-01-05T09:00:00Z'),
      ...given,
    },
    stores.assetStore,
  );
  const record = AssetRecord.parse(
    JSON.parse(Buffer.from(stores.blobs.get('archive/a-1/record.json')?.bytes ?? []).toString()),
  );
  return { kept, record, stored: stores.blobs.get('archive/a-1/thumbnail') };
}

describe('keeping an asset', () => {
  it('writes the thumbnail first and the record last, with its digest', async () => {
    const stores = memoryStores();
    const { record, stored } = await keep(stores, { kind: 'bytes', bytes: picture });
    expect(stores.writes).toEqual(['thumbnail', 'record.json']);
    expect(record.thumbnailState).toBe('stored');
    expect(record.thumbnail).toEqual({
      contentType: 'image/png',
      sizeBytes: picture.byteLength,
      width: 30,
      height: 20,
      sha256: createHash('sha256').update(picture).digest('hex'),
    });
    expect(stored).toMatchObject({ contentType: 'image/png', fetch: 1 });
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
    const { record, stored } = await keep(memoryStores(), thumbnail);
    expect(record).toMatchObject({ thumbnail: null, thumbnailState: state });
    expect(stored).toBeUndefined();
  });

  it('takes away a thumbnail that the asset no longer has, after the record says so', async () => {
    const stores = memoryStores();
    const { kept } = await keep(stores, { kind: 'bytes', bytes: picture });
    if (kept.kind !== 'kept') throw new Error(kept.kind);
    const { stored } = await keep(stores, { kind: 'none' }, { ...kept.asset, fetch: 2 });
    expect(stored).toBeUndefined();
    expect(stores.writes.slice(2)).toEqual(['record.json', 'remove']);
  });

  describe('of a deleted asset', () => {
    const deleted = async (given: Partial<Fetched>, before: boolean) => {
      const stores = memoryStores();
      if (before) await keep(stores, { kind: 'bytes', bytes: picture });
      const details = { kind: 'asset' as const, title: 'As it was told', links: {}, details: {} };
      const { record } = await keep(
        stores,
        { kind: 'none' },
        { ...first, fetch: 2 },
        { deleted: true, details, ...given },
      );
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

    it('takes what is told, however old, where nothing is known', async () => {
      expect(await deleted({ detailsMayBeOld: true }, false)).toMatchObject({ title: 'As it was told' });
    });
  });

  it('stops where a later fetch has left its record', async () => {
    const stores = memoryStores();
    await keep(stores, { kind: 'none' }, { ...first, fetch: 5 });
    const { kept } = await keep(stores, { kind: 'none' }, { ...first, fetch: 4 });
    expect(kept).toEqual({ kind: 'later-one-there' });
  });

  it('stops where a later fetch has left its thumbnail, without taking its record for granted', async () => {
    const stores = memoryStores();
    await keep(stores, { kind: 'bytes', bytes: picture }, { ...first, fetch: 5 });
    const { kept, record } = await keep(stores, { kind: 'bytes', bytes: picture }, { ...first, fetch: 4 });
    expect(kept).toEqual({ kind: 'overtaken' });
    expect(record.fetchedAt).toBe('2026-01-05T09:00:00.000Z');
  });
});
