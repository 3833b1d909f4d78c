import { describe, expect, it } from 'vitest';
import { all, textAt } from '../../../../src/sources/preservica/xml.ts';
import { elementOf } from './client.ts';
import { api, childrenAt, dublinCore, put, setup } from './harbour.ts';

describe('identifiers', () => {
  const identifier = (type: string, value: string): string =>
    `<Identifier xmlns="http://preservica.com/XIP/v8.1"><Type>${type}</Type><Value>${value}</Value></Identifier>`;

  it('are added, replaced and removed', async () => {
    const { client, path, asset } = await setup();
    const added = await put(client, `${path}/identifiers`, identifier('Titre', 'café 東京'), 'POST');
    expect(added.status).toBe(200);
    const apiId = textAt(elementOf(added, 'Identifiers', 'Identifier'), 'ApiId') ?? '';
    expect(apiId).toMatch(/^[0-9a-f]{32}$/);
    const list = await client(`${path}/identifiers`);
    expect(all(elementOf(list, 'Identifiers'), 'Identifier').map((one) => textAt(one, 'Value'))).toEqual([
      'MS/42/7',
      'café 東京',
    ]);
    const one = `${path}/identifiers/${apiId}`;
    expect((await put(client, one, identifier('Titre', 'thé'))).status).toBe(200);
    expect(asset.identifiers[1]).toEqual({ apiId, type: 'Titre', value: 'thé' });
    expect((await client(one, { method: 'DELETE' })).status).toBe(204);
    expect(asset.identifiers).toHaveLength(1);
    expect((await client(one, { method: 'DELETE' })).status).toBe(404);
  });

  it.each([
    ['POST', '/identifiers', '<Identifier><Type>x</Type></Identifier>', 400],
    ['POST', '/identifiers', 'x', 400],
    ['PUT', '/identifiers', identifier('a', 'b'), 405],
    ['DELETE', '/identifiers', undefined, 405],
    ['PUT', '/identifiers/unknown', identifier('a', 'b'), 404],
  ])('stay as they are: %s %s', async (method, part, body, status) => {
    const { client, path, asset } = await setup();
    expect((await client(path + part, { method, body: body ?? null })).status).toBe(status);
    expect(asset.identifiers).toHaveLength(1);
  });

  it('find their entity', async () => {
    const { client, asset } = await setup();
    const find = async (value: string) =>
      await client(`${api}/entities/by-identifier?type=CatalogueRef&value=${encodeURIComponent(value)}`);
    const found = await find('MS/42/7');
    expect(childrenAt(found, 'Entities', 'Entity', 'ref')).toEqual([asset.ref]);
    expect(childrenAt(found, 'Entities', 'Entity', 'type')).toEqual(['IO']);
    expect(childrenAt(await find('MS/42'), 'Entities', 'Entity')).toEqual([]);
  });
});

describe('metadata', () => {
  const container = (inside: string, attributes = ''): string =>
    `<xip:MetadataContainer schemaUri="urn:x" xmlns:xip="http://preservica.com/XIP/v8.1"${attributes}><xip:Entity>e</xip:Entity><xip:Content>${inside}</xip:Content></xip:MetadataContainer>`;

  it('is added, replaced and removed', async () => {
    const { client, path, asset } = await setup();
    const added = await put(client, `${path}/metadata`, container('<x xmlns="urn:x">1</x>'), 'POST');
    expect(added.status).toBe(200);
    const ref = textAt(elementOf(added, 'MetadataContainer'), 'Ref') ?? '';
    expect(asset.fragments[1]).toEqual({ ref, schema: 'urn:x', content: '<x xmlns="urn:x">1</x>' });
    const one = `${path}/metadata/${ref}`;
    expect((await put(client, one, container('<x xmlns="urn:x">2</x>'))).status).toBe(200);
    expect((await client(one)).text).toContain('<xip:Content><x xmlns="urn:x">2</x></xip:Content>');
    expect((await client(one, { method: 'DELETE' })).status).toBe(204);
    expect((await client(one)).status).toBe(404);
  });

  it('keeps the prefixes that were declared around it', async () => {
    const { client, path, asset } = await setup();
    const body = container('<ns0:dc><ns0:title>A</ns0:title></ns0:dc>', ` xmlns:ns0="${dublinCore}"`);
    expect((await put(client, `${path}/metadata`, body, 'POST')).status).toBe(200);
    expect(asset.fragments[1]?.content).toBe(
      `<ns0:dc xmlns:ns0="${dublinCore}"><ns0:title>A</ns0:title></ns0:dc>`,
    );
  });

  it.each([
    ['POST', '/metadata', '<x/>', 400],
    ['POST', '/metadata', container('no element'), 400],
    ['POST', '/metadata', 'x', 400],
    ['PUT', '/metadata', container('<x/>'), 405],
    ['DELETE', '/metadata', undefined, 405],
    ['DELETE', '/metadata/unknown', undefined, 404],
  ])('stays as it is: %s %s', async (method, part, body, status) => {
    const { client, path, asset } = await setup();
    expect((await client(path + part, { method, body: body ?? null })).status).toBe(status);
    expect(asset.fragments).toHaveLength(1);
  });
});
