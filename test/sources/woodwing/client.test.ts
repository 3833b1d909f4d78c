import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { createCallLimiter } from '../../../src/pipeline/concurrency/call-limiter.ts';
import { AssetDetails } from '../../../src/pipeline/model/record.ts';
import type { FetchResult, FetchContext } from '../../../src/pipeline/ports/source-client.ts';
import {
  anEvent,
  askerOf,
  assetId,
  bytes,
  changeOf,
  found,
  json,
  libraryWithAsset,
  otherId,
  picture,
  silence,
  softError,
  standIn,
  status,
  type Respond,
  type StandIn,
} from './stand-in.ts';

const loginPath = '/services/apilogin';
const searchPath = '/services/search';
const thumbnailAt = `/thumbnail/${assetId}/*/harbour_thumb.jpg?_=1`;
const previewAt = `/preview/${assetId}/previews/m.jpg/*/harbour_preview.jpg?_=1`;
const minute = 60_000;

const onlyAccept = (library: StandIn, accepts: (token: string) => boolean, refuse = status(401)): void => {
  library.guard((token) => (accepts(token) ? undefined : refuse));
};
const fieldsAsked = (library: StandIn): string[] =>
  library.forms(searchPath).at(-1)?.['metadataToReturn']?.split(',') ?? [];

function detailsIn(fetchResult: FetchResult): AssetDetails {
  if (fetchResult.kind !== 'found' && fetchResult.kind !== 'deleted') throw new Error(fetchResult.kind);
  return AssetDetails.parse(fetchResult.details);
}

describe('the login', () => {
  it('is asked for by form, and its token goes with every call', async () => {
    const library = await libraryWithAsset();
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'found' });
    const [login, ...others] = library.seen;
    expect(login).toMatchObject({ method: 'POST', path: loginPath });
    expect(login?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(login?.headers).not.toHaveProperty('authorization');
    expect(library.forms(loginPath)).toEqual([{ username: 'kim@example.org', password: 'open & sesame+' }]);
    expect(others.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(others.map(({ path }) => path)).toEqual([searchPath, thumbnailAt]);
  });

  it('is one for many look-ups at once, and used until two thirds of half an hour', async () => {
    const library = await libraryWithAsset();
    const asker = askerOf(library.url);
    const many = async () => {
      const findings = await Promise.all(Array.from({ length: 20 }, () => asker.fetchAsset()));
      expect(findings.every(({ kind }) => kind === 'found')).toBe(true);
    };
    await many();
    expect(library.logins).toBe(1);
    asker.pass(20 * minute - 1);
    await many();
    expect(library.logins).toBe(1);
    asker.pass(1);
    await many();
    expect(library.logins).toBe(2);
    expect(library.seen.at(-1)?.headers.authorization).toBe('Bearer token-2');
  });

  it('that could not be renewed costs nothing while the old token may last', async () => {
    const library = await libraryWithAsset();
    const asker = askerOf(library.url);
    await asker.fetchAsset();
    library.on(loginPath, status(503));
    asker.pass(25 * minute);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    asker.pass(5 * minute);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'source-unavailable' });
  });

  it.each<[string, Respond]>([
    ['401', status(401)],
    ['401 inside of 200', softError(401)],
    ['401 as text inside of 200', softError('401')],
  ])('is made anew once for all whose token is answered %s', async (_name, refuse) => {
    const library = await libraryWithAsset();
    const asker = askerOf(library.url);
    await asker.fetchAsset();
    onlyAccept(library, (token) => token !== 'token-1', refuse);
    const findings = await Promise.all(Array.from({ length: 10 }, () => asker.fetchAsset()));
    expect(findings.every(({ kind }) => kind === 'found')).toBe(true);
    expect(library.logins).toBe(2);
  });

  it.each<[string, Respond]>([
    ['401', status(401)],
    ['401 inside of 200', softError(401)],
  ])('is made anew where only the picture is answered %s', async (_name, refuse) => {
    const library = await libraryWithAsset();
    library.guard((token, path) => (token === 'token-1' && path !== searchPath ? refuse : undefined));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({
      kind: 'found',
      thumbnail: { kind: 'bytes', bytes: picture },
    });
    expect(library.asked).toEqual([searchPath, thumbnailAt, thumbnailAt]);
    expect(library.logins).toBe(2);
  });

  it.each<[string, Respond]>([
    ['401', status(401)],
    ['401 inside of 200', softError(401)],
  ])('stops nobody else where an asset is answered %s with a new token too', async (_name, refuse) => {
    const library = await libraryWithAsset();
    onlyAccept(library, () => false, refuse);
    const asker = askerOf(library.url);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'no-permission' });
    expect(library.logins).toBe(2);
    onlyAccept(library, () => true);
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
    expect(library.logins).toBe(2);
  });

  it('is no reason to give assets up where no new token is accepted for anything', async () => {
    const library = await libraryWithAsset();
    onlyAccept(library, () => false, softError(401));
    const asker = askerOf(library.url);
    await asker.fetchAsset();
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'source-unavailable' });
  });
});

describe('a refused login', () => {
  const fault = { loginSuccess: false, serverVersion: '6.100.0.1', loginFaultMessage: 'made up' };

  it.each<[string, Respond]>([
    ['loginSuccess false', json(fault)],
    ['loginSuccess false beside a token', json({ ...fault, authToken: 'token' })],
    ['401', json(fault, 401)],
    ['403', status(403)],
    ['401 inside of 200', softError(401)],
  ])('(%s) is not tried again for a while, however many wait', async (_name, respond) => {
    const library = await libraryWithAsset();
    library.on(loginPath, respond);
    const asker = askerOf(library.url);
    const refused = { kind: 'again', code: 'login-refused' };
    const findings = await Promise.all(Array.from({ length: 30 }, () => asker.fetchAsset()));
    for (const fetchResult of findings) expect(fetchResult).toMatchObject(refused);
    asker.pass(4_999);
    expect(await asker.fetchAsset()).toMatchObject(refused);
    expect(library.seen).toHaveLength(1);
    asker.pass(1);
    expect(await asker.fetchAsset()).toMatchObject(refused);
    expect(library.seen).toHaveLength(2);
  });

  // Taken for no answer at all, it would let every waiting event knock again.
  it.each([null, '', 'no token'])('is one also where it holds the token %j', async (authToken) => {
    const library = await libraryWithAsset();
    library.on(loginPath, json({ ...fault, authToken }));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'again', code: 'login-refused' });
  });

  it.each<[string, object, RegExp]>([
    ['user name', { settings: { SOURCE_PHOTOS_USERNAME: '' } }, /SOURCE_PHOTOS_USERNAME/],
    ['password', { password: undefined }, /SOURCE_PHOTOS_PASSWORD.*source-photos-password/],
  ])('is what a missing %s is, without a call', async (_name, given, text) => {
    const library = await libraryWithAsset();
    expect(await askerOf(library.url, given).fetchAsset()).toEqual({
      kind: 'again',
      code: 'login-refused',
      text: expect.stringMatching(text) as string,
    });
    expect(library.seen).toEqual([]);
  });
});

describe('a login that could not be tried', () => {
  const good = { loginSuccess: true, authToken: 'good' };

  it.each<[string, Respond, object]>([
    ['503', status(503, { 'retry-after': '7' }), { code: 'source-unavailable', retryAfterMs: 7_000 }],
    [
      '503 inside of 200',
      softError(503, { 'retry-after': '7' }),
      { code: 'source-unavailable', retryAfterMs: 7_000 },
    ],
    ['429', status(429, { 'retry-after': '7' }), { code: 'rate-limited', retryAfterMs: 7_000 }],
    ['404', status(404), { code: 'source-unavailable' }],
    ['a redirect', status(302, { location: '/elsewhere' }), { code: 'source-unavailable' }],
    ['a page', status(200, {}, '<html>'), { code: 'source-unavailable' }],
    ['no token', json({ loginSuccess: true }), { code: 'source-unavailable' }],
    ['an empty token', json({ ...good, authToken: '' }), { code: 'source-unavailable' }],
    [
      'a token that breaks a header',
      json({ ...good, authToken: 'a\r\nb: c' }),
      { code: 'source-unavailable' },
    ],
    ['a success that is text', json({ ...good, loginSuccess: 'true' }), { code: 'source-unavailable' }],
    ['silence', silence, { code: 'source-unavailable' }],
  ])('(%s) is no refused login, and is tried again', async (_name, respond, expected) => {
    const library = await libraryWithAsset();
    library.on(loginPath, respond);
    const asker = askerOf(library.url, { timeLimitMs: 1_000 });
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', ...expected });
    library.on(loginPath, json(good));
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'found' });
  });

  // It is no answer about the asset, which no retry would cure.
  it('because its answer is larger than is taken is tried again', async () => {
    const library = await libraryWithAsset();
    library.on(loginPath, json({ ...good, more: 'x'.repeat(100_000) }));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({
      kind: 'again',
      code: 'source-unavailable',
    });
  });

  it('with a token of some kilobytes is a login', async () => {
    const library = await libraryWithAsset();
    const authToken = `eyJ.${'x'.repeat(8_000)}.y`;
    library.on(loginPath, json({ ...good, authToken }));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'found' });
    expect(library.seen.at(-1)?.headers.authorization).toBe(`Bearer ${authToken}`);
  });
});

describe('the search', () => {
  it('asks for the one asset by its quoted id, with the fields that are wanted', async () => {
    const library = await libraryWithAsset();
    const asker = askerOf(library.url, {
      settings: { SOURCE_PHOTOS_METADATA_FIELDS: 'cf_photographer, tags' },
    });
    await asker.fetchAsset({ event: changeOf({ cf_mood: 'calm', status: 'Final' }) });
    const [call] = library.seen.filter(({ path }) => path === searchPath);
    expect(call?.method).toBe('POST');
    expect(call?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(library.forms(searchPath)).toEqual([
      { q: `id:"${assetId}"`, num: '2', metadataToReturn: expect.any(String) as string },
    ]);
    expect(fieldsAsked(library)).toEqual(
      expect.arrayContaining([
        'name',
        'filename',
        'assetPath',
        'folderPath',
        'width',
        'height',
        'fileSize',
        'firstExtractedChecksum',
        'rating',
        'status',
        'previewState',
        'cf_photographer',
        'tags',
        'cf_mood',
      ]),
    );
    expect(fieldsAsked(library)).not.toContain('all');
    expect(new Set(fieldsAsked(library)).size).toBe(fieldsAsked(library).length);
  });

  it('asks for no field whose name could say something else, and for no more than some', async () => {
    const library = await libraryWithAsset();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`cf_${index}`, 'x']));
    const odd = { 'a,all': 'x', 'b c': 'x', '': 'x', é: 'x', ['x'.repeat(129)]: 'x', 'd&q=1': 'x' };
    await askerOf(library.url).fetchAsset({ event: changeOf({ ...odd, ...many }) });
    expect(fieldsAsked(library).every((name) => /^[A-Za-z0-9_.-]{1,128}$/.test(name))).toBe(true);
    expect(fieldsAsked(library).filter((name) => name.startsWith('cf_'))).toHaveLength(50);
    expect(library.forms(searchPath)[0]?.['q']).toBe(`id:"${assetId}"`);
  });

  it.each([
    ['absent', {}],
    ['null', { changedMetadata: null }],
    ['text', { changedMetadata: 'x' }],
    ['a list', { changedMetadata: [{ newValue: 1 }] }],
    ['of no values', { changedMetadata: { status: null, rating: 5, name: [], tags: {} } }],
  ])('does without changes that are %s', async (_name, data) => {
    const library = await libraryWithAsset();
    const fetchResult = await askerOf(library.url).fetchAsset({ event: anEvent({ data }) });
    expect(fetchResult).toMatchObject({ kind: 'found' });
    expect(fetchResult).not.toHaveProperty('behind');
  });

  const notVisible: [string, Respond][] = [
    ['no hit', found()],
    ['the hit of another asset', found({ id: otherId, metadata: {} })],
    ['the hit of an id that differs in case', found({ id: assetId.toLowerCase(), metadata: {} })],
    ['a total without hits', json({ totalHits: 1, hits: [] })],
  ];
  it.each(notVisible)(
    'that finds %s does not see the asset, which is no deletion',
    async (_name, respond) => {
      const library = await standIn();
      library.on(searchPath, respond);
      const fetchResult = await askerOf(library.url).fetchAsset();
      expect(fetchResult).toEqual({
        kind: 'not-visible',
        text: expect.stringMatching(/^WoodWing Assets does not show .{10,120}\.$/) as string,
      });
      expect(library.asked).toEqual([searchPath]);
    },
  );

  it('takes the asset’s own hit among others', async () => {
    const library = await libraryWithAsset();
    library.on(searchPath, found({ id: otherId, metadata: { filename: 'other.jpg' } }, library.hit()));
    expect(detailsIn(await askerOf(library.url).fetchAsset()).title).toBe('harbour.jpg');
  });

  it.each<[string, number, object]>([
    ['a bad question', 400, { kind: 'unreadable-answer' }],
    ['no permission', 403, { kind: 'no-permission' }],
    ['no such service', 404, { kind: 'unreadable-answer' }],
    ['a conflict', 409, { kind: 'unreadable-answer' }],
    ['a time-out of its own', 408, { kind: 'again', code: 'source-unavailable' }],
    ['too many', 429, { kind: 'again', code: 'rate-limited', retryAfterMs: 9_000 }],
    ['an error of its own', 500, { kind: 'again', code: 'source-unavailable', retryAfterMs: 9_000 }],
    ['a gateway’s error', 502, { kind: 'again', code: 'source-unavailable' }],
    ['not now', 503, { kind: 'again', code: 'source-unavailable', retryAfterMs: 9_000 }],
  ])('is answered with %s (%i), outside or inside', async (_name, code, expected) => {
    const library = await libraryWithAsset();
    const headers = { 'retry-after': '9' };
    const answers = [
      status(code, headers, `what ${assetId} is about`),
      json({ errorcode: code, message: assetId }, code, headers),
      softError(code, headers),
      softError(String(code), headers),
    ];
    for (const respond of answers) {
      library.on(searchPath, respond);
      const fetchResult = await askerOf(library.url).fetchAsset();
      expect(fetchResult).toMatchObject(expected);
      expect(fetchResult).toHaveProperty('text', expect.stringMatching(/^[A-Z].{10,120}\.$/));
      expect(JSON.stringify(fetchResult)).not.toContain(assetId);
    }
  });

  it.each<[string, unknown]>([
    ['none of HTTP', 7],
    ['no error', 200],
    ['below all', -1],
    ['digits', '503'],
  ])('is an error, even where its code is %s', async (_name, errorcode) => {
    const library = await libraryWithAsset();
    library.on(searchPath, json({ errorcode, message: 'x' }));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({
      kind: 'again',
      code: 'source-unavailable',
    });
  });

  it.each([null, false, '', 'none', {}])(
    'is no error where the code of one is %j, and its answer is taken',
    async (errorcode) => {
      const library = await libraryWithAsset();
      library.on(searchPath, json({ errorcode, hits: [library.hit()] }));
      expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'found' });
    },
  );

  it.each<[string, string]>([
    ['null', 'null'],
    ['a list', '[]'],
    ['no hits', '{"totalHits":0}'],
    ['hits that are text', '{"hits":"x"}'],
    ['a hit that is null', '{"hits":[null]}'],
    ['a hit without an id', '{"hits":[{"metadata":{}}]}'],
    ['an id that is a number', '{"hits":[{"id":5}]}'],
    ['a thousand and one hits', JSON.stringify({ hits: Array.from({ length: 1_001 }, () => ({ id: 'x' })) })],
    ['100,000 brackets', '['.repeat(100_000)],
    [
      '100,000 brackets in a hit',
      `{"hits":[{"id":"x","metadata":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}]}`,
    ],
  ])('that answers with %s cannot be read', async (_name, body) => {
    const library = await libraryWithAsset();
    library.on(searchPath, status(200, { 'content-type': 'application/json' }, body));
    expect(await askerOf(library.url).fetchAsset()).toEqual({
      kind: 'unreadable-answer',
      text: 'WoodWing Assets answered the search with something that is not as expected.',
    });
  });

  it.each<[string, Respond]>([
    ['nothing', bytes(Buffer.alloc(0), 'application/json')],
    ['half an answer', bytes(Buffer.from('{"totalHits":1,"hits":[{"id":'), 'application/json')],
    ['a page', status(200, { 'content-type': 'text/html' }, '<!doctype html><html><p>Sorry')],
    ['a page said to be JSON', status(200, { 'content-type': 'application/json' }, '\n<html><p>Sorry')],
    ['the page of a firewall', status(200, { 'content-type': 'text/html' }, 'Request rejected')],
    ['plain words', status(200, { 'content-type': 'text/plain' }, 'Down for maintenance')],
    ['a page of five megabytes', status(200, {}, '<html>'.padEnd(5_000_000, ' '))],
  ])('that answers with %s is asked again', async (_name, respond) => {
    const library = await libraryWithAsset();
    library.on(searchPath, respond);
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({
      kind: 'again',
      code: 'source-unavailable',
    });
  });

  it('is read where the server calls its JSON a page', async () => {
    const library = await libraryWithAsset();
    const answer = JSON.stringify({ hits: [library.hit()] });
    library.on(searchPath, status(200, { 'content-type': 'text/html' }, answer));
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'found' });
  });

  it('that answers with 200 MB is not read to its end', async () => {
    const library = await libraryWithAsset();
    const poured = new Promise<number>((resolve) => {
      library.on(searchPath, (_call, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        void pour(response, 200_000_000).then(resolve);
      });
    });
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({ kind: 'unreadable-answer' });
    expect(await poured).toBeLessThan(40_000_000);
  });

  it('that leads elsewhere is not followed', async () => {
    const [library, elsewhere] = [await libraryWithAsset(), await libraryWithAsset()];
    for (const code of [301, 302, 303, 307, 308]) {
      library.on(searchPath, status(code, { location: elsewhere.url + searchPath }));
      const fetchResult = await askerOf(library.url).fetchAsset();
      expect(fetchResult).toMatchObject({ kind: 'again', code: 'source-unavailable' });
      expect(fetchResult).toHaveProperty('text', expect.stringContaining('redirect'));
    }
    expect(elsewhere.seen).toEqual([]);
  });
});

/** Writes until so many bytes are out or the other side has hung up; answers how many it came to. */
function pour(response: ServerResponse, size: number): Promise<number> {
  const chunk = Buffer.alloc(65_536, ' ');
  return new Promise((resolve) => {
    let sent = 0;
    const more = (): void => {
      while (sent < size) {
        sent += chunk.byteLength;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    response.on('close', () => resolve(sent));
    more();
  });
}

describe('an asset that is removed', () => {
  const removal = anEvent({
    type: 'asset_remove',
    removal: true,
    data: { type: 'asset_remove', assetId, metadata: { filename: 'harbour.jpg', rating: { value: 3 } } },
  });
  const gone = { kind: 'deleted', details: { title: 'harbour.jpg', details: { rating: 3 } } };

  it.each([
    ['with a hit that is still there', true],
    ['without a hit', false],
  ])('is deleted by the event that says so, %s', async (_name, visible) => {
    const library = visible ? await libraryWithAsset() : await standIn();
    if (!visible) library.on(searchPath, found());
    const fetchResult = await askerOf(library.url).fetchAsset({ event: removal, removed: true });
    expect(fetchResult).toMatchObject(gone);
    expect(fetchResult).not.toHaveProperty('detailsMayBeOld');
    expect(library.seen).toEqual([]);
  });

  it('stays deleted where an older event comes late', async () => {
    const library = await libraryWithAsset();
    const late = { event: anEvent(), laterEventKnown: true, removed: true };
    expect(await askerOf(library.url).fetchAsset(late)).toMatchObject({
      kind: 'deleted',
      detailsMayBeOld: true,
    });
    expect(library.seen).toEqual([]);
  });

  it('is there again where a later event is known and the search shows it', async () => {
    const library = await libraryWithAsset({}, { filename: 'rescued.jpg' });
    const fetchResult = await askerOf(library.url).fetchAsset({ event: removal, laterEventKnown: true });
    expect(fetchResult).toMatchObject({ kind: 'found', details: { title: 'rescued.jpg' } });
  });

  it('is deleted where a later event is known and the search shows nothing', async () => {
    const library = await standIn();
    library.on(searchPath, found());
    const fetchResult = await askerOf(library.url).fetchAsset({ event: removal, laterEventKnown: true });
    expect(fetchResult).toMatchObject({ ...gone, detailsMayBeOld: true });
  });

  it.each([
    ['absent', {}],
    ['null', { metadata: null }],
    ['a list', { metadata: ['x'] }],
    ['text', { metadata: 'x' }],
  ])('is deleted also where what it was is %s', async (_name, data) => {
    const event = anEvent({ type: 'asset_remove', removal: true, data });
    const fetchResult = await askerOf('http://127.0.0.1:9').fetchAsset({ event, removed: true });
    expect(detailsIn(fetchResult)).toMatchObject({ kind: 'asset', title: null, fileCount: 0, files: [] });
  });
});

describe('the details', () => {
  const settings = {
    SOURCE_PHOTOS_PORTAL_URL: 'https://dam.example.org/app/',
    SOURCE_PHOTOS_METADATA_FIELDS: 'cf_photographer,cf_type,tags,cf_none',
  };
  const checksum = 'd41d8cd98f00b204e9800998ecf8427e';
  const metadata = {
    name: 'Harbour at night',
    description: 'Glass negative',
    width: 6_000,
    height: { value: 4_000, formatted: '4000 px' },
    fileSize: { value: 48_213, formatted: '47.08 KB' },
    firstExtractedChecksum: checksum,
    rating: 3,
    status: { value: 'Final' },
    assetCreated: { value: 1_767_225_602_000, formatted: '2026-01-01 01:00:02 +0100' },
    cf_photographer: 'Åsa',
    cf_type: { value: 'Content Image' },
    tags: ['sea', 'night'],
    cf_notAskedFor: 'x',
  };

  it('come from the hit', async () => {
    const library = await libraryWithAsset({}, metadata);
    expect(await askerOf(library.url, { settings }).fetchAsset()).toEqual({
      kind: 'found',
      details: {
        kind: 'asset',
        title: 'Harbour at night',
        description: 'Glass negative',
        parentId: '/Demo Zone',
        fileCount: 1,
        filesTruncated: false,
        files: [{ name: 'harbour.jpg', sizeBytes: 48_213, fixity: [{ algorithm: 'MD5', value: checksum }] }],
        links: { page: `https://dam.example.org/app/${assetId}` },
        details: {
          path: '/Demo Zone/harbour.jpg',
          width: 6_000,
          height: 4_000,
          sizeBytes: 48_213,
          checksum,
          rating: 3,
          status: 'Final',
          permissions: 'VPUM-----',
          metadata: {
            name: 'Harbour at night',
            filename: 'harbour.jpg',
            description: 'Glass negative',
            assetPath: '/Demo Zone/harbour.jpg',
            folderPath: '/Demo Zone',
            width: 6_000,
            height: 4_000,
            fileSize: 48_213,
            firstExtractedChecksum: checksum,
            rating: 3,
            status: 'Final',
            previewState: 'yes',
            assetCreated: 1_767_225_602_000,
            cf_photographer: 'Åsa',
            cf_type: 'Content Image',
            tags: ['sea', 'night'],
          },
        },
      },
      thumbnail: { kind: 'bytes', bytes: picture },
    });
  });

  it('have the digits of numbers that no double holds', async () => {
    const library = await libraryWithAsset();
    const answer = JSON.stringify({ hits: [library.hit({}, { rating: 5, width: 7 })] })
      .replace('"rating":5', '"rating":1234567890123456789')
      .replace('"width":7', '"width":1e400');
    library.on(searchPath, bytes(Buffer.from(answer), 'application/json'));
    expect(detailsIn(await askerOf(library.url).fetchAsset()).details).toMatchObject({
      rating: '1234567890123456789',
      width: '1e400',
    });
  });

  it('keep the blanks of a name and a description', async () => {
    const library = await libraryWithAsset({}, { name: ' harbour  at dawn ', description: ' a\n b ' });
    expect(detailsIn(await askerOf(library.url).fetchAsset())).toMatchObject({
      title: ' harbour  at dawn ',
      description: ' a\n b ',
    });
  });

  it('are null where there is no such thing', async () => {
    const library = await libraryWithAsset({ metadata: {}, permissions: undefined });
    expect(detailsIn(await askerOf(library.url).fetchAsset())).toEqual({
      kind: 'asset',
      title: null,
      description: null,
      parentId: null,
      fileCount: 0,
      filesTruncated: false,
      files: [],
      links: {},
      details: {
        path: null,
        width: null,
        height: null,
        sizeBytes: null,
        checksum: null,
        rating: null,
        status: null,
        permissions: null,
        metadata: {},
      },
    });
  });

  it.each<[string, object]>([
    ['of other types', { name: 5, filename: ['x'], folderPath: { value: 7 }, fileSize: 'big', width: null }],
    ['empty', { name: '', filename: '', folderPath: '', fileSize: -1, firstExtractedChecksum: '' }],
    ['null in a value', { name: { value: null }, filename: { value: null } }],
  ])('have no title and no file where the fields are %s', async (_name, fields) => {
    const library = await libraryWithAsset({ metadata: fields });
    expect(detailsIn(await askerOf(library.url).fetchAsset())).toMatchObject({
      title: null,
      parentId: null,
      files: [],
    });
  });

  it.each<[string, object]>([
    ['null', { metadata: null }],
    ['text', { metadata: 'x' }],
    ['a list', { metadata: ['x'] }],
    ['absent', { metadata: undefined }],
  ])('are there even if metadata is %s', async (_name, given) => {
    const library = await libraryWithAsset({ ...given, permissions: 5 });
    expect(detailsIn(await askerOf(library.url).fetchAsset())).toMatchObject({ title: null });
  });

  it('hold text that can be shown and kept', async () => {
    const odd = { name: `a\u0000\u001b${'x'.repeat(20_000)}`, folderPath: 'a\nb' };
    const library = await libraryWithAsset({}, odd);
    const details = detailsIn(await askerOf(library.url).fetchAsset());
    expect(details.title).toMatch(/^a\ufffd\ufffdx+$/);
    expect(details.title).toHaveLength(10_000);
    expect(details.parentId).toBe('a\ufffdb');
  });

  it('hold text that can be shown and kept in every member', async () => {
    const odd = 'a\u0000\u202eb\ud800';
    const fields = { status: odd, rating: odd, width: odd, cf_list: [odd, { [odd]: odd }], assetPath: odd };
    const library = await libraryWithAsset({ permissions: odd }, fields);
    const asker = askerOf(library.url, { settings: { SOURCE_PHOTOS_METADATA_FIELDS: 'cf_list' } });
    const { details } = detailsIn(await asker.fetchAsset());
    expect(JSON.stringify(details)).toContain('a\ufffd\ufffdb\ufffd');
    // A control character and half a character are written as escapes.
    expect(JSON.stringify(details)).not.toMatch(/\u202e|\\u/);
  });

  it('hold a description in its lines', async () => {
    const library = await libraryWithAsset({}, { description: 'a\r\nb\u2028c\u0000\u202ed' });
    expect(detailsIn(await askerOf(library.url).fetchAsset()).description).toBe('a\nb\nc\ufffd\ufffdd');
  });

  it.each([
    [32, 'MD5'],
    [40, 'SHA1'],
    [64, 'SHA256'],
    [128, 'SHA512'],
    [31, 'unknown'],
  ])('name a checksum of %i hex digits %s', async (length, algorithm) => {
    const library = await libraryWithAsset({}, { firstExtractedChecksum: 'a'.repeat(length) });
    const [file] = detailsIn(await askerOf(library.url).fetchAsset()).files ?? [];
    expect(file?.fixity).toEqual([{ algorithm, value: 'a'.repeat(length) }]);
  });

  it('link to where the setting puts the id', async () => {
    const library = await libraryWithAsset();
    const SOURCE_PHOTOS_PORTAL_URL = 'https://dam.example.org/#/id={id}&x';
    const asker = askerOf(library.url, { settings: { SOURCE_PHOTOS_PORTAL_URL } });
    expect(detailsIn(await asker.fetchAsset()).links).toEqual({
      page: `https://dam.example.org/#/id=${assetId}&x`,
    });
  });
});

/** As a server might read it that decodes once more than it should. */
function decoded(path: string): string {
  return path.replaceAll(/%([0-7][0-9a-f])/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

describe('the picture', () => {
  /** What became of the picture, and which addresses were asked for it. */
  async function pictureOf(
    library: StandIn,
    given: Parameters<typeof askerOf>[1] = {},
  ): Promise<{ asked: string[]; thumbnail: unknown }> {
    const fetchResult = await askerOf(library.url, given).fetchAsset();
    return {
      asked: library.asked.filter((path) => !path.endsWith(searchPath)),
      thumbnail: fetchResult.kind === 'found' ? fetchResult.thumbnail : fetchResult,
    };
  }
  const taken = { kind: 'bytes', bytes: picture };

  it.each<[string | undefined, object, string]>([
    [undefined, {}, thumbnailAt],
    ['small', {}, thumbnailAt],
    ['medium', {}, previewAt],
    ['large', {}, previewAt],
    [undefined, { thumbnailUrl: undefined }, previewAt],
    ['large', { previewUrl: undefined }, thumbnailAt],
    [undefined, { thumbnailUrl: undefined, previewUrl: undefined }, `/api/asset/${assetId}/thumbnail`],
    ['large', { thumbnailUrl: undefined, previewUrl: undefined }, `/preview/${assetId}`],
    [undefined, { thumbnailUrl: 5, previewUrl: null }, `/api/asset/${assetId}/thumbnail`],
  ])('of the size %s is asked for at the hit’s own address: %j', async (size, given, expected) => {
    const library = await libraryWithAsset(given);
    const settings: Record<string, string> = size === undefined ? {} : { SOURCE_PHOTOS_THUMBNAIL_SIZE: size };
    expect(await pictureOf(library, { settings })).toEqual({ asked: [expected], thumbnail: taken });
  });

  it.each([
    ['encoded twice', '/app/preview/x/*/a%2520b%252Fc_preview.jpg?_=1&x=%2526'],
    ['encoded once', '/app/thumbnail/x/*/a%20b%2Fc.jpg?_=1'],
    ['with a pipe and a plus', '/app/thumbnail/x/*/a+b%7C.jpg?a=b+c'],
    ['with an empty query', '/app/thumbnail/x?'],
    ['with dots and a semicolon in a name', '/app/thumbnail/x/*/..harbour..;v2..jpg?x=/../'],
  ])('is asked for as it stands where the address is %s', async (_name, path) => {
    const library = await standIn({ home: '/app' });
    library.addAsset({ thumbnailUrl: library.origin + path });
    const { asked } = await pictureOf(library);
    expect(asked).toEqual([path]);
  });

  it('is asked for by id, below a base that has a path, where the hit names no address', async () => {
    const library = await standIn({ home: '/app' });
    library.addAsset({ thumbnailUrl: undefined, previewUrl: undefined });
    expect(await pictureOf(library)).toEqual({
      asked: [`/app/api/asset/${assetId}/thumbnail`],
      thumbnail: taken,
    });
    expect(library.seen.every(({ path }) => path.startsWith('/app/'))).toBe(true);
  });

  it.each<[string, (origin: string, elsewhere: string) => string]>([
    ['another port', (_origin, elsewhere) => `${elsewhere}/thumbnail/x`],
    ['another host', (origin) => `${origin.replace('127.0.0.1', 'localhost')}/thumbnail/x`],
    ['another scheme', (origin) => `${origin.replace('http:', 'https:')}/thumbnail/x`],
    ['a user', (origin) => `${origin.replace('//', '//kim@')}/thumbnail/x`],
    ['a user and a password', (origin) => `${origin.replace('//', '//kim:sesame@')}/thumbnail/x`],
    ['our origin as the user', (origin, elsewhere) => `${origin}@${elsewhere.slice(7)}/thumbnail/x`],
    ['our origin as the start of a host', (origin) => `${origin}.example.org/thumbnail/x`],
    ['no scheme', (_origin, elsewhere) => `${elsewhere.slice(5)}/thumbnail/x`],
    ['backslashes', (_origin, elsewhere) => `\\\\${elsewhere.slice(7)}/thumbnail/x`],
    ['a script', () => 'javascript:alert(1)'],
    ['data', () => 'data:image/png;base64,AAAA'],
    ['a file', () => 'file:///etc/hosts'],
    ['no address', () => 'http://['],
    ['an endless address', (origin) => `${origin}/thumbnail/${'x'.repeat(9_000)}`],
  ])('is asked for by id where the hit names an address with %s', async (_name, addressOf) => {
    const [library, elsewhere] = [await standIn({ home: '/app' }), await standIn()];
    const address = addressOf(library.origin, elsewhere.origin);
    library.addAsset({ thumbnailUrl: address, previewUrl: address });
    expect(await pictureOf(library)).toEqual({
      asked: [`/app/api/asset/${assetId}/thumbnail`],
      thumbnail: taken,
    });
    expect(elsewhere.seen).toEqual([]);
  });

  it.each([
    '/elsewhere/x.jpg',
    '/app',
    '/appendix/x.jpg',
    '/app/../elsewhere/x.jpg',
    '/app/%2e%2e/elsewhere/x.jpg',
    '/app/.%2E/elsewhere/x.jpg',
    '/app/thumbnail/..%2f..%2felsewhere/x.jpg',
    '/app/thumbnail/%2e%2e%2f%2e%2e%2felsewhere/x.jpg',
    '/app/%252e%252e/elsewhere/x.jpg',
    '/app/%25252e%25252e/elsewhere/x.jpg',
    `/app/%${'25'.repeat(200)}2e%${'25'.repeat(200)}2e/elsewhere/x.jpg`,
    '/app/..%5celsewhere/x.jpg',
    '/app/%2e%2e%5celsewhere/x.jpg',
    '/app/..%255celsewhere/x.jpg',
    '\\app\\..\\elsewhere\\x.jpg',
    '/app/..;/elsewhere/x.jpg',
    '/app/..;a=b/elsewhere/x.jpg',
    '/app/..%3b/elsewhere/x.jpg',
    '/app/%2e%2e;/elsewhere/x.jpg',
    '/app/%2e%2e%253ba/elsewhere/x.jpg',
    '/app/.%09./elsewhere/x.jpg',
    '/app/..%00/elsewhere/x.jpg',
    '/app/..%20/elsewhere/x.jpg',
    '/app/%c0%ae%c0%ae/elsewhere/x.jpg',
    '/app/%c0%ae%c0%ae%c0%afelsewhere/x.jpg',
  ])('is asked for by id where the address leads, or could lead, out of the base: %s', async (path) => {
    const library = await standIn({ home: '/app' });
    library.addAsset({ thumbnailUrl: library.origin + path, previewUrl: path });
    expect(await pictureOf(library)).toEqual({
      asked: [`/app/api/asset/${assetId}/thumbnail`],
      thumbnail: taken,
    });
  });

  it('is never asked for outside of the base, whatever the address', async () => {
    const library = await standIn({ home: '/app' });
    const asker = askerOf(library.url);
    const dots = fc.constantFrom('..', '.', '%2e', '%2E', '%252e', '%c0%ae', '\u2024', '\uff0e');
    const ends = fc.constantFrom(
      '/',
      '\\',
      '%2f',
      '%5c',
      ';',
      '%3b',
      '?',
      '#',
      '//',
      '@',
      ':',
      library.origin,
    );
    const piece = fc.oneof(dots, ends, fc.constantFrom('app', '*', 'x', '%09', '%', '25', '\t', '\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        library.addAsset({ thumbnailUrl: `${library.origin}/app/${pieces.join('')}` });
        await asker.fetchAsset();
        const { path = '' } = library.seen.at(-1) ?? {};
        expect(path).toMatch(/^\/app\//);
        const read = [0, 1, 2, 3].reduce(decoded, path.split('?')[0] ?? '');
        expect(read).not.toMatch(/[/\\]\.{1,2}(?:[/\\;]|$)/);
      }),
      { numRuns: 300 },
    );
  });

  // The origin of a blob's address is the one inside, so that it would pass for ours; nothing can be fetched there.
  it('is asked for by id where the hit names an address with a blob', async () => {
    const library = await standIn();
    library.addAsset({ thumbnailUrl: `blob:${library.origin}/thumbnail/x` });
    expect(await pictureOf(library)).toEqual({
      asked: [`/api/asset/${assetId}/thumbnail`],
      thumbnail: taken,
    });
  });

  describe.each([
    ['small', [`/api/asset/${assetId}/thumbnail`, `/thumbnail/${assetId}`]],
    ['large', [`/preview/${assetId}`, `/api/asset/${assetId}/preview`]],
  ] as const)('of the size %s, asked for by id', (size, [first, second]) => {
    const answeredWith = async (atFirst: Respond, atSecond: Respond) => {
      const library = await libraryWithAsset({ thumbnailUrl: undefined, previewUrl: undefined });
      library.on(first, atFirst);
      library.on(second, atSecond);
      return await pictureOf(library, { settings: { SOURCE_PHOTOS_THUMBNAIL_SIZE: size } });
    };

    it.each([403, 404])('is asked for at the other address where the first one says %i', async (code) => {
      for (const refuse of [status(code), softError(code)])
        expect(await answeredWith(refuse, bytes(picture))).toEqual({
          asked: [first, second],
          thumbnail: taken,
        });
    });

    it.each<[string, Respond, object]>([
      ['404', status(404), { kind: 'none' }],
      ['409', status(409), { kind: 'pending' }],
      ['503', status(503), { kind: 'pending' }],
    ])(
      'is what the other address says (%s) where the first one says 404',
      async (_name, respond, expected) => {
        expect((await answeredWith(status(404), respond)).thumbnail).toMatchObject(expected);
      },
    );

    it('is not asked for elsewhere where the first one says that it is not made yet', async () => {
      expect(await answeredWith(status(409), bytes(picture))).toEqual({
        asked: [first],
        thumbnail: { kind: 'pending' },
      });
    });
  });

  it.each<[string, Respond, unknown]>([
    ['404', status(404), { kind: 'none' }],
    ['404 inside of 200', softError(404), { kind: 'none' }],
    ['409', status(409), { kind: 'pending' }],
    ['409 inside of 200', softError(409), { kind: 'pending' }],
    [
      'bytes that begin like JSON',
      bytes(Buffer.from('{"a":1}')),
      { kind: 'bytes', bytes: Buffer.from('{"a":1}') },
    ],
    ['no bytes', bytes(Buffer.alloc(0)), { kind: 'bytes', bytes: Buffer.alloc(0) }],
  ])('that is answered with %s is a fetchResult', async (_name, respond, expected) => {
    const library = await libraryWithAsset();
    library.on(thumbnailAt, respond);
    expect((await pictureOf(library)).thumbnail).toEqual(expected);
  });

  it.each<[number, string, object | undefined]>([
    [400, 'none', undefined],
    [401, 'none', undefined],
    [403, 'none', undefined],
    [410, 'none', undefined],
    [429, 'pending', { code: 'rate-limited', retryAfterMs: 9_000 }],
    [500, 'pending', { code: 'source-unavailable', retryAfterMs: 9_000 }],
    [503, 'pending', { code: 'source-unavailable', retryAfterMs: 9_000 }],
  ])('that is answered with %i, also in place of bytes, costs no record', async (code, kind, unfinished) => {
    for (const respond of [status(code, { 'retry-after': '9' }), softError(code, { 'retry-after': '9' })]) {
      const library = await libraryWithAsset();
      library.on(thumbnailAt, respond);
      const fetchResult = await askerOf(library.url).fetchAsset();
      expect(fetchResult).toMatchObject({ kind: 'found', thumbnail: { kind } });
      expect(detailsIn(fetchResult).details['incomplete']).toEqual([
        { part: 'thumbnail', why: `WoodWing Assets answered ${code}.` },
      ]);
      if (unfinished === undefined) expect(fetchResult).not.toHaveProperty('unfinished');
      else expect(fetchResult).toHaveProperty('unfinished', expect.objectContaining(unfinished));
    }
  });

  it.each<[string, Respond, RegExp, string]>([
    ['no content', status(204), /answered 204/, 'none'],
    ['a redirect', status(302, { location: '/login' }), /redirect/, 'pending'],
    ['a page', bytes(Buffer.from('<!doctype html><html>'), 'text/html'), /page for people/, 'pending'],
  ])('in place of which comes %s costs no record', async (_name, respond, why, kind) => {
    const library = await libraryWithAsset();
    library.on(thumbnailAt, respond);
    const fetchResult = await askerOf(library.url).fetchAsset();
    expect(fetchResult).toMatchObject({ kind: 'found', thumbnail: { kind } });
    expect(detailsIn(fetchResult).details['incomplete']).toEqual([
      { part: 'thumbnail', why: expect.stringMatching(why) as string },
    ]);
  });

  it.each(['no', 'pending', 'error', ''])(
    'whose state is %j and which has no address is not asked for yet',
    async (previewState) => {
      for (const state of [previewState, { value: previewState }]) {
        const library = await libraryWithAsset(
          { thumbnailUrl: undefined, previewUrl: undefined },
          { previewState: state },
        );
        expect(await pictureOf(library)).toEqual({ asked: [], thumbnail: { kind: 'pending' } });
      }
    },
  );

  it.each<[string, object, object]>([
    ['made', { thumbnailUrl: undefined, previewUrl: undefined }, { previewState: { value: 'yes' } }],
    [
      'not said to be made or not',
      { thumbnailUrl: undefined, previewUrl: undefined },
      { previewState: undefined },
    ],
    ['not made but has an address', {}, { previewState: 'no' }],
  ])('that is %s is asked for', async (_name, given, metadata) => {
    const library = await libraryWithAsset(given, metadata);
    expect((await pictureOf(library)).thumbnail).toEqual(taken);
  });

  it('is taken up to the limit, and too large beyond it, whether it says so or not', async () => {
    const library = await libraryWithAsset();
    const exactly = Buffer.alloc(1_000, 1);
    const limit = { maxThumbnailBytes: 1_000 };
    library.on(thumbnailAt, bytes(exactly));
    expect((await pictureOf(library, limit)).thumbnail).toEqual({ kind: 'bytes', bytes: exactly });
    library.on(thumbnailAt, bytes(Buffer.alloc(1_001)));
    expect((await pictureOf(library, limit)).thumbnail).toEqual({ kind: 'too-large' });
    const poured = new Promise<number>((resolve) => {
      library.on(thumbnailAt, (_call, response) => {
        response.writeHead(200);
        void pour(response, 100_000_000).then(resolve);
      });
    });
    expect((await pictureOf(library, limit)).thumbnail).toEqual({ kind: 'too-large' });
    expect(await poured).toBeLessThan(40_000_000);
  });

  it.each<[string, Buffer]>([
    ['a PNG', PNG.sync.write(new PNG({ width: 30, height: 20 }))],
    ['a JPEG', Buffer.from(`ffd8ffe00004ffd9ffda0002${'ab'.repeat(100)}ffd9`, 'hex')],
    ['a GIF', Buffer.from(`GIF89a\u0001\u0000\u0001\u0000${'a'.repeat(100)};`, 'latin1')],
    ['a WebP', Buffer.from(`RIFF\u0068\u0000\u0000\u0000WEBP${'a'.repeat(100)}`, 'latin1')],
  ])('is taken where it is whole, and asked for again where it breaks off: %s', async (_name, whole) => {
    const library = await libraryWithAsset();
    library.on(thumbnailAt, bytes(whole));
    expect((await pictureOf(library)).thumbnail).toEqual({ kind: 'bytes', bytes: whole });
    for (const length of [whole.byteLength - 3, Math.ceil(whole.byteLength / 2) + 4]) {
      library.on(thumbnailAt, bytes(whole.subarray(0, length)));
      expect((await pictureOf(library)).thumbnail).toEqual({ kind: 'pending' });
    }
  });

  it('that leads elsewhere is not followed', async () => {
    const [library, elsewhere] = [await libraryWithAsset(), await libraryWithAsset()];
    for (const location of [elsewhere.url + thumbnailAt, `/thumbnail/${assetId}`]) {
      library.on(thumbnailAt, status(302, { location }));
      expect((await pictureOf(library)).thumbnail).toEqual({ kind: 'pending' });
    }
    expect(elsewhere.seen).toEqual([]);
    expect(library.asked).not.toContain(`/thumbnail/${assetId}`);
  });
});

describe('an index that is behind the event', () => {
  const fetchAsset = async (
    newValues: Record<string, unknown>,
    metadata: object,
    context: Partial<FetchContext> = {},
  ) => {
    const library = await libraryWithAsset({}, metadata);
    const fetchResult = await askerOf(library.url).fetchAsset({ event: changeOf(newValues), ...context });
    expect(fetchResult).toMatchObject({ kind: 'found', thumbnail: { kind: 'bytes' } });
    return fetchResult.kind === 'found' ? fetchResult.behind : undefined;
  };

  it.each<[string, Record<string, unknown>, object]>([
    ['other text', { status: 'Final' }, { status: 'Production' }],
    ['another number', { rating: 5 }, { rating: 4 }],
    ['another truth', { cf_done: true }, { cf_done: false }],
    ['another value inside', { status: 'Final' }, { status: { value: 'Production', formatted: 'Final' } }],
    ['text where it was emptied', { status: null }, { status: 'Production' }],
    ['nothing where there is text now', { status: 'Final' }, { status: null }],
    ['a value that it leaves out', { rating: 5 }, {}],
    ['a list that it leaves out', { tags: ['sea'] }, {}],
    ['a list with less', { tags: ['sea', 'night'] }, { tags: ['sea'] }],
    ['a list with others', { tags: ['sea', 'night'] }, { tags: ['sea', 'day'] }],
    ['a list where it was emptied', { tags: [] }, { tags: { value: ['sea'] } }],
    ['a name that every object has', { constructor: 'x' }, {}],
    ['an old value of the second field', { status: 'Final', rating: 5 }, { status: 'Final', rating: 4 }],
    ['text in another case', { status: 'Final' }, { status: 'final' }],
  ])('is seen by %s', async (_name, newValues, metadata) => {
    expect(await fetchAsset(newValues, metadata)).toMatch(
      /^WoodWing Assets still tells of (status|rating|cf_done|tags|constructor) /,
    );
  });

  it.each<[string, Record<string, unknown>, object]>([
    ['equal', { status: 'Final', rating: 5 }, { status: 'Final', rating: 5 }],
    ['a number and text', { rating: 5, cf_count: '7' }, { rating: '5', cf_count: 7 }],
    ['the same inside of a value', { status: 'Final' }, { status: { value: 'Final', formatted: 'final' } }],
    ['the same inside of both', { status: { value: 'Final' } }, { status: { value: 'Final' } }],
    ['empty and null', { status: null, cf_a: '' }, { status: '', cf_a: null }],
    ['emptied, and left out', { status: null, cf_a: '', tags: [] }, {}],
    ['the same list', { tags: ['sea', 'night'] }, { tags: { value: ['sea', 'night'] } }],
    ['an empty list and null', { tags: [], cf_tags: null }, { tags: null, cf_tags: [] }],
    ['a list in the hit alone, which cannot be compared', { tags: 'sea' }, { tags: ['sea'] }],
    ['lists in another order', { tags: ['sea', 'night'] }, { tags: ['night', 'sea'] }],
    ['lists with repetitions', { tags: ['sea', 'sea', 'night'] }, { tags: ['night', 'sea'] }],
    ['lists of numbers and of text', { tags: [1, 2] }, { tags: ['2', '1'] }],
    ['composed and decomposed', { status: 'caf\u00e9' }, { status: 'cafe\u0301' }],
    ['lists of both forms', { tags: ['caf\u00e9', 'x'] }, { tags: ['x', 'cafe\u0301'] }],
    ['an object without a value', { cf_x: { a: 1 } }, { cf_x: 'x' }],
  ])('is not seen where the fields are %s', async (_name, newValues, metadata) => {
    expect(await fetchAsset(newValues, metadata)).toBeUndefined();
  });

  it('is not looked for where a later event is known, whose values they may be', async () => {
    const later = { laterEventKnown: true };
    expect(await fetchAsset({ status: 'Final' }, { status: 'Production' }, later)).toBeUndefined();
    const library = await libraryWithAsset();
    await askerOf(library.url).fetchAsset({ event: changeOf({ cf_mood: 'calm' }), ...later });
    expect(fieldsAsked(library)).not.toContain('cf_mood');
  });

  it('shows no value of either side', async () => {
    const behind = await fetchAsset({ status: 'secret-new' }, { status: 'secret-old' });
    expect(behind).toBe('WoodWing Assets still tells of status what it was before this event.');
  });
});

describe('a library that does not answer', () => {
  it('with the whole picture is left after the time limit, and its record is kept', async () => {
    const library = await libraryWithAsset();
    library.on(thumbnailAt, (_call, response) => {
      response.writeHead(200).write('x');
    });
    expect(await askerOf(library.url, { timeLimitMs: 200 }).fetchAsset()).toMatchObject({
      kind: 'found',
      thumbnail: { kind: 'pending' },
      unfinished: { text: 'WoodWing Assets did not answer within 0.2 seconds.' },
    });
  });

  it.each<[string, string, Respond]>([
    ['at all', searchPath, silence],
    [
      'the search to its end',
      searchPath,
      (_call, response) => {
        response.writeHead(200).write('{');
      },
    ],
  ])('%s is left after the time limit', async (_name, path, respond) => {
    const library = await libraryWithAsset();
    library.on(path, respond);
    expect(await askerOf(library.url, { timeLimitMs: 200 }).fetchAsset()).toEqual({
      kind: 'again',
      code: 'source-unavailable',
      text: 'WoodWing Assets did not answer within 0.2 seconds.',
    });
  });

  it('because nobody listens there is said with its reason', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await askerOf(`http://127.0.0.1:${port}`).fetchAsset()).toEqual({
      kind: 'again',
      code: 'source-unavailable',
      text: 'The connection to WoodWing Assets failed or broke off (ECONNREFUSED).',
    });
  });

  it.each<[string, Respond]>([
    [
      'a stream that is cut',
      (_call, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"hits"');
        setImmediate(() => response.destroy());
      },
    ],
    ['a connection that is cut', (_call, response) => void response.destroy()],
  ])('but with %s is asked again', async (_name, respond) => {
    const library = await libraryWithAsset();
    library.on(searchPath, respond);
    expect(await askerOf(library.url).fetchAsset()).toMatchObject({
      kind: 'again',
      code: 'source-unavailable',
    });
  });
});

describe('a look-up', () => {
  it('ends while a call is under way where it is stopped', async () => {
    const library = await libraryWithAsset();
    const stop = new AbortController();
    library.on(searchPath, () => stop.abort());
    expect(await askerOf(library.url).fetchAsset({}, stop.signal)).toMatchObject({ kind: 'again' });
  });

  it('asks nothing where it was stopped before it began', async () => {
    const library = await libraryWithAsset();
    expect(await askerOf(library.url).fetchAsset({}, AbortSignal.abort())).toMatchObject({ kind: 'again' });
    expect(library.seen).toEqual([]);
  });

  it.each([
    ['the login', loginPath],
    ['the search', searchPath],
    ['the picture', thumbnailAt],
  ])('takes a place at the limiter for %s', async (_name, path) => {
    const library = await libraryWithAsset();
    const reached = new Promise<void>((resolve) => library.on(path, () => resolve()));
    const limiter = createCallLimiter({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now });
    const looking = askerOf(library.url, { limiter, timeLimitMs: 500 }).fetchAsset();
    await reached;
    expect(await limiter.acquire(100)).toBeUndefined();
    await looking;
  });

  it('beside others comes to its end where only one call at a time is allowed', async () => {
    const library = await libraryWithAsset();
    const limiter = createCallLimiter({ maxAtOnce: 1, maxPerSecond: 0, now: Date.now });
    const [one, other] = [askerOf(library.url, { limiter }), askerOf(library.url, { limiter })];
    const findings = await Promise.all([one, other, one, other].map((asker) => asker.fetchAsset()));
    expect(findings.map(({ kind }) => kind)).toEqual(['found', 'found', 'found', 'found']);
  });

  it('writes no secret into a fetchResult or a log line', async () => {
    const secrets = ['open & sesame+', 'tok-secret', assetId, 'kim@example.org'];
    const library = await libraryWithAsset();
    const written: string[] = [];
    const note = async () => {
      const asker = askerOf(library.url);
      const fetchResult = await asker.fetchAsset();
      written.push(...asker.logged, JSON.stringify(fetchResult.kind === 'found' ? 'found' : fetchResult));
    };
    for (const code of [400, 401, 403, 404, 429, 500]) {
      library.on(loginPath, status(code, {}, secrets.join(' ')));
      await note();
      library.on(loginPath, json({ errorcode: code, message: secrets.join(' ') }));
      await note();
    }
    library.on(loginPath, json({ loginSuccess: false, loginFaultMessage: secrets.join(' ') }));
    await note();
    library.on(loginPath, json({ loginSuccess: true, authToken: 'tok-secret\n' }));
    await note();
    library.on(loginPath, json({ loginSuccess: true, authToken: 'tok-secret' }));
    for (const code of [400, 401, 403, 429, 500]) {
      for (const path of [searchPath, thumbnailAt]) {
        library.addAsset();
        library.on(path, status(code, {}, secrets.join(' ')));
        await note();
      }
    }
    expect(written).toHaveLength(24);
    for (const secret of secrets) expect(written.join('\n')).not.toContain(secret);
  });

  it('never throws, whatever bytes come with whatever status', async () => {
    const library = await libraryWithAsset();
    const good = JSON.stringify({ hits: [library.hit()] });
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
      fc.string({ unit: 'binary' }).map((each) => Buffer.from(each)),
      fc.json().map((each) => Buffer.from(each)),
      fc
        .dictionary(
          fc.constantFrom('errorcode', 'hits', 'id', 'loginSuccess', 'authToken', 'metadata'),
          fc.oneof(fc.jsonValue(), fc.constantFrom(401, 409, true, 'token', [{ id: assetId }])),
        )
        .map((each) => Buffer.from(JSON.stringify(each))),
      fc.tuple(fc.nat(good.length), fc.string()).map(([cut, more]) => Buffer.from(good.slice(0, cut) + more)),
      fc
        .record({ metadata: fc.jsonValue(), thumbnailUrl: fc.jsonValue(), previewUrl: fc.webUrl() })
        .map((each) => Buffer.from(JSON.stringify({ hits: [{ ...each, id: assetId }] }))),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(loginPath, searchPath, searchPath, thumbnailAt),
        fc.constantFrom(200, 200, 200, 201, 204, 206, 300, 304, 400, 401, 403, 404, 409, 418, 429, 500, 599),
        body,
        async (path, code, given) => {
          library.addAsset();
          library.on(loginPath, json({ loginSuccess: true, authToken: 't' }));
          library.on(path, (_call, response) => void response.writeHead(code).end(given));
          const asker = askerOf(library.url);
          const fetchResult = await asker.fetchAsset({ event: changeOf({ status: 'Final' }) });
          expect(['found', 'not-visible', 'no-permission', 'unreadable-answer', 'again']).toContain(
            fetchResult.kind,
          );
          expect(asker.logged).toEqual([]);
          if (fetchResult.kind === 'found')
            AssetDetails.parse(JSON.parse(JSON.stringify(fetchResult.details)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
