import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operatorOf, type Operator } from '../support/operator.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { startAnonymousCaller } from '../support/anonymous-caller.ts';
import { until } from '../support/until.ts';

let desk: WoodWingEnv;
let operator: Operator;
let webhookId: string;
beforeAll(async () => {
  desk = await startWoodWingEnv({ FOLD_MARGIN_SECONDS: '0' });
  const webhook = await desk.register();
  webhookId = webhook.id;
  operator = operatorOf(desk.app, { SOURCE_PHOTOS_SECRET: webhook.secretToken });
});
beforeEach(() => {
  // At most eight retries, as the real one makes.
  Object.assign(desk.assets.settings, {
    retryDelaysMs: [100, 200, 400, 800, 1_600],
    retrySignedWith: 'current',
  });
});

let serial = 0;

/** Things that happen at the picture desk without a pause, until told to stop. */
function startHappening() {
  const assetIds: string[] = [];
  const end = new AbortController();
  const happen = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const { id } = desk.assets.library.add({ filename: `asset-${(serial += 1)}.jpg` });
      assetIds.push(id);
      await desk.assets.happen({ type: 'asset_create', assetId: id });
    }
  };
  const happening = Promise.all(Array.from({ length: 2 }, happen));
  return {
    assetIds,
    /** Waits until so many more deliveries were taken. */
    async taken(more: number): Promise<void> {
      const takenUntilNow = (): number => desk.assets.sent.filter(({ status }) => status === 200).length;
      const wanted = takenUntilNow() + more;
      await until(async () => (takenUntilNow() >= wanted ? true : undefined));
    },
    async stop(): Promise<void> {
      end.abort();
      await happening;
    },
  };
}

async function newToken(): Promise<string> {
  const { json } = await desk.call('POST', `/services/admin/webhook/${webhookId}/generate-token`, {});
  return (json as { secretToken: string }).secretToken;
}

async function allAreDone(assetIds: readonly string[]): Promise<void> {
  for (const id of assetIds) {
    const [event] = await until(async () => {
      const found = await desk.app.events(`&assetId=${id}`);
      return found[0]?.finishedAt == null ? undefined : found;
    });
    expect(event).toMatchObject({ state: 'done' });
  }
}

describe('a token that is replaced while events arrive', () => {
  it.each([
    ['with the new token', 'current'],
    ['as at first', 'at-first'],
  ] as const)(
    'inside a window, while a stranger sends junk: none is lost, retries signed %s',
    async (_name, retrySignedWith) => {
      desk.assets.settings.retrySignedWith = retrySignedWith;
      const stranger = startAnonymousCaller(`${desk.app.host.url}/webhooks/photos`, 'x-hook-signature', 64);
      const before = desk.assets.sent.length;
      const events = startHappening();
      await events.taken(3);

      await operator.window('photos', 'secret', 10);
      await events.taken(3);
      const token = await newToken();
      // Some must come between, signed with a token that nobody was told of yet.
      const soFar = desk.assets.sent.length;
      await until(async () =>
        desk.assets.sent.slice(soFar).some(({ status }) => status !== 200) ? true : undefined,
      );
      await operator.secrets.keep('photos', 'secret', token);
      await events.taken(3);
      await operator.window('photos', 'secret', 0);
      await events.taken(3);

      await events.stop();
      await stranger.stop();
      const statuses = new Set(desk.assets.sent.slice(before).map(({ status }) => status));
      expect(statuses).toEqual(new Set([200, 503]));
      expect(desk.assets.warnings).toEqual([]);
      await allAreDone(events.assetIds);
      expect(stranger.statuses.length).toBeGreaterThan(20);
      expect(new Set(stranger.statuses)).toEqual(new Set([401, 503]));
      expect(await desk.app.events('&type=asset_remove')).toEqual([]);
    },
  );

  it('without any window, a moment ago: the delivery waits for a look, and is taken at its first try', async () => {
    const token = await newToken();
    await operator.secrets.keep('photos', 'secret', token);
    const { id } = desk.assets.library.add({ filename: `asset-${(serial += 1)}.jpg` });
    await desk.assets.happen({ type: 'asset_create', assetId: id });
    expect(desk.assets.sent.at(-1)).toMatchObject({ status: 200, attempt: 1 });
    await allAreDone([id]);
  });

  it('a moment later than it signs: without a window that is a 401, and the window is what saves it', async () => {
    const token = await newToken();
    const { id } = desk.assets.library.add({ filename: `asset-${(serial += 1)}.jpg` });
    await desk.assets.happen({ type: 'asset_create', assetId: id });
    expect(desk.assets.sent.at(-1)).toMatchObject({ status: 401, attempt: 1 });
    await operator.secrets.keep('photos', 'secret', token);
  });
});
