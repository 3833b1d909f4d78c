import { startPyWebhooksSimulator } from '../simulators/pywebhooks/simulator.ts';
import type { Chance } from './chance.ts';
import { titled, type ChangingSource, type Delivery, type Serials } from './source.ts';

const name = 'scans';
const secret = '0123456789abcdef0123456789abcdef01234567';

/**
 * A PyWebhooks: each payload is the record. Of two payloads the one that was received last counts, so that the next one on an
 * asset is sent when the one before, with its copies, was taken.
 */
export async function startScans(assets: number, serials: Serials, chance: Chance): Promise<ChangingSource> {
  const simulator = await startPyWebhooksSimulator();
  const all = Array.from({ length: assets }, (_, index) => ({
    id: `scan-${index}`,
    words: `Scan ${index}`,
    title: '',
    busy: false,
  }));
  let forgeries = 0;

  const deliveryOf = (
    asset: { id: string; title: string },
    change: number,
    signed: Delivery['signed'],
    taken: () => void,
  ): Delivery => {
    const body = Buffer.from(JSON.stringify({ asset, change }));
    return {
      source: name,
      changes: [change],
      inOrder: true,
      signed,
      async send(appUrl) {
        const key = signed === 'rightly' ? secret : secret.replaceAll('0', 'f');
        const url = `${appUrl}/webhooks/${name}`;
        return (await simulator.deliver(url, { secret: key, body, event: 'scan.finished' })).status;
      },
      taken,
    };
  };

  return {
    name,
    simulator,
    settings: {
      SOURCE_SCANS_KIND: 'pywebhooks',
      SOURCE_SCANS_URL: simulator.url,
      SOURCE_SCANS_USERNAME: 'asset-webhooks',
      SOURCE_SCANS_SECRET: secret,
      SOURCE_SCANS_ASSET_ID_POINTER: '/asset/id',
      SOURCE_SCANS_TITLE_POINTER: '/asset/title',
      SOURCE_SCANS_DEDUPLICATE_SECONDS: '86400',
    },
    change() {
      const free = all.filter(({ busy }) => !busy);
      if (free.length === 0) return undefined;
      const one = chance.pick(free);
      const change = serials.next();
      one.title = titled(one.words, change);
      one.busy = true;
      return deliveryOf({ id: one.id, title: one.title }, change, 'rightly', () => {
        one.busy = false;
      });
    },
    remove: () => undefined,
    forged: () => {
      const asset = { id: `forged-${(forgeries += 1)}`, title: 'Forged' };
      return deliveryOf(asset, -1, 'wrongly', () => undefined);
    },
    expected: () =>
      all
        .filter(({ title }) => title !== '')
        .map(({ id, title }) => ({
          source: name,
          assetId: id,
          deleted: false,
          title,
          picture: undefined,
        })),
  };
}
