import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AssetDetails } from '../../../src/pipeline/model/record.ts';
import {
  askerOf,
  assetId,
  bitstreamDocument,
  bytes,
  contentObjectId,
  document,
  entityDocument,
  expectedFragment,
  folderId,
  generationDocument,
  generationsDocument,
  home,
  identifiersDocument,
  representationDocument,
  silence,
  standIn,
  status,
  thumbnailPath,
  watchedGate,
  xml,
  type AskerGiven,
  type Respond,
  type StandIn,
} from './stand-in.ts';

const generations = `/api/entity/content-objects/${contentObjectId(1)}/generations`;

async function archiveWithAsset(...given: Parameters<Awaited<ReturnType<typeof standIn>>['addAsset']>) {
  const archive = await standIn();
  archive.addAsset(...given);
  return archive;
}

function foundDetails(fetchResult: { kind: string; details?: AssetDetails }): AssetDetails {
  expect(fetchResult).toMatchObject({ kind: 'found' });
  return AssetDetails.parse(fetchResult.details);
}

/** What a record would say is missing, and why it is worth asking again. */
async function missingOf(archive: StandIn, given: AskerGiven = {}) {
  const fetchResult = await askerOf(archive.url, given).fetchAsset();
  const { incomplete } = foundDetails(fetchResult).details;
  return { incomplete, ...(fetchResult.kind === 'found' ? { unfinished: fetchResult.unfinished } : {}) };
}

describe('a look-up of an asset', () => {
  it('finds its details and thumbnail with one login and eight calls', async () => {
    const archive = await archiveWithAsset();
    expect(await askerOf(archive.url).fetchAsset()).toEqual({
      kind: 'found',
      details: {
        kind: 'asset',
        title: 'Harbour & quay, looking north',
        description: 'Glass negative',
        parentId: folderId,
        securityTag: 'open',
        identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
        fileCount: 1,
        filesTruncated: false,
        files: [
          {
            name: 'page-1-1.tif',
            representation: 'Preservation',
            sizeBytes: 1_048_576,
            fixity: [{ algorithm: 'SHA256', value: 'e3b0' }],
          },
        ],
        links: { page: `https://portal.example.org/uncategorized/IO_${assetId}` },
        details: {
          entityType: 'IO',
          customType: 'Photograph',
          metadata: [expectedFragment],
          representations: [{ type: 'Preservation', name: 'Preservation-1', contentObjects: 1 }],
        },
      },
      thumbnail: { kind: 'bytes', bytes: Buffer.from('a picture') },
    });
    expect(archive.asked).toHaveLength(8);
    expect(archive.logins).toBe(1);
  });

  it('takes twelve calls with a Preservation and an Access representation, and lists others', async () => {
    const archive = await archiveWithAsset({
      representations: [
        { type: 'Physical', contentObjects: [] },
        { type: 'Access', contentObjects: [1] },
        { type: 'Preservation', contentObjects: [1] },
      ],
    });
    const details = foundDetails(await askerOf(archive.url).fetchAsset());
    expect(archive.asked).toHaveLength(12);
    expect(details.files?.map(({ name, representation }) => [name, representation])).toEqual([
      ['page-2-1.tif', 'Preservation'],
      ['page-1-1.tif', 'Access'],
    ]);
    expect(details.details['representations']).toEqual([
      { type: 'Physical', name: 'Physical-1' },
      { type: 'Access', name: 'Access-1', contentObjects: 1 },
      { type: 'Preservation', name: 'Preservation-1', contentObjects: 1 },
    ]);
  });

  it('sends the token, and asks for what it can read', async () => {
    const archive = await archiveWithAsset();
    await askerOf(archive.url, { settings: { SOURCE_ARCHIVE_THUMBNAIL_SIZE: 'small' } }).fetchAsset();
    const sent = archive.seen.filter(({ method }) => method === 'GET');
    expect(new Set(sent.map(({ headers }) => headers['preservica-access-token']))).toEqual(
      new Set(['token-1']),
    );
    const accepted = new Map(sent.map(({ path, headers }) => [path, headers.accept]));
    expect(accepted.get(home)).toBe('application/xml;charset=UTF-8');
    expect(accepted.get(thumbnailPath('IO', assetId, 'small'))).toBe('image/png');
  });

  it('says null where there is no such thing', async () => {
    const archive = await archiveWithAsset();
    const bare = `<xip:InformationObject><xip:Ref>${assetId}</xip:Ref><xip:Title> </xip:Title></xip:InformationObject>`;
    archive.on(home, xml(document('EntityResponse', bare)));
    archive.on(`${home}/identifiers`, xml(document('IdentifiersResponse', '<Identifiers/>')));
    archive.on(`${home}/representations`, xml(document('RepresentationsResponse', '<Representations/>')));
    const asker = askerOf(archive.url, { settings: { SOURCE_ARCHIVE_PORTAL_URL: '' } });
    expect(foundDetails(await asker.fetchAsset())).toEqual({
      kind: 'asset',
      title: null,
      description: null,
      parentId: null,
      securityTag: null,
      identifiers: [],
      fileCount: 0,
      filesTruncated: false,
      files: [],
      links: {},
      details: { entityType: 'IO', customType: null, metadata: [], representations: [] },
    });
  });

  it('takes the active generation, else the last', async () => {
    const archive = await archiveWithAsset();
    const generation = (number: number, active: boolean) =>
      `<Generation active="${active}">${archive.url}${generations}/${number}</Generation>`;
    for (const number of [1, 2, 3]) {
      archive.on(
        `${generations}/${number}`,
        xml(generationDocument([`<Bitstream>${generations}/${number}/bitstreams/1</Bitstream>`])),
      );
      archive.on(`${generations}/${number}/bitstreams/1`, xml(bitstreamDocument(`generation-${number}`)));
    }
    const asker = askerOf(archive.url);
    const names = async () => foundDetails(await asker.fetchAsset()).files?.map(({ name }) => name);

    archive.on(
      generations,
      xml(generationsDocument([generation(1, false), generation(2, true), generation(3, false)])),
    );
    expect(await names()).toEqual(['generation-2']);
    archive.on(generations, xml(generationsDocument([generation(1, false), generation(2, false)])));
    expect(await names()).toEqual(['generation-2']);
    archive.on(generations, xml(generationsDocument([])));
    expect(await names()).toEqual([]);
  });

  it('takes every active generation', async () => {
    const archive = await archiveWithAsset();
    for (const number of [1, 2]) {
      const bitstream = `${generations}/${number}/bitstreams/1`;
      archive.on(
        `${generations}/${number}`,
        xml(generationDocument([`<Bitstream>${bitstream}</Bitstream>`])),
      );
      archive.on(bitstream, xml(bitstreamDocument(`generation-${number}`)));
    }
    const active = (number: number) => `<Generation active="true">${generations}/${number}</Generation>`;
    archive.on(generations, xml(generationsDocument([active(1), active(2)])));
    const both = foundDetails(await askerOf(archive.url).fetchAsset());
    expect(both.files?.map(({ name }) => name)).toEqual(['generation-1', 'generation-2']);
    expect(both).toMatchObject({ fileCount: 2, filesTruncated: false });

    const one = foundDetails(await askerOf(archive.url, { maxFiles: 1 }).fetchAsset());
    expect(one).toMatchObject({ files: [{ name: 'generation-1' }], filesTruncated: true });
  });

  it('keeps the blanks of titles, descriptions, identifiers and file names', async () => {
    const archive = await archiveWithAsset();
    const blanks = entityDocument({ element: 'InformationObject', id: assetId, linkBase: archive.url })
      .replace('Harbour &amp; quay, looking north', '  Harbour  at dawn ')
      .replace('Glass negative', '\n  Glass  \n');
    archive.on(home, xml(blanks));
    archive.on(`${home}/identifiers`, xml(identifiersDocument('', ' MS/42/7 ')));
    archive.on(`${generations}/1/bitstreams/1`, xml(bitstreamDocument(' page  1.tif ')));
    expect(foundDetails(await askerOf(archive.url).fetchAsset())).toMatchObject({
      title: '  Harbour  at dawn ',
      description: '\n  Glass  \n',
      identifiers: [{ value: ' MS/42/7 ' }],
      files: [{ name: ' page  1.tif ' }],
    });
  });

  it('leaves out a size that no number holds', async () => {
    const archive = await archiveWithAsset();
    archive.on(`${generations}/1/bitstreams/1`, xml(bitstreamDocument('huge', '9223372036854775807')));
    expect(foundDetails(await askerOf(archive.url).fetchAsset()).files?.[0]?.sizeBytes).toBeNull();
  });

  it.each([
    ['other prefixes', (text: string) => text.replaceAll('xip:', 'x:').replaceAll('xmlns:xip', 'xmlns:x')],
    ['no prefix', (text: string) => text.replaceAll('xip:', '')],
    ['another version', (text: string) => text.replaceAll('/v8.1', '/v9.4')],
    [
      'a prefix for all',
      (text: string) => text.replaceAll(/<(\/?)([A-Z])/g, '<$1e:$2').replaceAll('xmlns=', 'xmlns:e='),
    ],
  ])('reads documents with %s', async (_name, change) => {
    const archive = await archiveWithAsset();
    const plain = foundDetails(await askerOf(archive.url).fetchAsset());
    for (const path of archive.asked.filter((each) => each.startsWith('/api/entity/'))) {
      const answer = await fetch(archive.url + path);
      archive.on(path, xml(change(await answer.text())));
    }
    expect(foundDetails(await askerOf(archive.url).fetchAsset())).toEqual(plain);
  });
});

describe('a part that cannot be read', () => {
  const representation = `${home}/representations/Preservation/1`;
  const thumbnailAt = thumbnailPath('IO', assetId);
  const contentObject = `content object ${contentObjectId(1)}`;

  it.each<[string, string, string, object]>([
    ['identifiers', `${home}/identifiers`, 'identifiers', { fileCount: 1 }],
    [
      'representations',
      `${home}/representations`,
      'representations',
      { identifiers: [{ value: 'MS/42/7' }] },
    ],
    ['a representation', representation, 'Preservation representation', { files: [], filesTruncated: true }],
    ['a content object', generations, contentObject, { files: [], fileCount: 1, filesTruncated: true }],
    ['a generation', `${generations}/1`, contentObject, { files: [], fileCount: 1, filesTruncated: true }],
    ['a file', `${generations}/1/bitstreams/1`, `a file of ${contentObject}`, { files: [], fileCount: 1 }],
    ['the picture', thumbnailAt, 'thumbnail', { files: [{ name: 'page-1-1.tif' }] }],
  ])('(%s) costs itself alone, and is said', async (_name, path, part, expected) => {
    for (const code of [400, 401, 403, 404, 410, 204, 302, 500, 503]) {
      if (code === 404 && path === thumbnailAt) continue;
      const mayCome = [302, 404, 500, 503].includes(code);
      const archive = await archiveWithAsset();
      archive.on(path, status(code, { location: '/elsewhere' }));
      const fetchResult = await askerOf(archive.url).fetchAsset();
      expect(fetchResult).toMatchObject({
        kind: 'found',
        details: { title: 'Harbour & quay, looking north', ...expected },
        thumbnail: path !== thumbnailAt ? { kind: 'bytes' } : { kind: mayCome ? 'pending' : 'none' },
      });
      const redirected = code === 302 ? ', a redirect, which is not followed' : '';
      const why = `Preservica answered ${code}${redirected}.`;
      expect(foundDetails(fetchResult).details['incomplete']).toEqual([{ part, why }]);
      expect('unfinished' in fetchResult).toBe(mayCome);
      // What is not known is left out, and is not none.
      expect('identifiers' in foundDetails(fetchResult)).toBe(part !== 'identifiers');
      expect('files' in foundDetails(fetchResult)).toBe(part !== 'representations');
    }
  });

  it('leaves what is there of the others of its kind', async () => {
    const pages = { type: 'Preservation', contentObjects: [1, 1, 1] };
    const archive = await archiveWithAsset({ representations: [pages] });
    archive.on(generations, status(403));
    const details = foundDetails(await askerOf(archive.url).fetchAsset());
    expect(details.files?.map(({ name }) => name)).toEqual(['page-2-1.tif', 'page-3-1.tif']);
    expect(details).toMatchObject({ fileCount: 3, filesTruncated: true });
    const next = `<Next>${archive.url}${home}/identifiers?start=1&amp;max=1</Next>`;
    archive.on(`${home}/identifiers`, xml(identifiersDocument(next, 'first')));
    archive.on(`${home}/identifiers?start=1&max=1`, status(403));
    const { identifiers } = foundDetails(await askerOf(archive.url).fetchAsset());
    expect(identifiers?.map(({ value }) => value)).toEqual(['first']);
  });

  it('may come later where the source could not give it now', async () => {
    const archive = await archiveWithAsset();
    archive.on(thumbnailAt, status(503, { 'retry-after': '7' }));
    archive.on(`${home}/identifiers`, status(429, { 'retry-after': '9' }));
    expect((await missingOf(archive)).unfinished).toEqual({
      kind: 'again',
      code: 'rate-limited',
      text: 'Preservica answered 429.',
      retryAfterMs: 9_000,
    });
  });

  it('is not asked for where nothing else comes either', async () => {
    const pages = { type: 'Preservation', contentObjects: Array.from({ length: 90 }, () => 1) };
    const archive = await archiveWithAsset({ representations: [pages] });
    archive.guard((_token, path) => (path.includes('content-objects') ? 503 : undefined));
    const { incomplete } = await missingOf(archive);
    expect(incomplete).toHaveLength(21);
    expect(incomplete).toContainEqual({ part: '71 more parts', why: 'They could not be read either.' });
    expect(archive.asked.length).toBeLessThan(25);
  });

  it('costs the whole where the login is refused meanwhile', async () => {
    const archive = await archiveWithAsset();
    archive.guard((_token, path) => (path === thumbnailAt ? 401 : undefined));
    const asker = askerOf(archive.url);
    await asker.fetchAsset({ kind: 'folder', id: folderId });
    archive.on('/api/accesstoken/login', status(403));
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'login-refused' });
  });
});

describe('a page for people with a status of 200', () => {
  const page = '<!DOCTYPE html>\n<html><body>We are back at noon.</body></html>';
  const pages: [string, Respond][] = [
    ['said to be HTML', bytesWith({ 'content-type': 'text/html; charset=utf-8' }, page)],
    ['said to be XML', xml(page)],
    ['said to be a picture', bytesWith({ 'content-type': 'image/png' }, page)],
    ['said to be nothing', bytesWith({}, `\ufeff\n <!-- - --><html lang="en">`)],
    ['in XHTML', xml('<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>')],
    ['without a document type', xml('<html><head/></html>')],
    ['of a firewall', bytesWith({ 'content-type': 'text/html' }, '<p>Request rejected, ID 42')],
    ['of plain text', bytesWith({ 'content-type': 'text/plain' }, 'Down for maintenance')],
    ['of a megabyte', bytesWith({ 'content-type': 'text/html' }, page.padEnd(1_100_000, ' '))],
    ['that says how long it is', bytesWith({ 'content-length': '5000000' }, page.padEnd(5_000_000, ' '))],
  ];

  it.each(pages)('%s is no answer about the asset', async (_name, respond) => {
    const archive = await archiveWithAsset();
    archive.on(home, respond);
    expect(await askerOf(archive.url).fetchAsset()).toEqual({
      kind: 'again',
      code: 'source-unavailable',
      text: 'Preservica answered with a page for people in place of its data.',
    });
  });

  it.each(pages)('%s is no picture', async (_name, respond) => {
    const archive = await archiveWithAsset();
    archive.on(thumbnailPath('IO', assetId), respond);
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({
      kind: 'found',
      thumbnail: { kind: 'pending' },
      unfinished: { kind: 'again', code: 'source-unavailable' },
    });
  });

  it('is not what an answer with the content type of one is', async () => {
    const archive = await archiveWithAsset();
    const html = { 'content-type': 'text/html' };
    const picture = Buffer.from('\u0089PNG\r\n', 'latin1');
    archive.on(
      home,
      bytesWith(html, entityDocument({ element: 'InformationObject', id: assetId, linkBase: archive.url })),
    );
    archive.on(thumbnailPath('IO', assetId), bytesWith(html, picture));
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({
      kind: 'found',
      thumbnail: { kind: 'bytes', bytes: picture },
    });
  });
});

describe('a look-up of a volume', () => {
  it('stops at the number of files, says so, and leaves places to others', async () => {
    const pages = { type: 'Preservation', contentObjects: Array.from({ length: 500 }, () => 1) };
    const archive = await archiveWithAsset({ representations: [pages] });
    const watched = watchedGate();
    const asker = askerOf(archive.url, { maxFiles: 20, limiter: watched.limiter });
    const details = foundDetails(await asker.fetchAsset());
    expect(details.files?.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `page-${index + 1}-1.tif`),
    );
    expect(details).toMatchObject({ fileCount: 500, filesTruncated: true });
    expect(archive.asked).toHaveLength(5 + 3 * 20);
    expect(watched.most).toBe(8);
  });

  it('reads no address of a file that it will not fetch', async () => {
    const archive = await archiveWithAsset();
    const path = `${generations}/1`;
    const links = [`${path}/bitstreams/1`, 'no address'].map((link) => `<Bitstream>${link}</Bitstream>`);
    archive.on(path, xml(generationDocument(links)));
    const details = foundDetails(await askerOf(archive.url, { maxFiles: 1 }).fetchAsset());
    expect(details).toMatchObject({ fileCount: 2, filesTruncated: true, files: [{ name: 'page-1-1.tif' }] });
  });

  it('counts the files of a content object that has many, and fetches no more of them', async () => {
    const archive = await archiveWithAsset({
      representations: [{ type: 'Preservation', contentObjects: [30, 30, 30] }],
    });
    const details = foundDetails(await askerOf(archive.url, { maxFiles: 2 }).fetchAsset());
    expect(details.files).toHaveLength(2);
    expect(details).toMatchObject({ fileCount: 30 + 30 + 1, filesTruncated: true });
    expect(archive.asked).toHaveLength(5 + 2 * 2 + 2);
  });
});

describe('a look-up of a folder', () => {
  it('takes three calls and knows of no files', async () => {
    const archive = await standIn();
    archive.addFolder();
    const fetchResult = await askerOf(archive.url).fetchAsset({ kind: 'folder', id: folderId });
    expect(fetchResult).toEqual({
      kind: 'found',
      details: {
        kind: 'folder',
        title: 'Harbour & quay, looking north',
        description: 'Glass negative',
        parentId: folderId,
        securityTag: 'open',
        identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
        links: { page: `https://portal.example.org/uncategorized/SO_${folderId}` },
        details: { entityType: 'SO', customType: 'Photograph', metadata: [expectedFragment] },
      },
      thumbnail: { kind: 'none' },
    });
    expect(archive.asked.toSorted()).toEqual([
      thumbnailPath('SO', folderId),
      `/api/entity/structural-objects/${folderId}`,
      `/api/entity/structural-objects/${folderId}/identifiers`,
    ]);
  });
});

it('text is kept as it can be shown, in one line where people write one', async () => {
  const archive = await archiveWithAsset();
  const odd = entityDocument({ element: 'InformationObject', id: assetId, linkBase: archive.url })
    .replace('Harbour &amp; quay, looking north', 'Harbour\n  at\u2028dawn \u202e1 \u0085')
    .replace('Glass negative', 'Glass\n\nnegative\u2029broken\u202e');
  archive.on(home, xml(odd));
  archive.on(`${home}/identifiers`, xml(identifiersDocument('', 'MS\u2028\u202e42')));
  expect(foundDetails(await askerOf(archive.url).fetchAsset())).toMatchObject({
    title: 'Harbour   at dawn \ufffd1 \ufffd',
    description: 'Glass\n\nnegative\nbroken\ufffd',
    identifiers: [{ value: 'MS\ufffd\ufffd42' }],
  });
});

describe('identifiers on several pages', () => {
  it('are followed at our own base', async () => {
    const [archive, elsewhere] = [await archiveWithAsset(), await standIn()];
    const next = `<Next>${elsewhere.url}/other/path?start=1&amp;max=1</Next>`;
    archive.on(`${home}/identifiers`, xml(identifiersDocument(next, 'first')));
    archive.on(`${home}/identifiers?start=1&max=1`, xml(identifiersDocument('', 'second')));
    const { identifiers } = foundDetails(await askerOf(archive.url).fetchAsset());
    expect(identifiers?.map(({ value }) => value)).toEqual(['first', 'second']);
    expect(elsewhere.seen).toEqual([]);
  });

  it('come to an end even if the source says that there is always a next one', async () => {
    const archive = await archiveWithAsset();
    const next = `<Next>${archive.url}${home}/identifiers?start=0&amp;max=1</Next>`;
    archive.on(`${home}/identifiers`, xml(identifiersDocument(next)));
    expect(foundDetails(await askerOf(archive.url).fetchAsset()).identifiers).toHaveLength(10);
  });
});

describe('addresses and references in documents', () => {
  it('lead nowhere but to the configured base', async () => {
    const elsewhere = await standIn();
    for (const linkBase of [elsewhere.url, 'http://user:pass@elsewhere.example', 'file:///etc', '//x', '']) {
      const archive = await archiveWithAsset({ linkBase });
      expect(foundDetails(await askerOf(archive.url).fetchAsset()).fileCount).toBe(1);
      expect(archive.asked).toHaveLength(8);
    }
    expect(elsewhere.seen).toEqual([]);
  });

  it('keep a base with a path', async () => {
    const archive = await archiveWithAsset();
    for (const path of ['/api/accesstoken/login', home])
      archive.on(`/behind/proxy${path}`, (call, response) => {
        if (path === home) status(404)(call, response);
        else response.end('{"token":"t"}');
      });
    expect(await askerOf(`${archive.url}/behind/proxy`).fetchAsset()).toMatchObject({ kind: 'not-found' });
    expect(archive.seen.every(({ path }) => path.startsWith('/behind/proxy/api/'))).toBe(true);
  });

  it.each(['../../secret', `${contentObjectId(1)}/../x`, 'x', '', '%2e%2e'])(
    'are refused where they are none: %j',
    async (reference) => {
      const archive = await archiveWithAsset();
      archive.on(
        `${home}/representations/Preservation/1`,
        xml(representationDocument('Preservation', [reference])),
      );
      const why = 'Preservica sent a document that is not as expected (the reference of a content object).';
      expect(await missingOf(archive)).toEqual({
        incomplete: [{ part: 'a content object without a reference', why }],
      });
      expect(archive.asked.every((path) => !path.includes('content-objects'))).toBe(true);
    },
  );

  it.each(['/generations/1;x', '/generations/-1', '/generations/1?x=/2x', '/generations/', 'no address'])(
    'give no number where they end in none: %j',
    async (address) => {
      const archive = await archiveWithAsset();
      archive.on(generations, xml(generationsDocument([`<Generation>${address}</Generation>`])));
      const why = 'Preservica sent a document that is not as expected (the address of a Generation).';
      expect(await missingOf(archive)).toEqual({
        incomplete: [{ part: `content object ${contentObjectId(1)}`, why }],
      });
    },
  );

  it('are not asked for at all where the wanted one is none', async () => {
    const archive = await standIn();
    const fetchResult = await askerOf(archive.url).fetchAsset({ kind: 'asset', id: '../../x' });
    expect(fetchResult.kind).toBe('not-found');
    expect(archive.seen).toEqual([]);
  });
});

describe('what the source says', () => {
  const entity = home;
  const part = `${home}/representations`;

  it.each<[string, string, number, object]>([
    ['no such entity', entity, 404, { kind: 'not-found' }],
    ['no permission', entity, 403, { kind: 'no-permission' }],
    ['an error of its own', entity, 500, { kind: 'again', code: 'source-unavailable' }],
    ['too many', entity, 429, { kind: 'again', code: 'rate-limited' }],
    ['a time-out of its own', entity, 408, { kind: 'again', code: 'source-unavailable' }],
    ['no good question', entity, 400, { kind: 'unreadable-answer' }],
    ['nothing', entity, 204, { kind: 'again', code: 'source-unavailable' }],
  ])('%s (%s: %i) becomes a fetchResult', async (_name, path, code, expected) => {
    const archive = await archiveWithAsset();
    archive.on(path, status(code, {}, code === 204 ? '' : `what ${assetId} is about`));
    const fetchResult = await askerOf(archive.url).fetchAsset();
    expect(fetchResult).toMatchObject(expected);
    expect(fetchResult).toHaveProperty('text', expect.stringMatching(/^[A-Z].{10,120}\.$/));
    expect(JSON.stringify(fetchResult)).not.toContain(assetId);
  });

  it.each<[string, string | undefined, number | undefined]>([
    ['seconds', '120', 120_000],
    ['a date', 'Mon, 05 Jan 2026 09:09:07 GMT', 60_000],
    ['a date of the past', 'Mon, 05 Jan 2026 09:00:00 GMT', 0],
    ['nothing', undefined, undefined],
    ['junk', 'soon', undefined],
    ['a number below nothing', '-5', undefined],
    ['a fraction', '1.5', undefined],
  ])('Retry-After with %s is passed on', async (_name, header, expected) => {
    for (const code of [429, 503]) {
      const archive = await archiveWithAsset();
      archive.on(entity, status(code, header === undefined ? {} : { 'retry-after': header }));
      const fetchResult = await askerOf(archive.url).fetchAsset();
      expect(fetchResult.kind === 'again' ? fetchResult.retryAfterMs : 'another kind').toBe(expected);
    }
  });

  it('of a deleted entity is kept, whatever the rest answers', async () => {
    const archive = await archiveWithAsset({ extra: '<xip:Deleted>true</xip:Deleted>' });
    archive.on(part, status(404));
    archive.on(thumbnailPath('IO', assetId), status(404));
    const kept = await askerOf(archive.url).fetchAsset();
    expect(kept).toMatchObject({
      kind: 'deleted',
      details: { title: 'Harbour & quay, looking north', identifiers: [{ value: 'MS/42/7' }] },
    });
    archive.on(`${home}/identifiers`, status(404));
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({
      kind: 'deleted',
      details: { identifiers: [] },
    });
  });

  it('of an unknown entity needs no other answer', async () => {
    const archive = await archiveWithAsset();
    const closed = new Promise<void>((resolve) => {
      archive.on(part, (_call, response) => void response.on('close', resolve));
    });
    archive.on(entity, status(404));
    archive.on(`${home}/identifiers`, status(500));
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({ kind: 'not-found' });
    await closed;
  });

  it.each<[number, object]>([
    [429, { kind: 'again', code: 'rate-limited', retryAfterMs: 9_000 }],
    [503, { kind: 'again', code: 'source-unavailable', retryAfterMs: 9_000 }],
    [403, { kind: 'no-permission' }],
  ])('is a refusal (%i) even if its page breaks off', async (code, expected) => {
    const archive = await archiveWithAsset();
    archive.on(entity, (_call, response) => {
      response.writeHead(code, { 'retry-after': '9', 'content-length': '100' }).write('half');
      setImmediate(() => response.destroy());
    });
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject(expected);
  });

  it('is a refusal, however long its page', async () => {
    const archive = await archiveWithAsset();
    const page = '<html>'.padEnd(9_000_000, ' ');
    archive.on(entity, status(503, { 'retry-after': '9' }, page));
    archive.on(part, status(403, { 'transfer-encoding': 'chunked' }, page));
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({ kind: 'again', retryAfterMs: 9_000 });
  });
});

describe('thumbnails', () => {
  const path = thumbnailPath('IO', assetId);
  const thumbnail = async (respond: Respond, maxThumbnailBytes = 1_000) => {
    const archive = await archiveWithAsset();
    archive.on(path, respond);
    const fetchResult = await askerOf(archive.url, { maxThumbnailBytes }).fetchAsset();
    return fetchResult.kind === 'found' ? fetchResult.thumbnail : fetchResult;
  };
  const streamed: Respond = (_call, response) => {
    response.writeHead(200);
    void pour(response, 100_000_000);
  };

  it('may be missing', async () => {
    expect(await thumbnail(status(404))).toEqual({ kind: 'none' });
  });

  it('are taken up to the limit', async () => {
    const picture = Buffer.alloc(1_000, 1);
    expect(await thumbnail(bytes(picture, 'image/png'))).toEqual({ kind: 'bytes', bytes: picture });
  });

  it('are too large beyond it, whether they say so or not', async () => {
    expect(await thumbnail(bytes(Buffer.alloc(1_001), 'image/png'))).toEqual({ kind: 'too-large' });
    expect(await thumbnail(streamed)).toEqual({ kind: 'too-large' });
  });
});

/** Writes until so many bytes are out or the other side has hung up; answers how many it came to. */
function pour(response: ServerResponse, size: number): Promise<number> {
  const chunk = Buffer.alloc(65_536, 'x');
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

describe('a hostile or broken answer', () => {
  const laughs = Array.from(
    { length: 9 },
    (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
  ).join('');
  const good = entityDocument({ element: 'InformationObject', id: assetId, linkBase: '' });

  it.each<[string, string, string]>([
    ['a document type', good.replace('<Entity', '<!DOCTYPE x><Entity'), 'unreadable-answer'],
    [
      'a billion laughs',
      `<!DOCTYPE x [<!ENTITY l0 "ha">${laughs}]>${document('EntityResponse', '&l9;')}`,
      'unreadable-answer',
    ],
    [
      'an entity from a file',
      `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>${document('EntityResponse', '&f;')}`,
      'unreadable-answer',
    ],
    ['an undefined entity', good.replace('&amp;', '&nbsp;'), 'unreadable-answer'],
    [
      'a million levels',
      document('EntityResponse', '<a>'.repeat(1e6) + '</a>'.repeat(1e6)),
      'unreadable-answer',
    ],
    ['two million elements', document('EntityResponse', '<a/>'.repeat(2e6)), 'unreadable-answer'],
    ['more than 8 MiB', good.padEnd(8_388_609, ' '), 'unreadable-answer'],
    ['another root', good.replaceAll('EntityResponse', 'IdentifiersResponse'), 'unreadable-answer'],
    ['another entity', good.replaceAll(assetId, folderId), 'unreadable-answer'],
    ['no entity', document('EntityResponse', ''), 'unreadable-answer'],
    ['half a document', good.slice(0, good.length / 2), 'again'],
    ['half a tag', good.slice(0, good.indexOf('<xip:Ref') + 3), 'again'],
    ['no text at all', '', 'again'],
    ['no XML', '{"title":"Harbour"}', 'again'],
    ['a character that XML has not', good.replace('Harbour', '\u0001'), 'found'],
  ])('with %s is answered for', async (_name, text, expected) => {
    const archive = await archiveWithAsset();
    archive.on(home, xml(text));
    expect((await askerOf(archive.url).fetchAsset()).kind).toBe(expected);
  });

  it('of 200 MB is not read to its end', async () => {
    const archive = await archiveWithAsset();
    const poured = new Promise<number>((resolve) => {
      archive.on(home, (_call, response) => {
        response.writeHead(200, { 'content-type': 'application/xml' });
        void pour(response, 200_000_000).then(resolve);
      });
    });
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({ kind: 'unreadable-answer' });
    expect(await poured).toBeLessThan(40_000_000);
  });

  it('is read where it is compressed', async () => {
    const archive = await archiveWithAsset();
    archive.on(home, bytesWith({ 'content-encoding': 'gzip' }, gzipSync(good)));
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({ kind: 'found' });
  });

  it('of 1 GB that was compressed to 1 MB is not unpacked to its end', async () => {
    const archive = await archiveWithAsset();
    const megabyte = gzipSync(Buffer.alloc(1_000_000, ' '));
    const bomb = Buffer.concat(Array.from({ length: 1_000 }, () => megabyte));
    archive.on(home, bytesWith({ 'content-encoding': 'gzip' }, bomb));
    const peakBefore = process.resourceUsage().maxRSS;
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({ kind: 'unreadable-answer' });
    expect(process.resourceUsage().maxRSS - peakBefore).toBeLessThan(400_000);
  });

  it('of 200 MB that comes with a refusal is left at once, and the refusal counts', async () => {
    const archive = await archiveWithAsset();
    const poured = new Promise<number>((resolve) => {
      archive.on(home, (_call, response) => {
        response.writeHead(503);
        void pour(response, 200_000_000).then(resolve);
      });
    });
    const asker = askerOf(archive.url, { maxThumbnailBytes: 100_000_000 });
    expect(await asker.fetchAsset()).toMatchObject({ kind: 'again', code: 'source-unavailable' });
    expect(await poured).toBeLessThan(6_000_000);
  });

  it.each<[string, Respond]>([
    [
      'a stream that is cut',
      (_call, response) => {
        response.writeHead(200, { 'content-length': String(good.length) }).write(good.slice(0, 100));
        setImmediate(() => response.destroy());
      },
    ],
    ['a connection that is cut', (_call, response) => void response.destroy()],
    ['a compression that is none', bytesWith({ 'content-encoding': 'gzip' }, good)],
  ])('with %s is asked for again', async (_name, respond) => {
    const archive = await archiveWithAsset();
    archive.on(home, respond);
    expect(await askerOf(archive.url).fetchAsset()).toMatchObject({
      kind: 'again',
      code: 'source-unavailable',
    });
  });

  it('that leads elsewhere is not followed', async () => {
    const [archive, elsewhere] = [await archiveWithAsset(), await standIn()];
    for (const code of [301, 302, 307, 308]) {
      archive.on(home, status(code, { location: elsewhere.url }));
      const fetchResult = await askerOf(archive.url).fetchAsset();
      expect(fetchResult).toMatchObject({ kind: 'again', code: 'source-unavailable' });
      expect(fetchResult).toHaveProperty('text', expect.stringContaining('redirect'));
    }
    expect(elsewhere.seen).toEqual([]);
  });

  it('of any bytes with any status never throws', async () => {
    const archive = await archiveWithAsset();
    const paths = [
      home,
      `${home}/identifiers`,
      `${home}/representations`,
      generations,
      thumbnailPath('IO', assetId),
    ];
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
      fc.string({ unit: 'binary' }).map((each) => Buffer.from(each)),
      fc.tuple(fc.nat(good.length), fc.string()).map(([cut, more]) => Buffer.from(good.slice(0, cut) + more)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.constantFrom(200, 204, 206, 300, 304, 400, 402, 404, 418, 500, 599),
        body,
        async (path, code, given) => {
          archive.addAsset();
          archive.on(path, (_call, response) => void response.writeHead(code).end(given));
          const { kind } = await askerOf(archive.url).fetchAsset();
          expect(['found', 'not-found', 'unreadable-answer', 'again']).toContain(kind);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function bytesWith(headers: Record<string, string>, body: string | Buffer): Respond {
  return (_call, response) => void response.writeHead(200, headers).end(body);
}

describe('a source that does not answer', () => {
  it.each<[string, Respond]>([
    ['at all', silence],
    [
      'to the end',
      (_call, response) => {
        response.writeHead(200).write('<');
      },
    ],
  ])('%s is left after the time limit', async (_name, respond) => {
    const archive = await archiveWithAsset();
    archive.on(home, respond);
    expect(await askerOf(archive.url, { timeLimitMs: 200 }).fetchAsset()).toEqual({
      kind: 'again',
      code: 'source-unavailable',
      text: 'Preservica did not answer within 0.2 seconds.',
    });
  });

  it('because nobody listens there is said with its reason', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    expect(await askerOf(`http://127.0.0.1:${port}`).fetchAsset()).toEqual({
      kind: 'again',
      code: 'source-unavailable',
      text: 'The connection to Preservica failed or broke off (ECONNREFUSED).',
    });
  });
});

describe('a look-up that is stopped', () => {
  const stopped = { kind: 'again', code: 'source-unavailable' };

  it('ends while a call is under way', async () => {
    const archive = await archiveWithAsset();
    const stop = new AbortController();
    archive.on(home, () => stop.abort());
    expect(await askerOf(archive.url).fetchAsset(undefined, stop.signal)).toMatchObject(stopped);
  });

  it('asks nothing where it was stopped before it began', async () => {
    const archive = await archiveWithAsset();
    expect(await askerOf(archive.url).fetchAsset(undefined, AbortSignal.abort())).toMatchObject(stopped);
    expect(archive.seen).toEqual([]);
  });

  it('ends while it waits for a login that others wait for too, and does not end that', async () => {
    const archive = await archiveWithAsset();
    const stop = new AbortController();
    let answerLogin = (): void => undefined;
    archive.on('/api/accesstoken/login', (_call, response) => {
      answerLogin = () => void response.end('{"token":"t"}');
      stop.abort();
    });
    const asker = askerOf(archive.url);
    const [first, second] = [asker.fetchAsset(undefined, stop.signal), asker.fetchAsset()];
    expect(await first).toMatchObject(stopped);
    answerLogin();
    expect(await second).toMatchObject({ kind: 'found' });
    expect(archive.seen.filter(({ path }) => path.startsWith('/api/accesstoken/'))).toHaveLength(1);
  });

  it('asks for nothing more of a volume', async () => {
    const archive = await archiveWithAsset({
      representations: [{ type: 'Preservation', contentObjects: Array.from({ length: 50 }, () => 1) }],
    });
    const stop = new AbortController();
    archive.on(generations, () => stop.abort());
    const watched = watchedGate();
    const asker = askerOf(archive.url, { limiter: watched.limiter });
    expect(await asker.fetchAsset(undefined, stop.signal)).toMatchObject(stopped);
    await new Promise((resolve) => setImmediate(resolve));
    // The login, the five calls before the first list, and those that were under way with it.
    expect(watched.total).toBeLessThanOrEqual(1 + 5 + 8 + 8);
    expect(archive.asked.length).toBeLessThanOrEqual(5 + 8 + 8);
  });
});
