import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../src/local/simulators/faults.ts';
import type { Entity } from '../../src/local/simulators/preservica/library.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await startAppUnderTest({ RETRY_DELAYS_SECONDS: '1,1,1', MAX_THUMBNAIL_BYTES: '5000000' });
  expect(await app.subscribe()).toBe(200);
});
beforeEach(() => {
  app.preservica.clearFaults();
});

let serial = 0;
const newAsset = (given: object = {}): Entity =>
  app.preservica.library.addAsset({ title: `Asset ${(serial += 1)}`, ...given });

async function happen(asset: Entity) {
  await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
  return await until(async () => {
    const [event] = await app.events(`&assetId=${asset.ref}`);
    return event === undefined || event.finishedAt === null ? undefined : await app.event(event.id);
  });
}

type Kind<T> = T extends unknown ? Omit<T, 'path' | 'times'> : never;

describe('what passes is tried again until the record is there', () => {
  it.each<[string, RegExp, Kind<Fault>, string]>([
    ['500', /information-objects/, { kind: 'status', status: 500 }, 'source-unavailable'],
    [
      '503 that asks for a pause',
      /information-objects/,
      { kind: 'status', status: 503, retryAfter: '1' },
      'source-unavailable',
    ],
    [
      '429 that asks for a pause',
      /thumbnail/,
      { kind: 'status', status: 429, retryAfter: '1' },
      'rate-limited',
    ],
    ['a document cut in half', /information-objects\/[^/]+$/, { kind: 'cut' }, 'source-unavailable'],
    ['a document that is broken', /generations/, { kind: 'broken-xml' }, 'source-unavailable'],
    ['a wrong length', /thumbnail/, { kind: 'wrong-length' }, 'source-unavailable'],
    ['a redirect', /identifiers/, { kind: 'redirect', to: 'http://127.0.0.1:9/' }, 'source-unavailable'],
    ['a part that is gone for a moment', /bitstreams/, { kind: 'status', status: 404 }, 'source-unavailable'],
  ])('%s', async (_name, path, fault, code) => {
    app.preservica.fault({ ...fault, path, times: 1 });
    const asset = newAsset();
    const event = await happen(asset);
    expect(event).toMatchObject({ state: 'done', attempts: 2 });
    expect(event.history).toMatchObject([{ state: 'waiting', code }, { state: 'done' }]);
    expect(await app.record(asset.ref)).toMatchObject({ title: asset.title, thumbnailState: 'stored' });
  });

  it('a token that ends in the middle: one new login, and no try is lost', async () => {
    const logins = () =>
      app.preservica.calls.filter(({ target }) => target === '/api/accesstoken/login').length;
    await happen(newAsset());
    const before = logins();
    app.preservica.forgetTokens();
    expect(await happen(newAsset())).toMatchObject({ state: 'done', attempts: 1 });
    expect(logins()).toBe(before + 1);
  });

  it('another version of the namespaces: nothing to try again', async () => {
    app.preservica.fault({ kind: 'namespace', path: /entity/, times: 100 });
    const asset = newAsset();
    expect(await happen(asset)).toMatchObject({ state: 'done', attempts: 1 });
    expect(await app.record(asset.ref)).toMatchObject({ title: asset.title, fileCount: 1 });
  });

  it('addresses on another host: the same is asked for at the configured one', async () => {
    app.preservica.fault({ kind: 'other-host', path: /entity/, times: 100 });
    const asset = newAsset();
    expect(await happen(asset)).toMatchObject({ state: 'done', attempts: 1 });
    expect((await app.record(asset.ref))?.files).toHaveLength(1);
  });
});

describe('what does not pass has an end', () => {
  it.each<[string, RegExp, Kind<Fault>, object]>([
    [
      'always 500',
      /information-objects/,
      { kind: 'status', status: 500 },
      { state: 'failed', attempts: 4, reason: { code: 'gave-up' } },
    ],
    [
      '403',
      /information-objects/,
      { kind: 'status', status: 403 },
      { state: 'failed', attempts: 1, reason: { code: 'no-permission' } },
    ],
    [
      '404',
      /information-objects/,
      { kind: 'status', status: 404 },
      { state: 'ignored', attempts: 1, reason: { code: 'not-found' } },
    ],
    [
      'a document type with entities',
      /information-objects\/[^/]+$/,
      { kind: 'doctype' },
      { state: 'failed', attempts: 1, reason: { code: 'unreadable-answer' } },
    ],
    [
      '200 MB',
      /information-objects\/[^/]+$/,
      { kind: 'huge' },
      { state: 'failed', attempts: 1, reason: { code: 'unreadable-answer' } },
    ],
  ])('%s, and an existing record stays as it was', async (_name, path, fault, expected) => {
    const asset = newAsset();
    await happen(asset);
    const before = await app.record(asset.ref);
    app.preservica.fault({ ...fault, path });
    asset.title = 'Changed since';
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const last = await until(async () => {
      const [event] = await app.events(`&assetId=${asset.ref}`);
      return event?.state === 'done' || event?.finishedAt === null ? undefined : event;
    });
    expect(last).toMatchObject(expected);
    expect(await app.record(asset.ref)).toEqual(before);
  });

  it.each<[string, Kind<Fault>, string]>([
    ['too large', { kind: 'huge-picture' }, 'refused'],
    ['not there', { kind: 'status', status: 404 }, 'none'],
  ])('a thumbnail that is %s: the record is kept without it', async (_name, fault, thumbnailState) => {
    app.preservica.fault({ ...fault, path: /thumbnail/ });
    const asset = newAsset();
    expect(await happen(asset)).toMatchObject({ state: 'done', attempts: 1, reason: null });
    expect(await app.record(asset.ref)).toMatchObject({
      title: asset.title,
      thumbnail: null,
      thumbnailState,
    });
    expect(await app.get(`/assets/archive/${asset.ref}/thumbnail`)).toMatchObject({ status: 404 });
  });

  it('a page for people in place of the thumbnail: the record is kept without it, and it is asked again', async () => {
    app.preservica.fault({ kind: 'not-a-picture', path: /thumbnail/ });
    const asset = newAsset();
    expect(await happen(asset)).toMatchObject({
      state: 'done',
      attempts: 4,
      reason: { code: 'incomplete' },
    });
    expect(await app.record(asset.ref)).toMatchObject({ title: asset.title, thumbnail: null });
  });

  it('a deleted asset keeps what was known of it', async () => {
    const asset = newAsset({ identifiers: [{ type: 'CatalogueRef', value: 'A/1' }] });
    await happen(asset);
    asset.deleted = true;
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    await until(async () =>
      (await app.events(`&assetId=${asset.ref}`))[0]?.reason?.code === 'deleted' ? true : undefined,
    );
    expect(await app.record(asset.ref)).toMatchObject({
      deleted: true,
      thumbnailState: 'stored',
      fileCount: 1,
      identifiers: [{ value: 'A/1' }],
    });
  });

  it('a refused login waits, and goes on once the password is right', async () => {
    const { account } = app.preservica.settings;
    const right = account.password;
    account.password = 'another';
    app.preservica.forgetTokens();
    const asset = newAsset();
    await app.preservica.happen('FULL_TEXT_INDEXED', [asset]);
    const waiting = await until(async () => (await app.events(`&assetId=${asset.ref}&state=waiting`))[0]);
    expect(waiting.reason).toMatchObject({
      code: 'login-refused',
      nextAttemptAt: expect.any(String) as unknown,
    });
    account.password = right;
    expect(await until(async () => (await app.events(`&assetId=${asset.ref}&state=done`))[0])).toMatchObject({
      title: asset.title,
    });
  });

  it('a refused login that stays refused ends as failed', async () => {
    const { account } = app.preservica.settings;
    const right = account.password;
    account.password = 'another';
    app.preservica.forgetTokens();
    expect(await happen(newAsset())).toMatchObject({
      state: 'failed',
      attempts: 4,
      reason: { code: 'login-refused' },
    });
    account.password = right;
  });
});

describe('how the sender may behave', () => {
  it('each call twice, shuffled, many in one: every event once', async () => {
    Object.assign(app.preservica.settings, {
      copies: 2,
      shuffled: true,
      batch: 7,
      framing: 'pieces',
      identifiers: 'type-and-value',
    });
    const assets = Array.from({ length: 20 }, () =>
      newAsset({ identifiers: [{ type: 'Naïve', value: '東京' }] }),
    );
    await app.preservica.happen('FULL_TEXT_INDEXED', assets);
    Object.assign(app.preservica.settings, {
      copies: 1,
      shuffled: false,
      batch: 1,
      framing: 'chunked',
      identifiers: 'by-type',
    });
    for (const { ref, title } of assets) {
      const events = await until(async () => {
        const found = await app.events(`&assetId=${ref}`);
        return found[0]?.state === 'done' && found[0].duplicates === 1 ? found : undefined;
      });
      expect(events).toMatchObject([{ title, duplicates: 1 }]);
    }
  });
});
