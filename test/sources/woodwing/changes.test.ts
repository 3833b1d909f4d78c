import { describe, expect, it } from 'vitest';
import { askerOf, assetId, json, otherId, standIn, status, type Respond } from './stand-in.ts';

const path = '/services/search';
const from = Date.UTC(2026, 0, 5, 8);
const to = Date.UTC(2026, 0, 5, 9);

async function listed(answer: Respond, start = 0) {
  const library = await standIn();
  library.on(path, answer);
  const result = await askerOf(library.url).listChanges({ from, to, start });
  return { result, form: Object.fromEntries(new URLSearchParams(library.seen.at(-1)?.body)) };
}

describe('the list of changes of WoodWing Assets', () => {
  it('is a search between two times, the earliest first', async () => {
    const hits = [
      { id: assetId, metadata: { assetModified: { value: from + 1, formatted: '' } } },
      { id: otherId, metadata: {} },
      { id: 'x', metadata: { assetModified: 1e99 } },
    ];
    const { result, form } = await listed(json({ totalHits: 10, hits }), 5);
    expect(result).toEqual({
      kind: 'page',
      assets: [
        { kind: 'asset', id: assetId, changedAt: '2026-01-05T08:00:00.001Z' },
        { kind: 'asset', id: otherId },
        { kind: 'asset', id: 'x' },
      ],
      next: 8,
    });
    expect(form).toEqual({
      q: 'assetModified:[2026-01-05T08:00:00.000Z TO 2026-01-05T09:00:00.000Z]',
      start: '5',
      num: '100',
      sort: 'assetModified-asc',
      metadataToReturn: 'assetModified',
    });
  });

  it.each([
    ['nothing', { totalHits: 900, hits: [] }, { kind: 'page', next: null }],
    ['fewer than none', { totalHits: -1, hits: [{ id: assetId }] }, { kind: 'page', next: null }],
    ['more than it shows', { totalHits: 10_001, hits: [{ id: assetId }] }, { kind: 'too-many' }],
    ['another thing', { items: [] }, { kind: 'no-list' }],
  ])('that holds %s is %o', async (_what, answer, expected) => {
    expect((await listed(json(answer))).result).toMatchObject(expected);
  });

  it.each([
    [403, 'no-list'],
    [500, 'again'],
    [429, 'again'],
  ])('after %i is %s', async (code, kind) => {
    expect((await listed(status(code))).result).toMatchObject({ kind });
  });
});
