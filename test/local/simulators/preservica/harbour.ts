import { all, attributeOf } from '../../../../src/sources/preservica/xml.ts';
import { clientOf, elementOf, startSimulator, type Answered, type Client } from './client.ts';

/** The Entity API without a version. */
export const api = '/api/entity';
export const dublinCore = 'http://purl.org/dc/elements/1.1/';
export const content = Buffer.from('a scan of a harbour');

/** A folder with one asset that has everything. */
export async function setup() {
  const simulator = await startSimulator();
  const { library } = simulator;
  const folder = library.addFolder({ title: 'Glass negatives' });
  const asset = library.addAsset({
    title: 'Harbour <north> & "south"',
    description: 'Glass negative, scanned',
    customType: 'Photograph',
    parent: folder.ref,
    identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
    metadata: [
      {
        schema: dublinCore,
        content: `<dc:dc xmlns:dc="${dublinCore}"><dc:title>Harbour</dc:title></dc:dc>`,
      },
    ],
    representations: [
      { type: 'Preservation', contentObjects: [[{ name: 'harbour.tif', bytes: content }]] },
      {
        type: 'Access',
        contentObjects: [[{ name: 'a.jpg' }, { name: 'b.jpg', size: 5000 }], [{ name: 'c.jpg' }]],
      },
    ],
  });
  const client = await clientOf(simulator);
  return { simulator, library, folder, asset, client, path: `${api}/information-objects/${asset.ref}` };
}

export const put = async (client: Client, path: string, body: string, method = 'PUT'): Promise<Answered> =>
  await client(path, { method, body, headers: { 'content-type': 'application/xml;charset=UTF-8' } });

/** Attribute or text of each element below that path. */
export const childrenAt = (answer: Answered, parent: string, name: string, attribute?: string) =>
  all(elementOf(answer, parent), name).map((element) =>
    attribute === undefined ? element.text : attributeOf(element, attribute),
  );
