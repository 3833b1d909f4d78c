import pLimit from 'p-limit';
import type { AssetFile } from '../../pipeline/record.ts';
import type { Questions } from './questions.ts';
import { all, at, textAt, type XmlElement } from './xml.ts';

export interface FoundFiles {
  readonly files: AssetFile[];
  /** Files found, and one for each content object that was not looked at. */
  readonly fileCount: number;
  readonly filesTruncated: boolean;
  /** All representations, those that were not looked into included. */
  readonly representations: { type: string; name: string | null; contentObjects?: number }[];
}

// Of one asset; the gate holds all assets together to their own number.
const askedAtOnce = 8;

/**
 * The files of an asset's first Preservation and first Access representation: the master with its checksums, and the
 * copy that people see (sections 3.4 to 3.6). Of each, `maxFiles` are looked at. Addresses inside the documents are
 * not followed; only the numbers at their ends are taken.
 */
export async function filesOf(home: string, questions: Questions, maxFiles: number): Promise<FoundFiles> {
  const listed = await questions.part(`${home}/representations`);
  const representations = all(at(listed, 'Representations'), 'Representation').map((element) => ({
    type: element.attributes['type'] ?? '',
    name: element.attributes['name'] ?? null,
    number: lastNumber(element.text),
  }));
  const limit = pLimit(askedAtOnce);
  const looked = await Promise.all(
    ['Preservation', 'Access'].flatMap((type) => {
      const first = representations.find((each) => each.type === type);
      if (first?.number === undefined) return [];
      return [
        lookInto(`${home}/representations/${type}/${first.number}`, first, { questions, maxFiles, limit }),
      ];
    }),
  );
  return {
    files: looked.flatMap(({ files }) => files),
    fileCount: looked.reduce((sum, { files, left }) => sum + files.length + left, 0),
    filesTruncated: looked.some(({ left }) => left > 0),
    representations: representations.map(({ type, name, number }) => {
      const into = looked.find(({ of }) => of.type === type && of.number === number);
      return { type, name, ...(into === undefined ? {} : { contentObjects: into.contentObjects }) };
    }),
  };
}

interface Looking {
  readonly questions: Questions;
  readonly maxFiles: number;
  readonly limit: ReturnType<typeof pLimit>;
}

async function lookInto(path: string, of: { type: string; number: string | undefined }, looking: Looking) {
  const { questions, maxFiles, limit } = looking;
  const document = await questions.part(path);
  const contentObjects = all(at(document, 'Representation', 'ContentObjects'), 'ContentObject').flatMap(
    (element) => {
      const reference = element.text.trim().toLowerCase();
      return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(reference) ? [reference] : [];
    },
  );
  const found = await Promise.all(
    contentObjects
      .slice(0, maxFiles)
      .map(
        async (reference) =>
          await limit(async () => await filesOfContentObject(reference, of.type, questions, maxFiles)),
      ),
  );
  const files = found.flat();
  const notLookedAt = Math.max(0, contentObjects.length - maxFiles);
  return {
    of,
    contentObjects: contentObjects.length,
    files: files.slice(0, maxFiles).flatMap((file) => (file === undefined ? [] : [file])),
    left:
      notLookedAt +
      Math.max(0, files.length - maxFiles) +
      files.slice(0, maxFiles).filter((file) => file === undefined).length,
  };
}

/** The files of the active generation; undefined stands for one that is there and was not looked at. */
async function filesOfContentObject(
  reference: string,
  representation: string,
  questions: Questions,
  maxFiles: number,
): Promise<(AssetFile | undefined)[]> {
  const home = `content-objects/${reference}/generations`;
  const generations = all(at(await questions.part(home), 'Generations'), 'Generation');
  const active = generations.find(({ attributes }) => attributes['active'] === 'true') ?? generations.at(-1);
  const generation = active === undefined ? undefined : lastNumber(active.text);
  if (generation === undefined) return [];

  // Section 3.5: the list that is a direct child of the root; the one inside the generation holds names only.
  const document = await questions.part(`${home}/${generation}`);
  const bitstreams = all(at(document, 'Bitstreams'), 'Bitstream').flatMap(
    ({ text }) => lastNumber(text) ?? [],
  );
  return await Promise.all(
    bitstreams.map(async (number, index) =>
      index >= maxFiles
        ? undefined
        : readBitstream(await questions.part(`${home}/${generation}/bitstreams/${number}`), representation),
    ),
  );
}

function readBitstream(document: XmlElement, representation: string): AssetFile {
  const bitstream = at(document, 'Bitstream');
  const size = textAt(bitstream, 'FileSize') ?? '';
  return {
    name: textAt(bitstream, 'Filename') ?? '',
    representation,
    sizeBytes: /^\d{1,15}$/.test(size) ? Number(size) : null,
    fixity: all(at(bitstream, 'Fixities'), 'Fixity').flatMap((fixity) => {
      const [algorithm, value] = [textAt(fixity, 'FixityAlgorithmRef'), textAt(fixity, 'FixityValue')];
      return algorithm === undefined || value === undefined ? [] : [{ algorithm, value }];
    }),
  };
}

/** The number that an address ends in. */
function lastNumber(address: string): string | undefined {
  return /\/(\d{1,9})\/?\s*$/.exec(address)?.[1];
}
