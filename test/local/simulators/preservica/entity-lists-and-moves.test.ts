import { describe, expect, it } from 'vitest';
import { textAt } from '../../../../src/sources/preservica/xml.ts';
import { elementOf, type Answered, type Client } from './client.ts';
import { api, childrenAt, setup } from './harbour.ts';

describe('a list', () => {
  const pagesFrom = async (client: Client, address: string, parent: string, name: string) => {
    const titles: (string | undefined)[][] = [];
    for (let next: string | undefined = address; next !== undefined;) {
      const page: Answered = await client(next);
      titles.push(childrenAt(page, parent, name, 'title'));
      next = textAt(elementOf(page, 'Paging'), 'Next');
    }
    return titles;
  };

  it('of children is read page by page, at the root and in a folder', async () => {
    const { client, library, folder } = await setup();
    for (const title of ['A', 'B', 'C', 'D']) library.addAsset({ title, parent: folder.ref });
    const gone = library.addAsset({ title: 'Gone', parent: folder.ref });
    library.markDeleted(gone.ref);
    const inFolder = `${api}/structural-objects/${folder.ref}/children?start=1&max=2`;
    expect(await pagesFrom(client, inFolder, 'Children', 'Child')).toEqual([
      ['A', 'B'],
      ['C', 'D'],
    ]);
    const root = await client(`${api}/root/children`);
    expect(childrenAt(root, 'Children', 'Child', 'title')).toEqual(['Glass negatives']);
    expect(textAt(elementOf(root, 'Paging'), 'TotalResults')).toBe('1');
  });

  it('of what changed since then is read page by page, with what is deleted', async () => {
    const { client, library, asset, folder } = await setup();
    for (const each of library.all()) each.changedAt = new Date('2024-01-01T00:00:00Z');
    library.rename(folder.ref, 'Negatives');
    library.markDeleted(asset.ref);
    const since = encodeURIComponent('2024-01-01T01:00:00.000+00:00');
    const address = `${api}/entities/updated-since?date=${since}&max=1`;
    expect(await pagesFrom(client, address, 'Entities', 'Entity')).toEqual([['Negatives'], [asset.title]]);
    const deleted = childrenAt(await client(`${address}&start=1`), 'Entities', 'Entity', 'deleted');
    expect(deleted).toEqual(['true']);
    const until = `${api}/entities/updated-since?date=2023-01-01T00:00:00Z&endDate=2023-12-31T00:00:00Z`;
    expect(childrenAt(await client(until), 'Entities', 'Entity')).toEqual([]);
  });

  it.each([
    'root/children?start=-1',
    'root/children?max=x',
    'entities/updated-since',
    'entities/updated-since?date=x',
  ])('is refused for %s', async (path) => {
    const { client } = await setup();
    expect((await client(`${api}/${path}`)).status).toBe(400);
  });
});

describe('a move', () => {
  it.each([
    ['an asset at the root', 'asset', '@root@'],
    ['an asset in an asset', 'asset', 'asset'],
    ['a folder in itself', 'folder', 'folder'],
    ['a folder below itself', 'folder', 'inner'],
    ['anything nowhere', 'asset', ''],
  ] as const)('is refused: %s', async (_name, what, where) => {
    const { client, library, asset, folder } = await setup();
    const inner = library.addFolder({ title: 'Inner', parent: folder.ref });
    const entities = { asset, folder, inner };
    const entity = entities[what];
    const before = entity.parent;
    const collection = what === 'asset' ? 'information-objects' : 'structural-objects';
    const body = where === '' || where === '@root@' ? where : entities[where].ref;
    const answer = await client(`${api}/${collection}/${entity.ref}/parent-ref`, { method: 'PUT', body });
    expect(answer.status).toBe(400);
    expect(entity.parent).toBe(before);
  });

  it('is not made by looking', async () => {
    const { client, path, asset, folder } = await setup();
    expect((await client(`${path}/parent-ref`)).status).toBe(404);
    expect(asset.parent).toBe(folder.ref);
  });
});

it('gives a tag to all that is below, when asked', async () => {
  const { client, library, folder, asset } = await setup();
  const path = `${api}/structural-objects/${folder.ref}/security-descriptor`;
  await client(`${path}?includeDescendants=false`, { method: 'PUT', body: 'public' });
  expect([folder.securityTag, asset.securityTag]).toEqual(['public', 'open']);
  await client(`${path}?includeDescendants=true`, { method: 'PUT', body: 'public' });
  expect(new Set(library.all().map(({ securityTag }) => securityTag))).toEqual(new Set(['public']));
});
