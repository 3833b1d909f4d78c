import type { Clock } from '../../pipeline/ports/clock.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import type { Permit } from '../../pipeline/ports/permit.ts';
import { isJsonObject } from '../../pipeline/model/read-json.ts';
import type {
  FoundThumbnail,
  FetchResult,
  FetchContext,
  SourceClient,
} from '../../pipeline/ports/source-client.ts';
import { fetchErrorResult, noList, unlessStopped } from '../fetch-error.ts';
import type { FetchDeps } from '../../pipeline/ports/source-kind.ts';
import type { CallAnswer, CallInit, CallLimits } from '../http-call.ts';
import { mayPass, MissingParts, thumbnailWithout } from '../missing-parts.ts';
import { readInTurn } from '../read-in-turn.ts';
import type { Session } from '../session.ts';
import { withinBase } from '../within-base.ts';
import { changesForm, changesIn } from './changes.ts';
import { changedTo, fieldBehind, type Comparable } from './stale-index.ts';
import { callAssets, systemName } from './call.ts';
import { detailsOf, usualFields } from './details.ts';
import { woodwingSession } from './login.ts';
import type { WoodwingSource } from './settings.ts';
import { plainValue, readSearchAnswer, searchForm, type Hit, type SearchAnswer } from './search.ts';

const longestCallMs = 30_000;
// A hit's fields are asked for by name; it has some kilobytes.
const maxSearchBytes = 2_097_152;

type WoodwingDeps = FetchDeps & {
  readonly source: WoodwingSource;
  /** How long one call may take, its body included. */
  readonly timeLimitMs?: number;
};

/** WoodWing Assets as the side that is asked. */
export function woodwingClient(deps: WoodwingDeps): SourceClient {
  const { source, timeLimitMs = longestCallMs } = deps;
  const now = (): number => deps.now();
  const session = woodwingSession({ ...deps, timeLimitMs, now });
  return {
    async fetchAsset({ id }, permit, signal, context) {
      const asking = { session, permit, signal, timeLimitMs, now };
      try {
        return await unlessStopped(signal, () => look(id, context, asking, deps));
      } catch (error) {
        return fetchErrorResult(error, { source: source.name, log: deps.log });
      }
    },
    async listChanges(wanted, permit, signal) {
      const asking = { session, permit, signal, timeLimitMs, now };
      try {
        return await unlessStopped(signal, async () =>
          changesIn(await search(changesForm(wanted), source, asking), wanted),
        );
      } catch (error) {
        return noList(fetchErrorResult(error, { source: source.name, log: deps.log }));
      }
    },
  };
}

interface Asking extends Clock {
  readonly session: Session;
  readonly permit: Permit;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
}

async function look(
  id: string,
  { event, laterEventKnown, removed }: FetchContext,
  asking: Asking,
  deps: WoodwingDeps,
): Promise<FetchResult> {
  const { source } = deps;
  // What an asset was, an event about its removal may still tell.
  const told = { metadata: objectIn(event.data, 'metadata') };
  const gone: FetchResult = {
    kind: 'deleted',
    details: detailsOf(told, id, source),
    ...(event.removal === true && !laterEventKnown ? {} : { detailsMayBeOld: true }),
  };
  // The search may go on showing it for a while.
  if (removed) return gone;

  const changed = laterEventKnown ? new Map<string, Comparable>() : changedTo(event);
  const fields = [...new Set([...usualFields, ...source.metadataFields, ...changed.keys()])];
  const { hits } = await search(searchForm(id, fields), source, asking);
  const hit = hits.find((each) => each.id === id);
  if (hit === undefined) {
    if (event.removal === true) return gone;
    return {
      kind: 'not-visible',
      text: 'WoodWing Assets does not show this asset to our account: it is not indexed yet, out of its sight, or gone.',
    };
  }
  const field = fieldBehind(changed, hit);
  const missing = new MissingParts();
  const thumbnail = await thumbnailOf(hit, { asking, deps, missing });
  const found = detailsOf(hit, id, source);
  const { unfinished } = missing;
  return {
    kind: 'found',
    details: { ...found, details: { ...found.details, ...missing.details } },
    thumbnail,
    ...(unfinished === undefined ? {} : { unfinished }),
    ...(field === undefined
      ? {}
      : { behind: `WoodWing Assets still tells of ${field} what it was before this event.` }),
  };
}

async function search(body: URLSearchParams, { url }: WoodwingSource, asking: Asking): Promise<SearchAnswer> {
  const answer = await ask(
    new URL(`${url}/services/search`),
    { method: 'POST', headers: { accept: 'application/json' }, body },
    { maxBytes: maxSearchBytes, expects: 'json' },
    asking,
  );
  if (answer.status !== 200) throw statusError(answer);
  return await readInTurn(answer.bytes.byteLength, () => readSearchAnswer(answer.bytes));
}

/** The asset's picture, at the hit's own address where that is below the configured base, else by the asset's id. */
async function thumbnailOf(
  hit: Hit,
  { asking, deps, missing }: { asking: Asking; deps: WoodwingDeps; missing: MissingParts },
): Promise<FoundThumbnail> {
  const { source, maxThumbnailBytes } = deps;
  const wantsPreview = source.thumbnailSize === 'medium' || source.thumbnailSize === 'large';
  const [path, given] = wantsPreview
    ? (['preview', hit.previewUrl ?? hit.thumbnailUrl] as const)
    : (['thumbnail', hit.thumbnailUrl ?? hit.previewUrl] as const);
  const state = plainValue(hit.metadata['previewState']);
  if (given === undefined && typeof state === 'string' && state !== 'yes') return { kind: 'pending' };

  const own = given === undefined ? undefined : withinBase(given, source.url);
  let refusal: UpstreamError | undefined;
  try {
    for (const url of own === undefined ? addressesById(source.url, path, hit.id) : [own]) {
      const limits = { maxBytes: maxThumbnailBytes, expects: 'picture' } as const;
      const answer = await ask(url, { headers: { accept: 'image/*' } }, limits, asking);
      if (answer.status === 200) return { kind: 'bytes', bytes: answer.bytes };
      if (answer.status === 409) return { kind: 'pending' };
      const error = statusError(answer);
      if (mayPass(error)) throw error;
      if (answer.status !== 404) refusal ??= error;
    }
    if (refusal !== undefined) throw refusal;
    return { kind: 'none' };
  } catch (error) {
    return thumbnailWithout(error, missing);
  }
}

/** Addresses of a picture by id, the better known first: which server has which is not known. */
function addressesById(base: string, path: 'thumbnail' | 'preview', id: string): URL[] {
  const [short, rest] = [new URL(`${base}/${path}/${id}`), new URL(`${base}/api/asset/${id}/${path}`)];
  return path === 'preview' ? [short, rest] : [rest, short];
}

async function ask(
  url: URL,
  init: CallInit,
  limits: Pick<CallLimits, 'maxBytes' | 'expects'>,
  asking: Asking,
): Promise<CallAnswer> {
  const { session, permit, signal, timeLimitMs } = asking;
  const now = (): number => asking.now();
  return await session.ask(permit, async (token) => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return await permit.call(
      async () => await callAssets(url, { ...init, headers }, { ...limits, timeLimitMs, signal, now }),
    );
  });
}

function statusError({ status, retryAfterMs }: CallAnswer): UpstreamError {
  const redirected = status >= 300 && status < 400;
  const text = `${systemName} answered ${status}${redirected ? ', a redirect, which is not followed' : ''}.`;
  return new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
}

function objectIn(data: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const found = data[name];
  return isJsonObject(found) ? found : {};
}
