import type { SourceConfig } from '../../config.ts';
import { UpstreamError } from '../../errors.ts';
import type { Identifier } from '../../pipeline/event.ts';
import type { FoundThumbnail, Finding, SourceSystem, WantedAsset } from '../../pipeline/source-system.ts';
import type { AskingDeps } from '../index.ts';
import { detailsOf, isDeleted, readIdentifiers } from './details.ts';
import { filesOf } from './files.ts';
import { Questions } from './questions.ts';
import { Session } from './session.ts';
import { at, textAt } from './xml.ts';

// Section 3.1.
const kinds = {
  asset: { path: 'information-objects', code: 'IO' },
  folder: { path: 'structural-objects', code: 'SO' },
} as const;

// Identifiers come in one answer; an entity with thousands of them is read so far and no further.
const mostPages = 10;

type PreservicaDeps = AskingDeps & { readonly source: SourceConfig };

/** Preservica as the side that is asked (reference/preservica.md, sections 1 and 3). */
export function preservicaSystem(deps: PreservicaDeps): SourceSystem {
  const { source } = deps;
  const session = new Session(
    { source: source.name, url: source.url, username: source.username, tenant: source.tenant },
    { secrets: deps.secrets, refusedForMs: deps.firstRetryDelayMs, now: () => deps.now() },
  );
  return {
    async lookUp(asset, turn, signal) {
      const over = new AbortController();
      const questions = new Questions({
        base: source.url,
        session,
        turn,
        signal: AbortSignal.any([signal, over.signal]),
        now: () => deps.now(),
      });
      try {
        return await look(asset, questions, deps);
      } catch (error) {
        return findingOf(error);
      } finally {
        // What was asked at the same time and is no longer needed.
        over.abort();
      }
    },
  };
}

async function look(asset: WantedAsset, questions: Questions, deps: PreservicaDeps): Promise<Finding> {
  const { path, code } = kinds[asset.kind];
  const home = `${path}/${asset.id}`;
  const entityAsked = questions.document(home);
  const identifiersAsked = identifiersOf(home, questions);
  const filesAsked =
    asset.kind === 'asset' ? filesOf(home, questions, deps.maxFiles) : Promise.resolve(undefined);
  const thumbnailAsked = thumbnailOf(`sdb:${code}|${asset.id}`, questions, deps);
  // They are awaited one after another; a failure of a later one must not count as nobody's meanwhile.
  for (const asked of [identifiersAsked, filesAsked, thumbnailAsked]) asked.catch(() => undefined);

  const document = await entityAsked;
  if (document === undefined)
    return { kind: 'not-found', text: 'Preservica knows no entity by this reference.' };
  const entity = at(document, asset.kind === 'asset' ? 'InformationObject' : 'StructuralObject');
  if (entity === undefined) {
    throw new UpstreamError(
      'UPSTREAM_UNREADABLE',
      'Preservica sent a document without the entity that was asked for.',
    );
  }
  const about = { asset, code, document, entity, portalUrl: deps.source.portalUrl };
  if (isDeleted(entity)) {
    const identifiers = await identifiersAsked.catch(() => []);
    return { kind: 'deleted', details: detailsOf(about, identifiers, undefined) };
  }
  const [identifiers, files, thumbnail] = await Promise.all([identifiersAsked, filesAsked, thumbnailAsked]);
  return { kind: 'found', details: detailsOf(about, identifiers, files), thumbnail };
}

async function identifiersOf(home: string, questions: Questions): Promise<Identifier[]> {
  const found: Identifier[] = [];
  let query = '';
  for (let page = 0; page < mostPages; page += 1) {
    const document = await questions.part(`${home}/identifiers${query}`);
    found.push(...readIdentifiers(document));
    const next = nextPage(textAt(document, 'Paging', 'Next'));
    if (next === undefined) return found;
    query = next;
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

function findingOf(error: unknown): Finding {
  if (!(error instanceof UpstreamError)) throw error;
  const { code, message: text, status = 0, retryAfterMs } = error;
  const again = (why: 'source-unavailable' | 'rate-limited' | 'login-refused'): Finding => ({
    kind: 'again',
    code: why,
    text,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  switch (code) {
    case 'UPSTREAM_TIMEOUT':
    case 'UPSTREAM_CONNECTION':
      return again('source-unavailable');
    case 'UPSTREAM_LOGIN_REFUSED':
      return again('login-refused');
    case 'UPSTREAM_TOO_LARGE':
    case 'UPSTREAM_UNREADABLE':
      return { kind: 'unreadable-answer', text };
    case 'UPSTREAM_STATUS':
      if (status === 403) return { kind: 'no-permission', text: 'The account may not read this asset.' };
      if (status === 429) return again('rate-limited');
      // 408 and 425 ask to be asked again, a redirect may be an outage's page; other 4xx will say the same for ever.
      if (status >= 500 || status < 400 || status === 408 || status === 425)
        return again('source-unavailable');
      return { kind: 'unreadable-answer', text };
    default:
      return code satisfies never;
  }
}
