import type { HttpHandler, HttpRequest } from '@azure/functions';
import { readRecord, readThumbnail } from '../pipeline/process/store-asset.ts';
import type { AssetRecord } from '../pipeline/model/record.ts';
import type { Receiver } from '../pipeline/ports/receiver.ts';
import type { Ledger } from '../pipeline/model/ledger.ts';
import type { AssetContent, AssetStore } from '../pipeline/ports/stores.ts';
import { noSource, noSuch } from './events.ts';
import { pathSegments } from './path-segments.ts';
import { staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

export interface AssetDeps {
  readonly sources: ReadonlyMap<string, { receiver: Receiver }>;
  readonly assets: AssetStore;
  readonly ledger: Pick<Ledger, 'idsBeginning'>;
}

const noThumbnail: StaffAnswer = {
  status: 404,
  jsonBody: { error: 'There is no thumbnail of this asset.' },
};

/** `GET /assets/{source}/{assetId}`: the record. */
export function showAsset(deps: AssetDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const record = await recordFor(request, deps);
    return record === undefined ? await notFound(request, deps) : { status: 200, jsonBody: record };
  });
}

/** `GET /assets/{source}/{assetId}/thumbnail`: the picture, where the record says that one is stored. */
export function showThumbnail(deps: AssetDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const record = await recordFor(request, deps);
    if (record === undefined) return await notFound(request, deps);
    // A newer record may have come between the two readings, and its picture taken the place of this one.
    const found = (await readThumbnail(deps.assets, record)) ?? (await thumbnailFor(request, deps));
    if (found === undefined) return noThumbnail;
    return {
      status: 200,
      headers: {
        'content-type': found.contentType,
        'content-security-policy': "default-src 'none'; sandbox",
      },
      body: found.bytes,
    };
  });
}

async function thumbnailFor(request: HttpRequest, deps: AssetDeps): Promise<AssetContent | undefined> {
  const record = await recordFor(request, deps);
  return record && (await readThumbnail(deps.assets, record));
}

async function notFound(request: HttpRequest, { sources, ledger }: AssetDeps): Promise<StaffAnswer> {
  const [, source = '', segment = ''] = pathSegments(request);
  if (!sources.has(source)) return { status: 404, jsonBody: { error: noSource(source, sources) } };
  return await noSuch(segment, 'There is no record of this asset.', { assetsOf: source }, ledger);
}

async function recordFor(
  request: HttpRequest,
  { sources, assets }: AssetDeps,
): Promise<AssetRecord | undefined> {
  const [, source = '', segment = ''] = pathSegments(request);
  const known = sources.get(source);
  if (known === undefined) return undefined;
  for (const given of readings(segment)) {
    const assetId = known.receiver.assetId(given);
    const record =
      assetId === undefined ? undefined : (await readRecord(assets, { source, assetId }))?.record;
    if (record !== undefined) return record;
  }
  return undefined;
}

/**
 * The ids that a segment of the path may stand for. The platform sends `%2F`, and nothing else, on as `%252F`: what looks
 * like an id with `%2F` in it is that one, or one with a slash.
 */
function readings(segment: string): string[] {
  const given = decoded(segment);
  return given === undefined ? [] : [...new Set([given, given.replaceAll(/%2F/gi, '/')])];
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
