import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../src/local/simulators/faults.ts';
import { startWoodWingEnv, type WoodWingEnv } from '../support/woodwing-env.ts';
import { until } from '../support/until.ts';

let desk: WoodWingEnv;
beforeAll(async () => {
  desk = await startWoodWingEnv({ RETRY_DELAYS_SECONDS: '0,0,0' });
  await desk.register();
  desk.assets.settings.softErrors = true;
});
beforeEach(() => {
  desk.assets.clearFaults();
});

let serial = 0;
const newAsset = () => desk.assets.library.add({ filename: `asset-${(serial += 1)}.jpg` }).id;

async function happen(id: string) {
  await desk.assets.happen({ type: 'asset_create', assetId: id });
  return await until(async () => {
    const [event] = await desk.app.events(`&assetId=${id}`);
    return event === undefined || event.finishedAt === null ? undefined : await desk.app.event(event.id);
  });
}

type Kind<T> = T extends unknown ? Omit<T, 'path' | 'times'> : never;
type What = Kind<Fault>;
const softError = (errorcode: number | string): What => ({
  kind: 'answer',
  status: 200,
  contentType: 'application/json;charset=utf-8',
  body: JSON.stringify({ errorcode, message: 'What went wrong' }),
});
const page = {
  kind: 'answer' as const,
  status: 200,
  contentType: 'text/html',
  body: '<!doctype html><title>Log in</title>',
};
const fault = (given: What, path: RegExp, times = 100) => desk.assets.fault({ ...given, path, times });

describe('an error with status 200', () => {
  const logins = () => desk.assets.calls.filter(({ target }) => target === '/services/apilogin').length;

  it('about a token that ended: one new login, and no try is lost', async () => {
    await happen(newAsset());
    const before = logins();
    desk.assets.forgetTokens();
    expect(await happen(newAsset())).toMatchObject({ state: 'done', attempts: 1 });
    expect(logins()).toBe(before + 1);
  });

  it('about a token that ended between search and picture: the same', async () => {
    const before = logins();
    fault(softError(401), /^\/thumbnail/, 1);
    const id = newAsset();
    expect(await happen(id)).toMatchObject({ state: 'done', attempts: 1 });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'stored' });
    expect(logins()).toBe(before + 1);
  });

  it('about the login: waits, and goes on once the password is right', async () => {
    const { account } = desk.assets.settings;
    const right = account.password;
    account.password = 'another';
    desk.assets.forgetTokens();
    expect(await happen(newAsset())).toMatchObject({
      state: 'failed',
      attempts: 4,
      reason: { code: 'login-refused' },
    });
    account.password = right;
    expect(await happen(newAsset())).toMatchObject({ state: 'done' });
  });

  it.each<[string, What, RegExp, string]>([
    ['500 for the search', softError(500), /search/, 'source-unavailable'],
    ['503 as text for the search', softError('503'), /search/, 'source-unavailable'],
    ['429 for the search', softError(429), /search/, 'rate-limited'],
    ['500 for the picture', softError(500), /^\/thumbnail/, 'source-unavailable'],
    ['409 for the picture', softError(409), /^\/thumbnail/, 'thumbnail-pending'],
    ['503 for the login', softError(503), /apilogin/, 'source-unavailable'],
    ['a page in the place of the login', page, /apilogin/, 'source-unavailable'],
    ['a page in the place of the search', page, /search/, 'source-unavailable'],
    ['a page in the place of the picture', page, /^\/thumbnail/, 'source-unavailable'],
    [
      'a page that says it is a picture',
      { ...page, contentType: 'image/jpeg' },
      /^\/thumbnail/,
      'source-unavailable',
    ],
  ])('%s: tried again, until the record is there', async (_name, given, path, code) => {
    if (path.test('apilogin')) desk.assets.forgetTokens();
    fault(given, path, 1);
    const id = newAsset();
    const event = await happen(id);
    expect(event).toMatchObject({ state: 'done', attempts: 2 });
    expect(event.history).toMatchObject([{ state: 'waiting', code }, { state: 'done' }]);
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'stored' });
  });

  it.each<[string, What, RegExp, string]>([
    ['403 for the search', softError(403), /search/, 'no-permission'],
    ['400 for the search', softError(400), /search/, 'unreadable-answer'],
  ])('%s: failed, and nothing of it is kept', async (_name, given, path, code) => {
    fault(given, path);
    const id = newAsset();
    expect(await happen(id)).toMatchObject({ state: 'failed', attempts: 1, reason: { code } });
    expect(await desk.app.record('photos', id)).toBeUndefined();
  });

  it('always 500: given up in the end', async () => {
    fault(softError(500), /search/);
    expect(await happen(newAsset())).toMatchObject({
      state: 'failed',
      attempts: 4,
      reason: { code: 'gave-up' },
    });
  });
});

describe('what comes in the place of a picture', () => {
  it.each<[string, What, string]>([
    ['404 with status 200', softError(404), 'none'],
    ['a text', { ...page, contentType: 'image/jpeg', body: 'No picture today.' }, 'refused'],
    ['nothing', { ...page, contentType: 'image/jpeg', body: '' }, 'refused'],
    ['too many bytes', { kind: 'huge-picture' }, 'refused'],
  ])('%s is never kept as one', async (_name, given, thumbnailState) => {
    fault(given, /^\/thumbnail/);
    const id = newAsset();
    expect(await happen(id)).toMatchObject({ state: 'done', attempts: 1 });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnail: null, thumbnailState });
    expect(await desk.app.get(`/assets/photos/${id}/thumbnail`)).toMatchObject({ status: 404 });
  });
});

describe('an address that leads elsewhere', () => {
  const called: string[] = [];
  const elsewhere = createServer((request, response) => {
    called.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end('{}');
  });
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const address = elsewhere.address();
    url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  });
  afterAll(() => void elsewhere.close());

  it.each([
    ['the login', /apilogin/],
    ['the search', /search/],
    ['the picture', /^\/thumbnail/],
  ])('by a redirect of %s is not followed, and asked again later', async (_name, path) => {
    if (path.test('apilogin')) desk.assets.forgetTokens();
    fault({ kind: 'redirect', to: `${url}/stolen` }, path, 1);
    const event = await happen(newAsset());
    expect(event).toMatchObject({ state: 'done', attempts: 2 });
    expect(event.history[0]).toMatchObject({ code: 'source-unavailable' });
    expect(called).toEqual([]);
  });

  it('in a hit is asked for at the configured one', async () => {
    desk.assets.settings.renditionsOrigin = url;
    const id = newAsset();
    expect(await happen(id)).toMatchObject({ state: 'done', attempts: 1 });
    expect(await desk.app.record('photos', id)).toMatchObject({ thumbnailState: 'stored' });
    const asked: unknown = expect.stringContaining(id);
    expect(desk.assets.calls.at(-1)).toMatchObject({ target: asked, status: 200 });
    desk.assets.settings.renditionsOrigin = undefined;
    expect(called).toEqual([]);
  });
});
