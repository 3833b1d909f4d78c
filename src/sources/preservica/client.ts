import type { Identifier } from '../../pipeline/model/event.ts';
import type {
  FoundThumbnail,
  FetchResult,
  SourceClient,
  WantedAsset,
} from '../../pipeline/ports/source-client.ts';
import { fetchErrorResult, noList, unlessStopped } from '../fetch-error.ts';
import type { FetchDeps } from '../../pipeline/ports/source-kind.ts';
import { MissingParts, thumbnailWithout } from '../missing-parts.ts';
import { largeAnswers } from '../large-answers.ts';
import { listChanges } from './changes.ts';
import { detailsOf, readEntity, readIdentifiers } from './details.ts';
import { filesOf } from './files.ts';
import { readReference } from './fields.ts';
import { notAsExpected, EntityApi } from './entity-api.ts';
import { preservicaSession } from './login.ts';
import type { PreservicaSource } from './settings.ts';
import { wordAt } from './xml.ts';

const kinds = {
  asset: { path: 'information-objects', code: 'IO', element: 'InformationObject' },
  folder: { path: 'structural-objects', code: 'SO', element: 'StructuralObject' },
} as const;

// Identifiers come in one answer; an entity with thousands of them is read so far and no further.
const mostPages = 10;
const mostIdentifiers = 1000;

const longestCallMs = 30_000;

type PreservicaDeps = FetchDeps & {
  readonly source: PreservicaSource;
  /** How long one call may take, its body included. */
  readonly timeLimitMs?: number;
};

/** Preservica as the side that is asked. */
export function preservicaClient(deps: PreservicaDeps): SourceClient {
  const { source, timeLimitMs = longestCallMs } = deps;
  const now = (): number => deps.now();
  const session = preservicaSession({ ...deps, timeLimitMs, now });
  const largePlace = largeAnswers();
  const asking = { base: source.url, session, largePlace, timeLimitMs, now };
  return {
    async fetchAsset(asset, permit, signal) {
      const over = new AbortController();
      const ended = AbortSignal.any([signal, over.signal]);
      const questions = new EntityApi({ ...asking, permit, signal: ended });
      try {
        return await unlessStopped(signal, () => look(asset, questions, deps));
      } catch (error) {
        return fetchErrorResult(error, { source: source.name, log: deps.log });
      } finally {
        // What was asked at the same time and is no longer needed.
        over.abort();
      }
    },
    async listChanges(wanted, permit, signal) {
      const questions = new EntityApi({ ...asking, permit, signal });
      try {
        return await unlessStopped(signal, () => listChanges(wanted, questions));
      } catch (error) {
        return noList(fetchErrorResult(error, { source: source.name, log: deps.log }));
      }
    },
  };
}

async function look(asset: WantedAsset, questions: EntityApi, deps: PreservicaDeps): Promise<FetchResult> {
  const id = readReference(asset.id);
  if (id === undefined) return { kind: 'not-found', text: 'Preservica has no references like this one.' };
  const { path, code, element } = kinds[asset.kind];
  const home = `${path}/${id}`;
  const entityAsked = questions.document(home, 'EntityResponse', (document) => {
    const found = readEntity(document, element);
    if (found === undefined) throw notAsExpected('the entity that was asked for');
    // Always there. What a cache mixed up must not become another asset's record.
    if (found.ref !== id) throw notAsExpected('the reference of the entity');
    return found;
  });
  const missing = new MissingParts();
  const identifiersAsked = identifiersOf(home, questions, missing);
  const filesAsked =
    asset.kind === 'asset' ? filesOf(home, { questions, missing, maxFiles: deps.maxFiles }) : undefined;
  // Mark these promises as handled: they are awaited later.
  for (const asked of [identifiersAsked, filesAsked]) asked?.catch(() => undefined);

  const entity = await entityAsked;
  if (entity === undefined)
    return { kind: 'not-found', text: 'Preservica knows no entity by this reference.' };
  const about = { asset: { ...asset, id }, code, entity, portalUrl: deps.source.portalUrl };
  if (entity.deleted) {
    const identifiers = (await identifiersAsked.catch(() => undefined)) ?? [];
    return { kind: 'deleted', details: detailsOf(about, { identifiers }) };
  }
  const [identifiers, files] = await Promise.all([identifiersAsked, filesAsked]);
  // Last, so that a large picture does not stand in memory while the rest is asked for.
  const thumbnail = await thumbnailOf(`sdb:${code}|${id}`, { questions, missing, deps });
  const details = detailsOf(about, { identifiers, files, missing: missing.details });
  const { unfinished } = missing;
  return { kind: 'found', details, thumbnail, ...(unfinished === undefined ? {} : { unfinished }) };
}

/** Undefined where not even the first of them could be read. */
async function identifiersOf(
  home: string,
  questions: EntityApi,
  missing: MissingParts,
): Promise<Identifier[] | undefined> {
  let found: Identifier[] | undefined;
  let query: string | undefined = '';
  for (let page = 0; query !== undefined && page < mostPages; page += 1) {
    const most = mostIdentifiers - (found?.length ?? 0);
    const path: string = `${home}/identifiers${query}`;
    const read: { identifiers: Identifier[]; next: string | undefined } | undefined = await missing.read(
      'identifiers',
      async () =>
        await questions.part(path, 'IdentifiersResponse', (document) => ({
          identifiers: readIdentifiers(document).slice(0, most),
          next: nextPage(wordAt(document, 'Paging', 'Next')),
        })),
    );
    if (read === undefined) return found;
    found = [...(found ?? []), ...read.identifiers];
    query = found.length < mostIdentifiers ? read.next : undefined;
  }
  return found;
}

/** `Next` is a whole address; only its two numbers are taken, at our own base. */
function nextPage(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { searchParams } = new URL(address);
  const [start, max] = [searchParams.get('start') ?? '', searchParams.get('max') ?? ''];
  return /^\d{1,9}$/.test(start) && /^\d{1,9}$/.test(max) ? `?start=${start}&max=${max}` : undefined;
}

async function thumbnailOf(
  id: string,
  { questions, missing, deps }: { questions: EntityApi; missing: MissingParts; deps: PreservicaDeps },
): Promise<FoundThumbnail> {
  try {
    const bytes = await questions.thumbnail(id, deps.source.thumbnailSize ?? 'large', deps.maxThumbnailBytes);
    return bytes === undefined ? { kind: 'none' } : { kind: 'bytes', bytes };
  } catch (error) {
    return thumbnailWithout(error, missing);
  }
}
