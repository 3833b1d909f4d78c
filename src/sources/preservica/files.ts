import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { AssetFile } from '../../pipeline/model/record.ts';
import type { MissingParts } from '../missing-parts.ts';
import { readReference } from './fields.ts';
import { notAsExpected, type EntityApi } from './entity-api.ts';
import { all, at, attributeOf, textAt, wordAt, type XmlElement } from './xml.ts';

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

interface Asking {
  readonly questions: EntityApi;
  readonly missing: MissingParts;
  readonly maxFiles: number;
}

/**
 * The files of an asset's first Preservation and first Access representation: the master with its checksums, and the
 * copy that people see. Of each, `maxFiles` are looked at. Addresses inside the documents are not followed; only the
 * numbers at their ends are taken. Undefined where the representations could not be read.
 */
export async function filesOf(home: string, asking: Asking): Promise<FoundFiles | undefined> {
  const { questions, missing } = asking;
  const representations = await missing.read(
    'representations',
    async () =>
      await questions.part(`${home}/representations`, 'RepresentationsResponse', readRepresentations),
  );
  if (representations === undefined) return undefined;
  const wanted = ['Preservation', 'Access'].flatMap((type) => {
    const found = representations.find((each) => each.type === type);
    return found === undefined ? [] : [found];
  });
  const looked = await Promise.all(
    wanted.map(async (found) => ({ found, ...(await lookInto(home, found, asking)) })),
  );
  const files = looked.flatMap((each) => each.files);
  const fileCount = looked.reduce((sum, each) => sum + each.fileCount, 0);
  return {
    files,
    fileCount,
    filesTruncated: fileCount > files.length || looked.some((each) => each.contentObjects === undefined),
    representations: representations.map((each) => {
      const contentObjects = looked.find(({ found }) => found === each)?.contentObjects;
      return {
        type: each.type,
        name: each.name,
        ...(contentObjects === undefined ? {} : { contentObjects }),
      };
    }),
  };
}

/** Something that is named by an address; of that, only the number at its end is taken. */
interface Addressed {
  readonly element: string;
  readonly number: number | undefined;
}

interface Representation extends Addressed {
  readonly type: string;
  readonly name: string | null;
}

function readRepresentations(document: XmlElement): Representation[] {
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

/** `contentObjects` is undefined where the representation could not be read. */
async function lookInto(
  home: string,
  representation: Representation,
  { questions, missing, maxFiles }: Asking,
): Promise<{ contentObjects: number | undefined; files: AssetFile[]; fileCount: number }> {
  const { type } = representation;
  const read = await missing.read(`${type} representation`, async () => {
    const path = `${home}/representations/${type}/${numberIn(representation)}`;
    return await questions.part(path, 'RepresentationResponse', (document) => {
      const described = at(document, 'Representation');
      if (described === undefined) throw notAsExpected('a representation');
      const found = all(at(described, 'ContentObjects'), 'ContentObject');
      return {
        count: found.length,
        references: found.slice(0, maxFiles).map(({ text }) => readReference(text)),
      };
    });
  });
  if (read === undefined) return { contentObjects: undefined, files: [], fileCount: 0 };

  // All lists first, then the files: one content object with many of them takes no more calls than many with one.
  const generations = await Promise.all(
    read.references.map(
      async (reference) =>
        await missing.read(
          partName(reference),
          async () => await activeGenerations(reference, questions, maxFiles),
        ),
    ),
  );
  const known = generations.flatMap((each) => each?.active ?? []);
  const lists = await Promise.all(
    known
      .slice(0, maxFiles)
      .map(
        async ({ reference, path }) =>
          await missing.read(
            partName(reference),
            async () => await listBitstreams(path, questions, maxFiles),
          ),
      ),
  );
  const files = await Promise.all(
    known
      .slice(0, maxFiles)
      .flatMap(({ reference }, index) => (lists[index]?.paths ?? []).map((path) => ({ reference, path })))
      .slice(0, maxFiles)
      .map(
        async ({ reference, path }) =>
          await missing.read(
            `a file of ${partName(reference)}`,
            async () =>
              await questions.part(path, 'BitstreamResponse', (document) => readBitstream(document, type)),
          ),
      ),
  );
  const counted = lists.reduce((sum, each) => sum + (each?.count ?? 1), 0);
  const active = generations.reduce((sum, each) => sum + (each?.count ?? 0), 0);
  // What was not looked at has one file, as far as anybody knows.
  const unread =
    read.count - read.references.length + generations.filter((each) => each === undefined).length;
  return {
    contentObjects: read.count,
    files: files.filter((each) => each !== undefined),
    fileCount: counted + unread + active - lists.length,
  };
}

function partName(reference: string | undefined): string {
  return reference === undefined ? 'a content object without a reference' : `content object ${reference}`;
}

/** How many active generations a content object has, and the paths of the first `maxFiles`; of the last one where none is active. */
async function activeGenerations(
  reference: string | undefined,
  questions: EntityApi,
  maxFiles: number,
): Promise<{ count: number; active: { reference: string; path: string }[] }> {
  if (reference === undefined) throw notAsExpected('the reference of a content object');
  const home = `content-objects/${reference}/generations`;
  const { count, found } = await questions.part(home, 'GenerationsResponse', (document) => {
    const generations = all(at(document, 'Generations'), 'Generation');
    const active = generations.filter((each) => attributeOf(each, 'active') === 'true');
    const counted = active.length > 0 ? active : generations.slice(-1);
    return { count: counted.length, found: counted.slice(0, maxFiles).map(addressed) };
  });
  return { count, active: found.map((each) => ({ reference, path: `${home}/${numberIn(each)}` })) };
}

/** How many bitstreams a generation has, and the paths of the first `maxFiles`: a list may be long, and lists are many. */
async function listBitstreams(
  generation: string,
  questions: EntityApi,
  maxFiles: number,
): Promise<{ count: number; paths: string[] }> {
  // The list that is a direct child of the root; the one inside the generation holds names only.
  const { count, bitstreams } = await questions.part(generation, 'GenerationResponse', (document) => {
    const found = all(at(document, 'Bitstreams'), 'Bitstream');
    return { count: found.length, bitstreams: found.slice(0, maxFiles).map(addressed) };
  });
  return { count, paths: bitstreams.map((each) => `${generation}/bitstreams/${numberIn(each)}`) };
}

function readBitstream(document: XmlElement, representation: string): AssetFile {
  const bitstream = at(document, 'Bitstream');
  if (bitstream === undefined) throw notAsExpected('a bitstream');
  const size = wordAt(bitstream, 'FileSize') ?? '';
  return {
    name: sanitizeText(textAt(bitstream, 'Filename') ?? '', 4096),
    representation,
    sizeBytes: /^\d{1,15}$/.test(size) ? Number(size) : null,
    fixity: all(at(bitstream, 'Fixities'), 'Fixity')
      .slice(0, maxFixities)
      .flatMap((fixity) => {
        const [algorithm, value] = [wordAt(fixity, 'FixityAlgorithmRef'), wordAt(fixity, 'FixityValue')];
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
