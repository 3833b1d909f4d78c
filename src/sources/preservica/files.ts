import { cleanText } from '../../pipeline/clean-text.ts';
import type { AssetFile } from '../../pipeline/record.ts';
import { readReference } from './fields.ts';
import { notAsExpected, type Questions } from './questions.ts';
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
export async function filesOf(home: string, questions: Questions, maxFiles: number): Promise<FoundFiles> {
  const listed = await questions.part(`${home}/representations`, 'RepresentationsResponse');
  const representations = all(at(listed, 'Representations'), 'Representation').slice(0, maxRepresentations);
  const wanted = ['Preservation', 'Access'].flatMap((type) => {
    const element = representations.find((each) => attributeOf(each, 'type') === type);
    return element === undefined ? [] : [{ type, element }];
  });
  const looked = await Promise.all(
    wanted.map(async ({ type, element }) => {
      const path = `${home}/representations/${type}/${numberAtEnd(element)}`;
      return { element, ...(await lookInto(path, type, questions, maxFiles)) };
    }),
  );
  const files = looked.flatMap((each) => each.files);
  const fileCount = looked.reduce((sum, each) => sum + each.fileCount, 0);
  return {
    files,
    fileCount,
    filesTruncated: fileCount > files.length,
    representations: representations.map((element) => {
      const into = looked.find((each) => each.element === element);
      const name = attributeOf(element, 'name');
      return {
        type: cleanText(attributeOf(element, 'type') ?? '', 256),
        name: name === undefined ? null : cleanText(name, 1024),
        ...(into === undefined ? {} : { contentObjects: into.contentObjects }),
      };
    }),
  };
}

async function lookInto(
  path: string,
  representation: string,
  questions: Questions,
  maxFiles: number,
): Promise<{ contentObjects: number; files: AssetFile[]; fileCount: number }> {
  const document = await questions.part(path, 'RepresentationResponse');
  const described = at(document, 'Representation');
  if (described === undefined) throw notAsExpected('a representation');
  const contentObjects = all(at(described, 'ContentObjects'), 'ContentObject');
  // All lists first, then the files: one content object with many of them takes no more calls than many with one.
  const listed = await Promise.all(
    contentObjects
      .slice(0, maxFiles)
      .map(async (element) => await listBitstreams(element, questions, maxFiles)),
  );
  const files = await Promise.all(
    listed
      .flatMap((each) => each.paths)
      .slice(0, maxFiles)
      .map(async (each) => readBitstream(await questions.part(each, 'BitstreamResponse'), representation)),
  );
  const notLookedAt = contentObjects.length - listed.length;
  const counted = listed.reduce((sum, each) => sum + each.count, 0);
  return { contentObjects: contentObjects.length, files, fileCount: counted + notLookedAt };
}

/** How many bitstreams the active generation has, and the paths of the first `maxFiles`: a list may be long, and lists are many. */
async function listBitstreams(
  contentObject: XmlElement,
  questions: Questions,
  maxFiles: number,
): Promise<{ count: number; paths: string[] }> {
  const reference = readReference(contentObject.text);
  if (reference === undefined) throw notAsExpected('the reference of a content object');
  const home = `content-objects/${reference}/generations`;
  const listed = await questions.part(home, 'GenerationsResponse');
  const generations = all(at(listed, 'Generations'), 'Generation');
  const active = generations.find((each) => attributeOf(each, 'active') === 'true') ?? generations.at(-1);
  if (active === undefined) return { count: 0, paths: [] };

  // Section 3.5: the list that is a direct child of the root; the one inside the generation holds names only.
  const generation = `${home}/${numberAtEnd(active)}`;
  const document = await questions.part(generation, 'GenerationResponse');
  const bitstreams = all(at(document, 'Bitstreams'), 'Bitstream');
  const paths = bitstreams.slice(0, maxFiles).map((each) => `${generation}/bitstreams/${numberAtEnd(each)}`);
  return { count: bitstreams.length, paths };
}

function readBitstream(document: XmlElement, representation: string): AssetFile {
  const bitstream = at(document, 'Bitstream');
  if (bitstream === undefined) throw notAsExpected('a bitstream');
  const size = textAt(bitstream, 'FileSize') ?? '';
  return {
    name: cleanText(textAt(bitstream, 'Filename') ?? '', 4096),
    representation,
    sizeBytes: /^\d{1,15}$/.test(size) ? Number(size) : null,
    fixity: all(at(bitstream, 'Fixities'), 'Fixity')
      .slice(0, maxFixities)
      .flatMap((fixity) => {
        const [algorithm, value] = [textAt(fixity, 'FixityAlgorithmRef'), textAt(fixity, 'FixityValue')];
        if (algorithm === undefined || value === undefined) return [];
        return [{ algorithm: cleanText(algorithm, 64).toUpperCase(), value: cleanText(value, 1024) }];
      }),
  };
}

/** The number that the address inside this element ends in. */
function numberAtEnd(element: XmlElement): number {
  const found = /\/(\d{1,9})\/?\s*$/.exec(element.text.slice(-64))?.[1];
  if (found === undefined) throw notAsExpected(`the address of a ${cleanText(element.name, 64)}`);
  return Number(found);
}
