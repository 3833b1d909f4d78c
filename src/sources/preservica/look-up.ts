import type { SourceConfig } from '../../config.ts';
import { UpstreamError } from '../../errors.ts';
import type { Identifier } from '../../pipeline/event.ts';
import type { FoundThumbnail, Finding, SourceSystem, WantedAsset } from '../../pipeline/source-system.ts';
import { findingOf, unlessStopped } from '../finding-of.ts';
import type { AskingDeps } from '../index.ts';
import { detailsOf, isDeleted, readIdentifiers } from './details.ts';
import { filesOf } from './files.ts';
import { readReference } from './fields.ts';
import { notAsExpected, Questions } from './questions.ts';
import { preservicaSession } from './login.ts';
import { at, textAt } from './xml.ts';

// Section 3.1.
const kinds = {
  asset: { path: 'information-objects', code: 'IO' },
  folder: { path: 'structural-objects', code: 'SO' },
} as const;

// Identifiers come in one answer; an entity with thousands of them is read so far and no further.
const mostPages = 10;
const mostIdentifiers = 1000;

const longestCallMs = 30_000;

type PreservicaDeps = AskingDeps & {
  readonly source: SourceConfig;
  /** How long one call may take, its body included. */
  readonly timeLimitMs?: number;
};

/** Preservica as the side that is asked (reference/preservica.md, sections 1 and 3). */
export function preservicaSystem(deps: PreservicaDeps): SourceSystem {
  const { source, timeLimitMs = longestCallMs } = deps;
  const now = (): number => deps.now();
  const session = preservicaSession({ ...deps, timeLimitMs, now });
  return {
    async lookUp(asset, turn, signal) {
      const over = new AbortController();
      const ended = AbortSignal.any([signal, over.signal]);
      const questions = new Questions({ base: source.url, session, turn, signal: ended, timeLimitMs, now });
      try {
        return await unlessStopped(signal, () => look(asset, questions, deps));
      } catch (error) {
        return findingOf(error, { source: source.name, log: deps.log });
      } finally {
        // What was asked at the same time and is no longer needed.
        over.abort();
      }
    },
  };
}

async function look(asset: WantedAsset, questions: Questions, deps: PreservicaDeps): Promise<Finding> {
  const id = readReference(asset.id);
  if (id === undefined) return { kind: 'not-found', text: 'Preservica has no references like this one.' };
  const { path, code } = kinds[asset.kind];
  const home = `${path}/${id}`;
  const entityAsked = questions.document(home, 'EntityResponse');
  const identifiersAsked = identifiersOf(home, questions);
  const filesAsked =
    asset.kind === 'asset' ? filesOf(home, questions, deps.maxFiles) : Promise.resolve(undefined);
  const thumbnailAsked = thumbnailOf(`sdb:${code}|${id}`, questions, deps);
  // They are awaited one after another; a failure of a later one must not count as nobody's meanwhile.
  for (const asked of [identifiersAsked, filesAsked, thumbnailAsked]) asked.catch(() => undefined);

  const document = await entityAsked;
  if (document === undefined)
    return { kind: 'not-found', text: 'Preservica knows no entity by this reference.' };
  const entity = at(document, asset.kind === 'asset' ? 'InformationObject' : 'StructuralObject');
  if (entity === undefined) throw notAsExpected('the entity that was asked for');
  // Section 3.3: always there. What a cache mixed up must not become another asset's record.
  if (readReference(textAt(entity, 'Ref')) !== id) throw notAsExpected('the reference of the entity');
  const about = { asset: { ...asset, id }, code, document, entity, portalUrl: deps.source.portalUrl };
  if (isDeleted(entity)) {
    const identifiers = await identifiersAsked.catch(() => []);
    return { kind: 'deleted', details: detailsOf(about, identifiers, undefined) };
  }
  const [identifiers, files, thumbnail] = await Promise.all([identifiersAsked, filesAsked, thumbnailAsked]);
  return { kind: 'found', details: detailsOf(about, identifiers, files), thumbnail };
}

async function identifiersOf(home: string, questions: Questions): Promise<Identifier[]> {
  const found: Identifier[] = [];
  let query: string | undefined = '';
  for (let page = 0; query !== undefined && page < mostPages; page += 1) {
    const document = await questions.part(`${home}/identifiers${query}`, 'IdentifiersResponse');
    found.push(...readIdentifiers(document).slice(0, mostIdentifiers - found.length));
    query = found.length < mostIdentifiers ? nextPage(textAt(document, 'Paging', 'Next')) : undefined;
  }
  return found;
}

/** Section 3.10: `Next` is a whole address; only its two numbers are taken, at our own base. */
function nextPage(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { searchParams } = new URL(address);
  const [start, max] = [searchParams.get('start') ?? '', searchParams.get('max') ?? ''];
  return /^\d{1,9}$/.test(start) && /^\d{1,9}$/.test(max) ? `?start=${start}&max=${max}` : undefined;
}

async function thumbnailOf(id: string, questions: Questions, deps: PreservicaDeps): Promise<FoundThumbnail> {
  try {
    const bytes = await questions.thumbnail(id, deps.source.thumbnailSize ?? 'large', deps.maxThumbnailBytes);
    return bytes === undefined ? { kind: 'none' } : { kind: 'bytes', bytes };
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'UPSTREAM_TOO_LARGE' && error.status === 200) {
      return { kind: 'too-large' };
    }
    throw error;
  }
}
