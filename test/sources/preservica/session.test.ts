import { describe, expect, it } from 'vitest';
import type { FetchResult } from '../../../src/pipeline/ports/source-client.ts';
import { createCallLimiter } from '../../../src/pipeline/concurrency/call-limiter.ts';
import {
  askerOf,
  assetId,
  folderId,
  home,
  json,
  silence,
  standIn,
  status,
  type StandIn,
} from './stand-in.ts';

const loginPath = '/api/accesstoken/login';
const secondPath = '/api/accesstoken/complete-2fa';
const minute = 60_000;
// RFC 6238, appendix B: the secret `12345678901234567890`, whose code 59 s after 1970 ends in 287082.
const rfcSeed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

async function archiveWithAsset(): Promise<StandIn> {
  const archive = await standIn();
  archive.addAsset();
  return archive;
}

/** Answers 401 to every token but those that `accepts` names. */
function onlyAccept(archive: StandIn, accepts: (token: string) => boolean): void {
  archive.guard((token) => (accepts(token) ? undefined : 401));
}

const loginForms = (archive: StandIn) =>
  archive.seen
    .filter(({ path }) => path === loginPath)
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

describe('the login', () => {
  it('is asked for by form, with the tenant only where one is set', async () => {
    const archive = await archiveWithAsset();
    await askerOf(archive.url).fetchAsset();
    await askerOf(archive.url, { settings: { SOURCE_ARCHIVE_TENANT: 'ACME' } }).fetchAsset();
    const account = { username: 'archivist@example.org', password: 'open sesame' };
    expect(loginForms(archive)).toEqual([account, { ...account, tenant: 'ACME' }]);
  });

  it('is shared by all who wait for it, and used until two thirds of its time', async () => {
    const archive = await archiveWithAsset();
    const asker = askerOf(archive.url);
    await Promise.all(Array.from({ length: 20 }, () => asker.fetchAsset()));
    expect(archive.logins).toBe(1);
    asker.pass(10 * minute - 1);
    await asker.fetchAsset();
    expect(archive.logins).toBe(1);
    asker.pass(1);
    await Promise.all(Array.from({ length: 20 }, () => asker.fetchAsset()));
    expect(archive.logins).toBe(2);
    expect(archive.seen.at(-1)?.headers['preservica-access-token']).toBe('token-2');
  });

  it('goes through the limiter like any call', async () => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, silence);
    const limiter = createCallLimiter({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now });
    const looking = askerOf(archive.url, { limiter, timeLimitMs: 300 }).fetchAsset();
    expect(await limiter.acquire(100)).toBeUndefined();
    expect(await looking).toMatchObject({ kind: 'again', code: 'source-unavailable' });
  });

  it('that could not be renewed costs nothing while the old token lasts', async () => {
    const archive = await archiveWithAsset();
    const asker = askerOf(archive.url);
    await asker.fetchAsset();
    archive.on(loginPath, status(503));
    asker.pass(11 * minute);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    expect(loginForms(archive)).toHaveLength(2);
    asker.pass(4 * minute);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'source-unavailable' });
  });
});

describe('a token that is being renewed', () => {
  /** A renewal that is under way for an asset's look-up, and a folder that somebody else asks for. */
  const renewal = async () => {
    const archive = await archiveWithAsset();
    archive.addFolder();
    const asker = askerOf(archive.url);
    await asker.fetchAsset();
    let answerLogin = (): void => undefined;
    const renewing = new Promise<void>((resolve) => {
      archive.on(loginPath, (call, response) => {
        answerLogin = () => json({ token: 'renewed' })(call, response);
        resolve();
      });
    });
    asker.pass(11 * minute);
    const first = asker.fetchAsset();
    await renewing;
    const other = async () => await asker.fetchAsset({ kind: 'folder', id: folderId });
    const tokensOfOther = () =>
      archive.seen
        .filter(({ path }) => path.includes(folderId))
        .map(({ headers }) => headers['preservica-access-token']);
    return { archive, asker, first, answerLogin, other, tokensOfOther };
  };

  it('serves the others as long as it is good', async () => {
    const { archive, first, answerLogin, other, tokensOfOther } = await renewal();
    expect(await other()).toMatchObject({ kind: 'found' });
    expect(tokensOfOther()).toEqual(['token-1', 'token-1', 'token-1']);
    answerLogin();
    expect(await first).toMatchObject({ kind: 'found' });
    await other();
    expect(tokensOfOther().slice(3)).toEqual(['renewed', 'renewed', 'renewed']);
    expect(loginForms(archive)).toHaveLength(2);
  });

  it('serves nobody once it has ended', async () => {
    const { archive, asker, first, answerLogin, other, tokensOfOther } = await renewal();
    asker.pass(4 * minute);
    const second = other();
    await new Promise((resolve) => setImmediate(resolve));
    answerLogin();
    expect(await Promise.all([first, second])).toMatchObject([{ kind: 'found' }, { kind: 'found' }]);
    expect(tokensOfOther()).toEqual(['renewed', 'renewed', 'renewed']);
    expect(loginForms(archive)).toHaveLength(2);
  });

  it.each([undefined, null, 0, -1, 0.001, 1e9, '15', 'soon'])(
    'is taken to last 15 minutes where the login says %j',
    async (validFor) => {
      const archive = await archiveWithAsset();
      archive.on(loginPath, json({ token: 'good', validFor }));
      const asker = askerOf(archive.url);
      await asker.fetchAsset();
      asker.pass(10 * minute - 1);
      expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
      expect(loginForms(archive)).toHaveLength(1);
      asker.pass(1);
      await asker.fetchAsset();
      expect(loginForms(archive)).toHaveLength(2);
    },
  );
});

describe('a token that is no longer accepted', () => {
  it('is replaced once for all who met the 401, and their calls are repeated', async () => {
    const archive = await archiveWithAsset();
    const asker = askerOf(archive.url);
    await asker.fetchAsset();
    onlyAccept(archive, (token) => token !== 'token-1');
    const findings = await Promise.all(Array.from({ length: 10 }, () => asker.fetchAsset()));
    expect(findings.every(({ kind }) => kind === 'found')).toBe(true);
    expect(archive.logins).toBe(2);
  });

  it('is replaced also when all places are held by those who wait for its successor', async () => {
    const archive = await archiveWithAsset();
    const limiter = createCallLimiter({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now });
    const asker = askerOf(archive.url, { limiter });
    await asker.fetchAsset();
    // Refused at a call that no other of this look-up waits behind: the place goes to the next look-up, which still writes
    // something down while the first one wants to log in.
    let next: Promise<FetchResult> | undefined;
    archive.guard((token, path) => {
      if (token !== 'token-1' || !path.endsWith('/bitstreams/1')) return undefined;
      next ??= asker.fetchAsset(undefined, undefined, async () => {
        await new Promise((resolve) => setImmediate(resolve));
      });
      return 401;
    });
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    expect(await next).toMatchObject({ kind: 'found' });
    expect(archive.logins).toBe(2);
  });

  it('leaves the others alone where one asset refuses its successor too', async () => {
    const archive = await archiveWithAsset();
    archive.addFolder();
    const asker = askerOf(archive.url);
    await asker.fetchAsset({ kind: 'folder', id: folderId });
    archive.guard((_token, path) => (path.includes(assetId) ? 401 : undefined));
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'no-permission' });
    const beforeLogins = archive.logins;
    expect(await asker.fetchAsset({ kind: 'folder', id: folderId })).toMatchObject({ kind: 'found' });
    expect(archive.logins).toBe(beforeLogins);
  });

  it('is asked for again later where no new token is accepted for anything', async () => {
    const archive = await archiveWithAsset();
    onlyAccept(archive, () => false);
    const asker = askerOf(archive.url);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'no-permission' });
    expect(archive.logins).toBe(2);
    for (let tries = 0; tries < 3; tries += 1)
      expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'source-unavailable' });
    onlyAccept(archive, () => true);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
  });
});

describe('a refused login', () => {
  it.each([400, 401, 403])('(%i) is not tried again for a while, however many wait', async (code) => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, json({ success: false, message: 'login.failed' }, code));
    const asker = askerOf(archive.url);
    const refused = { kind: 'again', code: 'login-refused' };
    const findings = await Promise.all(Array.from({ length: 30 }, () => asker.fetchAsset()));
    for (const fetchResult of findings) expect(fetchResult).toMatchObject(refused);
    asker.pass(4_999);
    expect(await asker.fetchAsset()).toMatchObject(refused);
    expect(archive.seen).toHaveLength(1);
    asker.pass(1);
    expect(await asker.fetchAsset()).toMatchObject(refused);
    expect(archive.seen).toHaveLength(2);
  });

  it.each<[string, object, RegExp]>([
    ['user name', { settings: { SOURCE_ARCHIVE_USERNAME: '' } }, /SOURCE_ARCHIVE_USERNAME/],
    ['password', { password: undefined }, /SOURCE_ARCHIVE_PASSWORD.*source-archive-password/],
  ])('is what a missing %s is, without a call', async (_name, given, text) => {
    const archive = await archiveWithAsset();
    expect(await askerOf(archive.url, given).fetchAsset()).toEqual({
      kind: 'again',
      code: 'login-refused',
      text: expect.stringMatching(text) as string,
    });
    expect(archive.seen).toEqual([]);
  });
});

describe('a login that could not be tried', () => {
  it.each<[string, Parameters<StandIn['on']>[1], object]>([
    ['503', status(503, { 'retry-after': '7' }), { code: 'source-unavailable', retryAfterMs: 7_000 }],
    ['500', status(500), { code: 'source-unavailable' }],
    ['429', status(429, { 'retry-after': '7' }), { code: 'rate-limited', retryAfterMs: 7_000 }],
    ['404', status(404), { code: 'source-unavailable' }],
    ['a redirect', status(302, { location: '/elsewhere' }), { code: 'source-unavailable' }],
    ['a page', status(200, {}, '<html>'), { code: 'source-unavailable' }],
    ['no token', json({ success: true }), { code: 'source-unavailable' }],
    ['a token that breaks a header', json({ token: 'a\r\nb: c' }), { code: 'source-unavailable' }],
    ['100 KB', json({ token: 't', more: 'x'.repeat(100_000) }), { code: 'source-unavailable' }],
    ['silence', silence, { code: 'source-unavailable' }],
  ])('(%s) is no refused login, and is tried again', async (_name, respond, expected) => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, respond);
    const asker = askerOf(archive.url, { timeLimitMs: 1_000 });
    expect(await asker.fetchAsset()).toMatchObject(expected);
    archive.on(loginPath, json({ token: 'good' }));
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
  });
});

describe('the second factor', () => {
  const wants = (message: string, more: object = {}) =>
    json({ success: false, message, continuationToken: 'go on', tenant: 'ACME', ...more }, 401);
  const seconds = (archive: StandIn) =>
    archive.seen
      .filter(({ path }) => path === secondPath)
      .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

  it('is given from the seed', async () => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, wants('needs.2fa'));
    archive.on(secondPath, json({ success: true, token: 'after-both' }));
    const asker = askerOf(archive.url, { totpSeed: 'gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ', now: 59_000 });
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    expect(seconds(archive)).toEqual([
      {
        username: 'archivist@example.org',
        continuationToken: 'go on',
        tenant: 'ACME',
        twoFactorToken: '287082',
      },
    ]);
    expect(archive.seen.at(-1)?.headers['preservica-access-token']).toBe('after-both');
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['must be set up first', 'needs.2fa.setup', rfcSeed, /set up/],
    ['has no seed', 'needs.2fa', undefined, /SOURCE_ARCHIVE_TOTP_SEED.*source-archive-totp-seed/],
    ['has a seed that is none', 'needs.2fa', 'no seed: 0189!', /base 32.*SOURCE_ARCHIVE_TOTP_SEED/],
  ])('that %s is a refused login that says so', async (_name, message, totpSeed, text) => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, wants(message));
    const asker = askerOf(archive.url, totpSeed === undefined ? {} : { totpSeed });
    const refused = {
      kind: 'again',
      code: 'login-refused',
      text: expect.stringMatching(text) as string,
    };
    expect(await asker.fetchAsset()).toEqual(refused);
    expect(await asker.fetchAsset()).toEqual(refused);
    expect(archive.seen).toHaveLength(1);
  });

  it('that is wrong is a refused login', async () => {
    const archive = await archiveWithAsset();
    archive.on(loginPath, wants('needs.2fa'));
    archive.on(secondPath, json({ success: false }, 401));
    expect(await askerOf(archive.url, { totpSeed: rfcSeed }).fetchAsset()).toMatchObject({
      code: 'login-refused',
    });
  });
});

describe('secrets', () => {
  it('stand in no fetchResult and no log line', async () => {
    const secrets = ['open sesame', rfcSeed, 'tok-secret', 'go-on-secret', assetId];
    const archive = await archiveWithAsset();
    const written: string[] = [];
    const note = async (asker: ReturnType<typeof askerOf>) => {
      const fetchResult = await asker.fetchAsset();
      written.push(...asker.logged, JSON.stringify(fetchResult.kind === 'found' ? 'found' : fetchResult));
    };
    const asker = () => askerOf(archive.url, { totpSeed: rfcSeed });
    for (const code of [400, 401, 403, 404, 429, 500]) {
      archive.on(loginPath, status(code, {}, JSON.stringify({ message: secrets.join(' ') })));
      await note(asker());
    }
    archive.on(loginPath, json({ message: 'needs.2fa', continuationToken: 'go-on-secret' }, 401));
    archive.on(secondPath, status(401, {}, secrets.join(' ')));
    await note(asker());
    archive.on(loginPath, json({ token: 'tok-secret\n' }));
    await note(asker());
    archive.on(loginPath, json({ token: 'tok-secret' }));
    for (const code of [400, 401, 403, 429, 500]) {
      archive.on(home, status(code, {}, secrets.join(' ')));
      await note(asker());
    }
    expect(written).toHaveLength(13);
    for (const secret of secrets) expect(written.join('\n')).not.toContain(secret);
  });
});
