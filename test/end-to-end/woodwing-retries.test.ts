import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signEvent } from '../../src/local/simulators/woodwing/sender.ts';
import { post } from '../../src/local/simulators/post.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { until } from '../support/until.ts';

let desk: WoodWingEnv;
let token: string;
beforeAll(async () => {
  desk = await startWoodWingEnv({
    LOCAL_QUEUE_LEASE_SECONDS: '2',
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:01',
  });
  ({ secretToken: token } = await desk.register());
  // The real delays are unknown; these give a slow machine the time to bring its storage back.
  desk.assets.settings.retryDelaysMs = [500];
  desk.assets.settings.webHooksRetryMaximumAttempts = 100;
});
beforeEach(() => {
  Object.assign(desk.assets.settings, { signature: 'right', body: 'event' });
});

const send = async (body: Buffer, signature: string) =>
  await post(`${desk.app.host.url}/webhooks/photos`, { body, headers: { 'X-Hook-Signature': signature } });

describe('while storage is away', () => {
  it('a delivery gets 503 and comes again, until it is kept: one event, and a record', async () => {
    const { id } = desk.assets.library.add({ filename: 'sent-while-storage-was-away.jpg' });
    await desk.app.azurite.pause();
    const before = desk.assets.sent.length;
    const happening = desk.assets.happen({ type: 'asset_create', assetId: id });
    await until(async () => (desk.assets.sent.length >= before + 2 ? true : undefined));

    const junk = Buffer.from('no json');
    // What cannot be kept is no 400 yet, and a signature that nobody could look a secret up for is no 401 yet.
    expect(await send(junk, signEvent(token, junk))).toMatchObject({ status: 503 });
    const startedAt = performance.now();
    expect(await send(junk, '0'.repeat(64))).toMatchObject({ status: 503 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await send(junk, 'zz')).toMatchObject({ status: 401 });

    await desk.app.azurite.resume();
    await happening;
    const statuses = desk.assets.sent.slice(before).map(({ status }) => status);
    expect(statuses.at(-1)).toBe(200);
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([503]));

    await until(async () => await desk.app.record('photos', id));
    expect(await desk.app.settled(1)).toMatchObject([{ assetId: id, state: 'done', duplicates: 0 }]);
  });
});

describe('what no retry can cure', () => {
  const triesOf = async (): Promise<number[]> => {
    const before = desk.assets.sent.length;
    await desk.assets.happen({ type: 'asset_create' });
    return desk.assets.sent.slice(before).map(({ status }) => status);
  };

  it.each(['wrong-token', 'missing'] as const)('a signature that is %s: one call, 401', async (signature) => {
    desk.assets.settings.signature = signature;
    expect(await triesOf()).toEqual([401]);
    expect(desk.assets.warnings.at(-1)).toMatchObject({ status: 401, body: '{"error":"not proved"}' });
  });

  it.each(['empty', 'not-json'] as const)('a body that is %s: one call, 400', async (body) => {
    desk.assets.settings.body = body;
    expect(await triesOf()).toEqual([400]);
    expect(desk.assets.warnings.at(-1)).toMatchObject({ status: 400, body: '{"error":"bad request"}' });
  });
});
