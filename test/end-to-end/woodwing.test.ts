import { beforeAll, describe, expect, it } from 'vitest';
import { drawPicture } from '../../src/local/simulators/pictures.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { until } from '../support/until.ts';

let desk: WoodWingEnv;
let expected = 0;

beforeAll(async () => {
  desk = await startWoodWingEnv({ SOURCE_PHOTOS_METADATA_FIELDS: 'cf_photographer,tags' });
  await desk.register();
});

/** Lets something happen and waits for the app to be done with it. */
async function happened(event: Parameters<WoodWingEnv['assets']['happen']>[0]) {
  await desk.assets.happen(event);
  expected += 1;
  const [latest] = await desk.app.settled(expected);
  return latest;
}

describe('an event of WoodWing Assets', () => {
  it('becomes a record with a thumbnail', async () => {
    const { id } = desk.assets.library.add({
      filename: 'Café Zürich.jpg',
      folderPath: '/Demo Zone/Harbour',
      rating: 3,
      status: 'Final',
      metadata: { cf_photographer: { value: 'Åsa' }, tags: ['sea', 'night'] },
    });
    const event = await happened({ type: 'asset_create', assetId: id });
    expect(event).toMatchObject({ state: 'done', reason: null, title: 'Café Zürich.jpg', assetId: id });
    const record = await desk.app.record('photos', id);
    expect(record).toMatchObject({
      kind: 'asset',
      title: 'Café Zürich.jpg',
      parentId: '/Demo Zone/Harbour',
      deleted: false,
      thumbnailState: 'stored',
      thumbnail: { contentType: 'image/png' },
      files: [{ name: 'Café Zürich.jpg' }],
      details: {
        path: '/Demo Zone/Harbour/Café Zürich.jpg',
        rating: 3,
        status: 'Final',
        metadata: { cf_photographer: 'Åsa', tags: ['sea', 'night'] },
      },
    });
    const { bytes } = await desk.app.get(`/assets/photos/${id}/thumbnail`);
    expect(bytes.equals(drawPicture(id, 256))).toBe(true);
  });

  it.each(['folder_create', 'authkey_create'])(
    'of no asset (%s) is recorded and not asked for',
    async (type) => {
      const before = desk.assets.calls.length;
      expect(await happened({ type, timestamp: Date.now() })).toMatchObject({
        type,
        state: 'ignored',
        reason: { code: 'not-an-asset' },
      });
      expect(desk.assets.calls).toHaveLength(before);
    },
  );

  it('brings the preview at once that was not made when the asset was', async () => {
    const { id } = desk.assets.library.add({ filename: 'late.jpg', previewState: 'no' });
    await desk.assets.happen({ type: 'asset_create', assetId: id });
    expected += 1;
    await until(async () => {
      const [event] = await desk.app.events(`&assetId=${id}`);
      return event?.reason?.code === 'thumbnail-pending' ? event : undefined;
    });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'pending', thumbnail: null });
    const changedMetadata = desk.assets.library.update(id, { previewState: 'yes' });
    await happened({ type: 'asset_update_metadata', assetId: id, changedMetadata });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'stored' });
  });

  it('whose preview is never made is done without', async () => {
    const { id } = desk.assets.library.add({ filename: 'never.wav', previewState: 'no' });
    expect(await happened({ type: 'asset_create', assetId: id })).toMatchObject({
      state: 'done',
      reason: { code: 'no-thumbnail-yet' },
      title: 'never.wav',
    });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'pending' });
  });

  it('about an asset that the search does not show is asked again, and is no deletion', async () => {
    const { id } = desk.assets.library.add({ filename: 'hidden.jpg', hidden: true });
    const event = await happened({ type: 'asset_update_metadata', assetId: id });
    expect(event).toMatchObject({ state: 'failed', reason: { code: 'not-visible' }, attempts: 7 });
    expect(await desk.app.record('photos', id)).toBeUndefined();
  });

  it('that says it is removed ends deleted, while the search still shows it, and an older one does not revive it', async () => {
    const { id } = desk.assets.library.add({ filename: 'gone.jpg' });
    const timestamp = Date.now();
    await happened({ type: 'asset_create', assetId: id, timestamp });
    expect(await happened({ type: 'asset_remove', assetId: id, timestamp: timestamp + 10 })).toMatchObject({
      state: 'done',
      reason: { code: 'deleted' },
    });
    expect(await desk.app.record('photos', id)).toMatchObject({
      deleted: true,
      title: 'gone.jpg',
      thumbnailState: 'stored',
    });
    const late = await happened({ type: 'asset_update_metadata', assetId: id, timestamp: timestamp + 5 });
    expect(late).toMatchObject({ state: 'done' });
    expect(await desk.app.record('photos', id)).toMatchObject({ deleted: true });
    await happened({ type: 'asset_create_from_filestore_rescue', assetId: id, timestamp: timestamp + 20 });
    expect(await desk.app.record('photos', id)).toMatchObject({ deleted: false });
  });

  it('that is ahead of the index is asked for twice more', async () => {
    const { id } = desk.assets.library.add({ filename: 'behind.jpg', status: 'Draft' });
    const changedMetadata = { status: { oldValue: 'Draft', newValue: 'Final' } };
    const event = await happened({ type: 'asset_update_metadata', assetId: id, changedMetadata });
    expect(event).toMatchObject({ state: 'done', reason: { code: 'index-behind' }, attempts: 3 });
  });
});
