import { drawPicture } from '../simulators/pictures.ts';
import { newId } from '../simulators/woodwing/library.ts';
import { startWoodWingSimulator } from '../simulators/woodwing/simulator.ts';
import type { Chance } from './chance.ts';
import {
  answerWithinMs,
  titled,
  uniqueTimes,
  type ChangingSource,
  type Delivery,
  type Serials,
} from './source.ts';

const name = 'photos';
const secret = 'c2VjcmV0IG9mIHRoZSBwaG90b3M=';
// What the simulator draws as a thumbnail.
const thumbnailSide = 256;

/** A WoodWing Assets whose assets get new names. */
export async function startPhotos(assets: number, serials: Serials, chance: Chance): Promise<ChangingSource> {
  const simulator = await startWoodWingSimulator();
  const { library } = simulator;
  const original = drawPicture('original', 32);
  const all = Array.from({ length: assets }, (_, index) => ({
    words: `Photo ${index}`,
    id: library.add({ filename: `photo-${index}.png`, original }).id,
    removed: false,
  }));
  const changed = new Map<(typeof all)[number], string>();
  const time = uniqueTimes();

  const deliveryOf = (
    event: { type: string; assetId: string; [more: string]: unknown },
    change: number,
    signed: Delivery['signed'],
  ): Delivery => {
    const body = Buffer.from(JSON.stringify({ timestamp: time(), ...event, change }));
    return {
      source: name,
      changes: [change],
      inOrder: false,
      signed,
      async send(appUrl) {
        const token = signed === 'rightly' ? secret : 'QW5vdGhlciB0b2tlbiB0aGFuIGl0Lg==';
        const url = `${appUrl}/webhooks/${name}`;
        return (await simulator.deliver(url, { token, body, answerWithinMs })).status;
      },
      taken: () => undefined,
    };
  };

  return {
    name,
    simulator,
    settings: {
      SOURCE_PHOTOS_KIND: 'woodwing',
      SOURCE_PHOTOS_URL: simulator.url,
      SOURCE_PHOTOS_USERNAME: simulator.settings.account.username,
      SOURCE_PHOTOS_PASSWORD: simulator.settings.account.password,
      SOURCE_PHOTOS_SECRET: secret,
    },
    change() {
      const one = chance.pick(all.filter(({ removed }) => !removed));
      const change = serials.next();
      const title = titled(one.words, change);
      const changedMetadata = library.update(one.id, { name: title });
      changed.set(one, title);
      return deliveryOf(
        { type: 'asset_update_metadata', assetId: one.id, changedMetadata },
        change,
        'rightly',
      );
    },
    remove() {
      const one = chance.pick(all.filter(({ removed }) => !removed));
      const change = serials.next();
      library.remove(one.id);
      one.removed = true;
      changed.set(one, changed.get(one) ?? '');
      return deliveryOf({ type: 'asset_remove', assetId: one.id }, change, 'rightly');
    },
    forged: () => deliveryOf({ type: 'asset_rename', assetId: newId() }, -1, 'wrongly'),
    expected: () =>
      [...changed].map(([{ id, removed }, title]) => ({
        source: name,
        assetId: id,
        deleted: removed,
        title,
        picture: drawPicture(id, thumbnailSide),
      })),
  };
}
