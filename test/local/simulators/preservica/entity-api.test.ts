import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { all, attributeOf, textAt } from '../../../../src/sources/preservica/xml.ts';
import { elementOf } from './client.ts';
import { api, childrenAt, content, dublinCore, put, setup } from './harbour.ts';

describe('an entity', () => {
  it('is a document with all that is known of it', async () => {
    const { client, path, asset, folder } = await setup();
    const answer = await client(path);
    expect(answer.headers.get('content-type')).toBe('application/xml;charset=UTF-8');
    const element = elementOf(answer, 'InformationObject');
    const names = ['Ref', 'Title', 'Description', 'SecurityTag', 'CustomType', 'Parent', 'Deleted'];
    expect(names.map((name) => textAt(element, name))).toEqual([
      asset.ref,
      'Harbour <north> & "south"',
      'Glass negative, scanned',
      'open',
      'Photograph',
      folder.ref,
      undefined,
    ]);
    const [fragment] = all(elementOf(answer, 'AdditionalInformation', 'Metadata'), 'Fragment');
    expect(fragment && attributeOf(fragment, 'schema')).toBe(dublinCore);
    expect((await client(fragment?.text ?? '')).text).toContain('<dc:title>Harbour</dc:title>');
  });

  it('says when it is deleted, and has the title it was given last', async () => {
    const { client, path, library, asset } = await setup();
    library.rename(asset.ref, 'Pier\u0000');
    library.markDeleted(asset.ref);
    const element = elementOf(await client(path), 'InformationObject');
    expect(textAt(element, 'Deleted')).toBe('true');
    expect(textAt(element, 'Title')).toBe('Pier\uFFFD');
  });

  it.each([
    ['unknown', 'information-objects/00000000-0000-4000-8000-000000000000'],
    ['malformed', 'information-objects/bla'],
    ['a name every object has', 'information-objects/constructor'],
    ['of no known kind', 'things/bla'],
  ])('that is %s is not found', async (_name, path) => {
    const { client } = await setup();
    expect((await client(`${api}/${path}`)).status).toBe(404);
  });

  it('is not found under the path of another kind', async () => {
    const { client, asset } = await setup();
    expect((await client(`${api}/structural-objects/${asset.ref}`)).status).toBe(404);
  });

  it('with a tag that the account may not read is refused, and in no list', async () => {
    const { client, path, simulator, folder } = await setup();
    const children = `${api}/structural-objects/${folder.ref}/children`;
    expect(childrenAt(await client(children), 'Children', 'Child')).toHaveLength(1);
    simulator.settings.hiddenTags.add('open');
    expect((await client(path)).status).toBe(403);
    simulator.settings.hiddenStatus = 404;
    expect((await client(path)).status).toBe(404);
    expect(childrenAt(await client(`${api}/root/children`), 'Children', 'Child')).toEqual([]);
  });

  it('takes another title, but neither tag nor parent', async () => {
    const { client, path, asset, folder } = await setup();
    const body = `<InformationObject xmlns="http://preservica.com/XIP/v8.1"><Ref>${asset.ref}</Ref><Title>Pier</Title><SecurityTag>closed</SecurityTag><Parent>x</Parent></InformationObject>`;
    expect((await put(client, path, body)).status).toBe(200);
    expect(asset).toMatchObject({
      title: 'Pier',
      description: undefined,
      securityTag: 'open',
      parent: folder.ref,
    });
    expect((await put(client, path, '<InformationObject>')).status).toBe(400);
    expect((await put(client, path, body.replaceAll('Information', 'Structural'))).status).toBe(400);
    expect((await client(path, { method: 'DELETE' })).status).toBe(405);
  });

  it.each(['6.0', '7.7'])(
    'comes with the namespaces of version %s where that is asked for',
    async (version) => {
      const { client, path } = await setup();
      const { text } = await client(path.replace(api, `${api}/v${version}`));
      expect(text).toContain(`xmlns="http://preservica.com/EntityAPI/v${version}"`);
      expect(text).toContain(`xmlns:xip="http://preservica.com/XIP/v${version}"`);
    },
  );
});

describe('the way to a file', () => {
  it('leads over representation, content object, generation and bitstream', async () => {
    const { client, path } = await setup();
    const representations = await client(`${path}/representations`);
    expect(childrenAt(representations, 'Representations', 'Representation', 'type')).toEqual([
      'Preservation',
      'Access',
    ]);
    const [first] = childrenAt(representations, 'Representations', 'Representation');
    const [ref] = all(
      elementOf(await client(first ?? ''), 'Representation', 'ContentObjects'),
      'ContentObject',
    );
    const contentObject = await client(`${api}/content-objects/${ref?.text}`);
    const generations = await client(
      textAt(elementOf(contentObject, 'AdditionalInformation'), 'Generations') ?? '',
    );
    expect(childrenAt(generations, 'Generations', 'Generation', 'active')).toEqual(['true']);
    const generation = await client(childrenAt(generations, 'Generations', 'Generation')[0] ?? '');
    expect(generation.text).toContain('<xip:Generation original="true" active="true">');
    expect(childrenAt(generation, 'Bitstreams', 'Bitstream', 'filename')).toEqual(['harbour.tif']);
    const bitstream = await client(childrenAt(generation, 'Bitstreams', 'Bitstream')[0] ?? '');
    const element = elementOf(bitstream, 'Bitstream');
    expect(textAt(element, 'Filename')).toBe('harbour.tif');
    expect(textAt(element, 'FileSize')).toBe(String(content.byteLength));
    expect(bitstream.text).toContain(createHash('sha256').update(content).digest('hex'));
    const file = await client(textAt(elementOf(bitstream, 'AdditionalInformation'), 'Content') ?? '');
    expect(file.bytes.equals(content)).toBe(true);
  });

  it('ends in made-up bytes of the wanted length', async () => {
    const { client, asset } = await setup();
    const [, access] = asset.representations;
    const address = `${api}/content-objects/${access?.contentObjects[0]}/generations/1/bitstreams/2`;
    expect(textAt(elementOf(await client(address), 'Bitstream'), 'FileSize')).toBe('5000');
    expect((await client(`${address}/content`)).bytes.byteLength).toBe(5000);
  });

  it.each(['/representations/Access/2', '/representations/X/1', '/generations', '/children', '/x'])(
    'ends early at %s',
    async (part) => {
      const { client, path } = await setup();
      expect((await client(path + part)).status).toBe(404);
    },
  );

  it('has 500 pages in their order', async () => {
    const { client, library } = await setup();
    const volume = library.addAsset({ title: 'Minutes', pages: 500 });
    const answer = await client(`${api}/information-objects/${volume.ref}/representations/Preservation/1`);
    const refs = all(elementOf(answer, 'Representation', 'ContentObjects'), 'ContentObject');
    expect(refs.map(({ text }) => library.get(text)?.title)).toEqual(
      Array.from({ length: 500 }, (_, page) => `page-${String(page + 1).padStart(3, '0')}.tif`),
    );
  });
});
