import { drawPicture } from '../pictures.ts';
import type { Entity, Library } from './library.ts';

// The references never change, so that a second start finds the same assets again.
const ref = (number: number): string => `5a3b1e00-0000-4000-8000-${String(number).padStart(12, '0')}`;
const dublinCore = 'http://purl.org/dc/elements/1.1/';
const title = (text: string): { schema: string; content: string } => ({
  schema: dublinCore,
  content: `<dc:dc xmlns:dc="${dublinCore}"><dc:title>${text}</dc:title></dc:dc>`,
});

/** Fills a library with a small picture archive to try things out on; returns what an ingest would tell of, without the deleted one and the one that is closed to the account. */
export function addSampleLibrary(library: Library): Entity[] {
  const folder = library.addFolder({
    ref: ref(1),
    title: 'Harbour photographs',
    description: 'Glass negatives, 1890 to 1914',
  });
  const photo = (number: number, name: string) => ({
    name: `${name}.png`,
    bytes: drawPicture(ref(number), 400),
  });
  library.addAsset({ ref: ref(7), parent: folder.ref, title: 'Harbour, a second print' });
  library.markDeleted(ref(7));
  library.addAsset({ ref: ref(8), title: 'Personal papers of the pilot', securityTag: 'closed' });
  return [
    folder,
    library.addAsset({
      ref: ref(2),
      parent: folder.ref,
      title: 'Harbour, looking north',
      description: 'Glass negative, scanned',
      customType: 'Photograph',
      identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
      metadata: [title('Harbour')],
      representations: [{ type: 'Preservation', contentObjects: [[photo(2, 'harbour')]] }],
    }),
    library.addAsset({
      ref: ref(3),
      parent: folder.ref,
      title: 'The lighthouse keeper',
      customType: 'Photograph',
      identifiers: [{ type: 'CatalogueRef', value: 'MS/42/8' }],
      representations: [
        { type: 'Preservation', contentObjects: [[photo(3, 'lighthouse-keeper')]] },
        { type: 'Access', contentObjects: [[{ name: 'lighthouse-keeper.jpg' }]] },
      ],
    }),
    library.addAsset({
      ref: ref(4),
      parent: folder.ref,
      title: 'Café du Port, 東京 exhibition',
      description: 'Shown in 東京, 1912',
      identifiers: [{ type: 'Titre', value: 'café' }],
      metadata: [title('Café du Port')],
    }),
    library.addAsset({
      ref: ref(5),
      title: 'Harbour master’s log, 500 pages',
      pages: 500,
    }),
    library.addAsset({
      ref: ref(6),
      title: 'Sound of the fog horn',
      thumbnail: 'none',
      representations: [{ type: 'Preservation', contentObjects: [[{ name: 'fog-horn.wav' }]] }],
    }),
  ];
}
