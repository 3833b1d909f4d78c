import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Keys } from '../../src/local/simulators/pywebhooks/simulator.ts';
import { startAnonymousCaller } from '../support/anonymous-caller.ts';
import { until } from '../support/until.ts';
import { startPyWebhooksEnv, type PyWebhooksEnv } from '../support/pywebhooks-env.ts';

let shop: PyWebhooksEnv;
let keys: Keys;
let registration: string;
beforeAll(async () => {
  shop = await startPyWebhooksEnv();
  keys = await shop.enrol('scans');
  registration = await shop.subscribed(keys, 'scan.finished', { pages: 1 });
});
beforeEach(async () => {
  for (const key of ['secret', 'api-key'] as const) await shop.operator.window('scans', key, 0);
});

const resetSecret = async () => await shop.call('POST /v1/account/reset/secretkey', { as: keys });
const resetApiKey = async () =>
  await shop.call('POST /v1/account/reset/apikey', { headers: { username: keys.username } });
const sentSince = (before: number) =>
  shop.service.sent.slice(before).map(({ kind, status }) => [kind, status]);
const secretNow = (): string => shop.service.accounts.get(keys.id)?.secret_key ?? '';

async function send(secret: string): Promise<number> {
  const { status } = await shop.service.deliver(shop.addressOf('scans'), {
    secret,
    body: Buffer.from('{"by":"hand"}'),
  });
  return status;
}

/** The API key as it was kept, and whether the service takes it. */
async function apiKeyWorks(): Promise<boolean> {
  await shop.operator.secrets.refresh('scans');
  const apiKey = (await shop.operator.secrets.apiKey('scans')) ?? '';
  const { status } = await shop.call('GET /v1/webhook/registration?start=0&limit=1', {
    as: { username: keys.username, apiKey },
  });
  return status === 200;
}

describe('a secret key', () => {
  it('outside a window: 403, and both sides go on with the one they have', async () => {
    const before = shop.service.sent.length;
    const secret = secretNow();
    expect(await resetSecret()).toMatchObject({ status: 400 });
    expect(sentSince(before)).toEqual([['secret_key', 403]]);
    expect(secretNow()).toBe(secret);
    await shop.service.trigger(registration);
    expect(shop.service.sent.at(-1)).toMatchObject({ kind: 'event', status: 200, attempt: 1 });
  });

  it('inside the window of another key: 403 as well', async () => {
    await shop.operator.window('scans', 'api-key', 10);
    expect(await resetSecret()).toMatchObject({ status: 400 });
  });

  it('inside its window: kept; it signs, and its predecessor does for a while', async () => {
    await shop.operator.window('scans', 'secret', 10);
    const [old, before] = [secretNow(), shop.service.sent.length];
    expect(await resetSecret()).toMatchObject({ status: 200 });
    expect(sentSince(before)).toEqual([['secret_key', 200]]);
    expect(secretNow()).not.toBe(old);
    await shop.operator.window('scans', 'secret', 0);
    await shop.service.trigger(registration);
    expect(shop.service.sent.at(-1)).toMatchObject({ kind: 'event', status: 200, attempt: 1 });
    expect(await send(old)).toBe(200);
  });

  it('a second one in the same window: 403, and both sides go on with the first', async () => {
    await shop.operator.window('scans', 'secret', 10);
    expect(await resetSecret()).toMatchObject({ status: 200 });
    const [secret, before] = [secretNow(), shop.service.sent.length];
    expect(await resetSecret()).toMatchObject({ status: 400 });
    expect(sentSince(before)).toEqual([['secret_key', 403]]);
    expect(secretNow()).toBe(secret);
    await shop.service.trigger(registration);
    expect(shop.service.sent.at(-1)).toMatchObject({ kind: 'event', status: 200, attempt: 1 });
  });

  it('is nowhere in the log, nor is any other', async () => {
    const said = shop.app.host.lines.join('\n');
    expect(said).toContain('secret-kept');
    for (const { url, kind } of shop.service.sent) {
      if (kind === 'secret_key' || kind === 'api_key') expect(said).not.toContain(url.split('=').at(-1));
    }
    expect(said).not.toContain(keys.apiKey);
  });

  it('that was retired is refused once its time is over', async () => {
    const current = secretNow();
    await shop.operator.window('scans', 'secret', 10);
    expect(await resetSecret()).toMatchObject({ status: 200 });
    await shop.operator.window('scans', 'secret', 0);
    const port = Number(new URL(shop.app.host.url).port);
    await shop.app.restart({ SECRET_OVERLAP_HOURS: '0' }, port);
    expect(await send(current)).toBe(401);
    expect(await send(secretNow())).toBe(200);
    await shop.app.restart({}, port);
    expect(await send(current)).toBe(200);
  });
});

describe('an API key', () => {
  it('outside a window: 403, and the one that is known still works', async () => {
    const before = shop.service.sent.length;
    expect(await resetApiKey()).toMatchObject({ status: 400 });
    expect(sentSince(before)).toEqual([['api_key', 403]]);
    expect(await apiKeyWorks()).toBe(true);
  });

  it('inside its window: kept as that, and it signs nothing', async () => {
    await shop.operator.window('scans', 'api-key', 10);
    const before = shop.service.sent.length;
    expect(await resetApiKey()).toMatchObject({ status: 200 });
    expect(sentSince(before)).toEqual([['api_key', 200]]);
    expect(await apiKeyWorks()).toBe(true);
    const apiKey = (await shop.operator.secrets.apiKey('scans')) ?? '';
    expect(apiKey).not.toBe(keys.apiKey);
    expect(await send(apiKey)).toBe(401);
    keys = { ...keys, apiKey };
  });
});

it('a secret that is replaced while events arrive and a stranger sends junk: none is lost', async () => {
  // Three retries, as the original makes.
  shop.service.settings.retryDelaysMs = [200, 400, 800];
  const stranger = startAnonymousCaller(shop.addressOf('scans'), 'pywebhooks-signature', 40);
  const [before, eventsBefore] = [shop.service.sent.length, (await shop.app.settled(1)).length];
  const end = new AbortController();
  let happened = 0;
  const happening = Promise.all(
    [1, 2].map(async () => {
      while (!end.signal.aborted) {
        happened += 1;
        await shop.service.trigger(registration);
      }
    }),
  );
  const taken = async (more: number): Promise<void> => {
    const now = (): number =>
      shop.service.sent.filter(({ kind, status }) => kind === 'event' && status === 200).length;
    const wanted = now() + more;
    await until(async () => (now() >= wanted ? true : undefined));
  };

  await taken(5);
  for (const _ of [1, 2]) {
    await shop.operator.window('scans', 'secret', 10);
    await taken(5);
    expect(await resetSecret()).toMatchObject({ status: 200 });
    await taken(5);
    await shop.operator.window('scans', 'secret', 0);
  }
  await taken(5);
  end.abort();
  await happening;
  await stranger.stop();

  const statuses = shop.service.sent.slice(before).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(new Set(stranger.statuses)).toEqual(new Set([401, 503]));
  const events = await shop.app.settled(Math.min(200, eventsBefore + happened));
  expect(new Set(events.slice(0, happened).map(({ state }) => state))).toEqual(new Set(['ignored']));
});

it('a secret that the sender fails to keep itself costs nothing: the one before still counts', async () => {
  await shop.operator.window('scans', 'secret', 10);
  shop.service.settings.failingResets = 'after-sending';
  expect(await resetSecret()).toMatchObject({ status: 500 });
  shop.service.settings.failingResets = 'none';
  await shop.service.trigger(registration);
  expect(shop.service.sent.at(-1)).toMatchObject({ kind: 'event', status: 200, attempt: 1 });
});
