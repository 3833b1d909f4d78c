import { randomUUID } from 'node:crypto';
import { drawPicture } from '../simulators/pictures.ts';
import type { Entity } from '../simulators/preservica/library.ts';
import { startPreservicaSimulator } from '../simulators/preservica/simulator.ts';
import type { Chance } from './chance.ts';
import {
  answerWithinMs,
  titled,
  uniqueTimes,
  type ChangingSource,
  type Delivery,
  type Serials,
} from './source.ts';

const name = 'archive';
const secret = 'the secret of the archive';
const triggers = ['FULL_TEXT_INDEXED', 'METADATA_UPDATED', 'MOVED'];

/** A Preservica whose assets get new titles and pictures, some many in one delivery. */
export async function startArchive(
  assets: number,
  serials: Serials,
  chance: Chance,
): Promise<ChangingSource> {
  const simulator = await startPreservicaSimulator();
  const { library } = simulator;
  const pictures = Array.from({ length: 40 }, (_, index) => drawPicture(`picture ${index}`, 32));
  const newAsset = (title: string): Entity => library.addAsset({ title, thumbnail: chance.pick(pictures) });
  const all = Array.from({ length: assets }, (_, index) => ({
    words: `Plate ${index}`,
    asset: newAsset(`Plate ${index}`),
  }));
  const changed = new Set<(typeof all)[number]>();
  const time = uniqueTimes();

  const deliveryOf = (
    told: readonly { asset: Entity; change: number }[],
    signed: Delivery['signed'],
    trigger: string,
  ): Delivery => {
    const document = {
      subscriptionId: '0123456789abcdef0123456789abcdef',
      timestamp: new Date(time()).toISOString().replace('Z', ''),
      tenant: 'ACME',
      version: '8.1',
      events: told.map(({ asset, change }) => ({
        event: trigger,
        entityType: 'IO',
        entityRef: asset.ref,
        identifiers: [{ Change: String(change) }],
      })),
      trigger,
    };
    const body = Buffer.from(JSON.stringify(document));
    return {
      source: name,
      changes: told.map(({ change }) => change),
      inOrder: false,
      signed,
      async send(appUrl) {
        const url = `${appUrl}/webhooks/${name}`;
        const key = signed === 'rightly' ? secret : 'another secret than that';
        return (await simulator.deliver(url, { secret: key, body, answerWithinMs })).status;
      },
      taken: () => undefined,
    };
  };

  const changeThese = (chosen: readonly (typeof all)[number][]): Delivery => {
    const told = chosen.map((one) => {
      const change = serials.next();
      library.rename(one.asset.ref, titled(one.words, change));
      if (chance.happens(0.3)) one.asset.thumbnail = chance.pick(pictures);
      changed.add(one);
      return { asset: one.asset, change };
    });
    return {
      ...deliveryOf(told, 'rightly', chance.pick(triggers)),
      again: () => changeThese(chosen),
      delayPictures(ms) {
        for (const { asset } of chosen)
          simulator.fault({
            kind: 'slow',
            ms,
            path: new RegExp(`thumbnail.*${asset.ref}`),
            times: 1,
          });
      },
    };
  };

  return {
    name,
    simulator,
    settings: {
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: simulator.url,
      SOURCE_ARCHIVE_USERNAME: simulator.settings.account.username,
      SOURCE_ARCHIVE_PASSWORD: simulator.settings.account.password,
      SOURCE_ARCHIVE_SECRET: secret,
    },
    change(most) {
      const there = all.filter(({ asset }) => !asset.deleted);
      const chosen = most === 1 ? [chance.pick(there)] : chance.shuffled(there).slice(0, most);
      return changeThese(chosen);
    },
    remove() {
      const one = chance.pick(all.filter(({ asset }) => !asset.deleted));
      const change = serials.next();
      library.markDeleted(one.asset.ref);
      changed.add(one);
      return deliveryOf([{ asset: one.asset, change }], 'rightly', 'DELETED');
    },
    forged: () =>
      deliveryOf([{ asset: { ...newAsset('Forged'), ref: randomUUID() }, change: -1 }], 'wrongly', 'MOVED'),
    expected: () =>
      [...changed].map(({ asset }) => ({
        source: name,
        assetId: asset.ref,
        deleted: asset.deleted,
        title: asset.title,
        picture: asset.thumbnail instanceof Uint8Array ? asset.thumbnail : undefined,
      })),
  };
}
