import { describe, expect, it } from 'vitest';
import { askerOf, assetId, document, folderId, standIn, status, xml } from './stand-in.ts';

const path = '/api/entity/entities/updated-since';
const from = Date.UTC(2026, 0, 5, 8);
const to = Date.UTC(2026, 0, 5, 9);

const entity = (ref: string, type: string): string =>
  `<Entity title="x" ref="${ref}" type="${type}">…</Entity>`;
const list = (entities: string, paging = '<TotalResults>1</TotalResults>'): string =>
  document('EntitiesResponse', `<Entities>${entities}</Entities><Paging>${paging}</Paging>`);

async function listed(answer: string, start = 0) {
  const archive = await standIn();
  archive.on(path, xml(answer));
  const result = await askerOf(archive.url).listChanges({ from, to, start });
  return { result, asked: archive.asked };
}

describe("Preservica's list of changes", () => {
  it('is asked for between two times, at our own place in it', async () => {
    const { result, asked } = await listed(
      list(
        entity(assetId, 'IO') + entity(folderId, 'SO') + entity(assetId, 'CO'),
        '<TotalResults>8</TotalResults>',
      ),
      5,
    );
    expect(result).toEqual({
      kind: 'page',
      assets: [
        { kind: 'asset', id: assetId },
        { kind: 'folder', id: folderId },
      ],
      next: null,
    });
    const query = new URLSearchParams(asked[0]?.split('?')[1]);
    expect(Object.fromEntries(query)).toEqual({
      date: '2026-01-05T08:00:00.000Z',
      endDate: '2026-01-05T09:00:00.000Z',
      start: '5',
      max: '100',
    });
  });

  it('goes on by the count of what came, wherever its address for the next page leads', async () => {
    const next = '<Next>http://attacker.example.org/?start=0&amp;max=100</Next>';
    const { result, asked } = await listed(list(entity(assetId, 'IO'), next), 100);
    expect(result).toMatchObject({ kind: 'page', next: 101 });
    expect(asked).toHaveLength(1);
  });

  it('ends with a page that has nothing on it, whatever it says', async () => {
    const next = '<Next>http://localhost/?start=100&amp;max=100</Next><TotalResults>900</TotalResults>';
    expect((await listed(list('', next))).result).toEqual({ kind: 'page', assets: [], next: null });
  });

  it('is asked for a shorter time where it is too long', async () => {
    const tooLong = list(entity(assetId, 'IO'), '<TotalResults>10001</TotalResults>');
    expect((await listed(tooLong)).result).toEqual({ kind: 'too-many' });
    const endless = list(entity(assetId, 'IO'), '<Next>http://localhost/</Next>');
    expect((await listed(endless, 10_000)).result).toEqual({ kind: 'too-many' });
  });

  it.each([
    ['another document', document('EntityResponse', ''), { kind: 'no-list', text: /not as expected/ }],
    [
      'one with a document type',
      '<!DOCTYPE x><EntitiesResponse/>',
      { kind: 'no-list', text: /document type/ },
    ],
    ['a broken one', '<EntitiesResponse>', { kind: 'again', code: 'source-unavailable' }],
  ])('is none where Preservica sends %s', async (_what, answer, expected) => {
    const { result } = await listed(answer);
    expect(result).toMatchObject(
      'text' in expected ? { ...expected, text: expect.stringMatching(expected.text) } : expected,
    );
  });

  it.each([
    [404, 'no-list'],
    [403, 'no-list'],
    [400, 'no-list'],
    [429, 'again'],
    [503, 'again'],
    [302, 'again'],
  ])('after %i is %s', async (code, kind) => {
    const archive = await standIn();
    archive.on(path, status(code, { location: 'http://127.0.0.1:9/' }));
    expect(await askerOf(archive.url).listChanges({ from, to, start: 0 })).toMatchObject({ kind });
  });
});
