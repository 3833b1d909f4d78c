import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { AssetFile } from '../../pipeline/model/record.ts';
import { readReference } from './fields.ts';
import { notAsExpected, type EntityApi } from './entity-api.ts';
import { all, at, attributeOf, textAt, type XmlElement } from './xml.ts';

export interface FoundFiles {
  readonly files: AssetFile[];
  /** Files found, and one for each content object that was not looked at. */
  readonly fileCount: number;
  readonly filesTruncated: boolean;
  /** All representations, those that were not looked into included. */
  readonly representations: { type: string; name: string | null; contentObjects?: number }[];
}

const maxRepresentations = 1000;
const maxFixities = 20;

/**
 * The files of an asset's first Preservation and first Access representation: the master with its checksums, and the
 * copy that people see (sections 3.4 to 3.6). Of each, `maxFiles` are looked at. Addresses inside the documents are
 * not followed; only the numbers at their ends are taken.
 */
export async function filesOf(home: string, questions: EntityApi, maxFiles: number): Promise<FoundFiles> {
  const representations = await questions.part(
    `${home}/representations`,
    'RepresentationsResponse',
    readRepresentations,
  );
  const wanted = ['Preservation', 'Access'].flatMap((type) => {
    const found = representations.find((each) => each.type === type);
    return found === undefined ? [] : [found];
  });
  const looked = await Promise.all(
    wanted.map(async (found) => {
      const path = `${home}/representations/${found.type}/${numberIn(found)}`;
      return { found, ...(await lookInto(path, found.type, questions, maxFiles)) };
    }),
  );
  const files = looked.flatMap((each) => each.files);
  const fileCount = looked.reduce((sum, each) => sum + each.fileCount, 0);
  return {
    files,
    fileCount,
    filesTruncated: fileCount > files.length,
    representations: representations.map((each) => {
      const into = looked.find(({ found }) => found === each);
      return {
        type: each.type,
        name: each.name,
        ...(into === undefined ? {} : { contentObjects: into.contentObjects }),
      };
    }),
  };
}

/** Something that is named by an address; of that, only the number at its end is taken. */
interface Addressed {
  readonly element: string;
  readonly number: number | undefined;
}

function readRepresentations(document: XmlElement): (Addressed & { type: string; name: string | null })[] {
  return all(at(document, 'Representations'), 'Representation')
    .slice(0, maxRepresentations)
    .map((element) => {
      const name = attributeOf(element, 'name');
      return {
        ...addressed(element),
        type: sanitizeText(attributeOf(element, 'type') ?? '', 256),
        name: name === undefined ? null : sanitizeText(name, 1024),
      };
    });
}

async function lookInto(
  path: string,
  representation: string,
  questions: EntityApi,
  maxFiles: number,
): Promise<{ contentObjects: number; files: AssetFile[]; fileCount: number }> {
  const { contentObjects, references } = await questions.part(path, 'RepresentationResponse', (document) => {
    const described = at(document, 'Representation');
    if (described === undefined) throw notAsExpected('a representation');
    const found = all(at(described, 'ContentObjects'), 'ContentObject');
    return {
      contentObjects: found.length,
      references: found.slice(0, maxFiles).map(({ text }) => readReference(text)),
    };
  });
  // All lists first, then the files: one content object with many of them takes no more calls than many with one.
  const listed = await Promise.all(
    references.map(async (reference) => await listBitstreams(reference, questions, maxFiles)),
  );
  const files = await Promise.all(
    listed
      .flatMap((each) => each.paths)
      .slice(0, maxFiles)
      .map(
        async (each) =>
          await questions.part(each, 'BitstreamResponse', (document) =>
            readBitstream(document, representation),
          ),
      ),
  );
  const notLookedAt = contentObjects - listed.length;
  const counted = listed.reduce((sum, each) => sum + each.count, 0);
  return { contentObjects, files, fileCount: counted + notLookedAt };
}

/** How many bitstreams the active generation has, and the paths of the first `maxFiles`: a list may be long, and lists are many. */
async function listBitstreams(
  reference: string | undefined,
  questions: EntityApi,
  maxFiles: number,
): Promise<{ count: number; paths: string[] }> {
  if (reference === undefined) throw notAsExpected('the reference of a content object');
  const home = `content-objects/${reference}/generations`;
  const { active } = await questions.part(home, 'GenerationsResponse', (document) => {
    const generations = all(at(document, 'Generations'), 'Generation');
    const found = generations.find((each) => attributeOf(each, 'active') === 'true') ?? generations.at(-1);
    return { active: found === undefined ? undefined : addressed(found) };
  });
  if (active === undefined) return { count: 0, paths: [] };

  // Section 3.5: the list that is a direct child of the root; the one inside the generation holds names only.
  const generation = `${home}/${numberIn(active)}`;
  const { count, bitstreams } = await questions.part(generation, 'GenerationResponse', (document) => {
    const found = all(at(document, 'Bitstreams'), 'Bitstream');
    return { count: found.length, bitstreams: found.slice(0, maxFiles).map(addressed) };
  });
  return { count, paths: bitstreams.map((each) => `${generation}/bitstreams/${numberIn(each)}`) };
}

function readBitstream(document: XmlElement, representation: string): AssetFile {
  const bitstream = at(document, 'Bitstream');
  if (bitstream === undefined) throw notAsExpected('a bitstream');
  const size = textAt(bitstream, 'FileSize') ?? '';
  return {
    name: sanitizeText(textAt(bitstream, 'Filename') ?? '', 4096),
    representation,
    sizeBytes: /^\d{1,15}$/.test(size) ? Number(size) : null,
    fixity: all(at(bitstream, 'Fixities'), 'Fixity')
      .slice(0, maxFixities)
      .flatMap((fixity) => {
        const [algorithm, value] = [textAt(fixity, 'FixityAlgorithmRef'), textAt(fixity, 'FixityValue')];
        if (algorithm === undefined || value === undefined) return [];
        return [{ algorithm: sanitizeText(algorithm, 64).toUpperCase(), value: sanitizeText(value, 1024) }];
      }),
  };
}

function addressed(element: XmlElement): Addressed {
  const found = /\/(\d{1,9})\/?\s*$/.exec(element.text.slice(-64))?.[1];
  return { element: sanitizeText(element.name, 64), number: found === undefined ? undefined : Number(found) };
}

function numberIn({ element, number }: Addressed): number {
  if (number === undefined) throw notAsExpected(`the address of a ${element}`);
  return number;
}
