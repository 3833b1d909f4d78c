import { json, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { fieldOf } from './asset-fields.ts';
import { hitOf, type HitUrls } from './hits.ts';
import type { ChangedMetadata, Library } from './library.ts';
import { listOf } from './parameters.ts';
import { notFound, refusal, wrongMethod } from './refusal.ts';
import { renditionOf } from './renditions.ts';
import { jsonObject } from './values.ts';

/** `/api/asset/{id}` and what is below it. It does not ask the index, so it never lags. */
export function answerAsset(exchange: Exchange, library: Library, urls: HitUrls): Answer {
  const [, , id = '', rendition] = exchange.segments;
  const asset = library.get(id);
  if (rendition === 'thumbnail' || rendition === 'preview' || rendition === 'original')
    return renditionOf(asset, rendition, exchange);
  if (exchange.method !== 'GET') return wrongMethod();
  if (asset === undefined || asset.hidden || rendition !== undefined) return notFound();
  return json(hitOf(asset, ['all'], urls));
}

/** `/services/update`; `tell` hears of what changed. */
export function answerUpdate(
  parameters: URLSearchParams,
  library: Library,
  urls: HitUrls,
  tell: (assetId: string, changed: ChangedMetadata) => void,
): Answer {
  const id = parameters.get('id') ?? '';
  const asset = library.get(id);
  if (asset === undefined || asset.hidden) return notFound();
  const given = jsonObject(parameters.get('metadata') ?? '{}');
  if (given === undefined) return refusal(400, 'metadata is no JSON object');
  const asModifications = parameters.get('parseMetadataModifications') !== 'false';
  const fields = Object.entries(given).map(([field, value]) => {
    const old = fieldOf(asset, field);
    const isList = asModifications && Array.isArray(old) && typeof value === 'string';
    return [field, isList ? modifiedList(old.map(String), value) : value] as const;
  });
  const changed = library.update(id, Object.fromEntries(fields));
  if (Object.keys(changed).length > 0) tell(id, changed);
  return json(hitOf(asset, listOf(parameters.get('metadataToReturn') ?? 'all'), urls));
}

/** A leading `+` or `-` adds to the list, or takes away; without one the list is a new one. */
function modifiedList(old: readonly string[], value: string): string[] {
  const given = listOf(value);
  const ofSign = (sign: string): string[] =>
    given.filter((each) => each.startsWith(sign)).map((each) => each.slice(1));
  const [added, removed] = [ofSign('+'), ofSign('-')];
  if (added.length + removed.length === 0) return given;
  return [...new Set([...old, ...added])].filter((each) => !removed.includes(each));
}

/** `/services/asset/history`, the latest first. */
export function answerHistory(parameters: URLSearchParams, library: Library, userName: string): Answer {
  const id = parameters.get('id') ?? '';
  const actions = listOf(parameters.get('actions') ?? '');
  const [start, num] = [Number(parameters.get('start') ?? 0), Number(parameters.get('num') ?? 50)];
  const happened = library
    .history(id)
    .filter(({ action }) => actions.length === 0 || actions.includes(action));
  return json({
    totalHits: happened.length,
    hits: happened.slice(start, start + num).map(({ action, at, asset, changedMetadata }) => ({
      usageStatsRecord: {
        id: null,
        logDate: at,
        userName,
        userGroups: [],
        clientType: 'api_simulator',
        remoteAddr: '127.0.0.1',
        remoteHost: '127.0.0.1',
        action,
        assetId: id,
        assetPath: asset.metadata.assetPath,
        assetType: fieldOf(asset, 'assetType'),
        assetDomain: fieldOf(asset, 'assetDomain'),
        sourceAssetPath: null,
        sourceAssetId: null,
        changedMetadata,
        details: null,
      },
      hit: { permissionMask: 15, metadata: {}, relation: null },
      versionCreatingAction: false,
    })),
  });
}
