import { createHash } from 'node:crypto';
import type { AssetState } from '../model/ledger.ts';
import { readPicture } from './picture.ts';
import { AssetRecord, type AssetDetails, type Thumbnail } from '../model/record.ts';
import { readOwnJson } from '../model/read-json.ts';
import type { FoundThumbnail } from '../ports/source-client.ts';
import type { AssetBlob, AssetStore } from '../ports/stores.ts';

/** What a fetch brought home, and which fetch of its asset it was. */
export interface Fetched {
  readonly source: string;
  readonly assetId: string;
  readonly details: AssetDetails;
  readonly thumbnail: FoundThumbnail;
  readonly deleted: boolean;
  /** They may be older than what is known of a deleted asset. */
  readonly detailsMayBeOld?: boolean;
  /** False where the source is known to have more to tell soon, or where nobody can say whether it has. */
  readonly complete: boolean;
  /** The asset's state when this fetch began; `fetch` is this fetch's number. */
  readonly asset: AssetState;
  readonly beganAt: Date;
}

/** The asset's new state, or that a later fetch has already left a newer record. */
export type StoreResult =
  | { kind: 'kept'; asset: AssetState }
  | { kind: 'later-one-there' }
  /** A later fetch has left its thumbnail, and its record is not there yet: it may still fail. */
  | { kind: 'overtaken' };

/** Keeps an asset: the thumbnail first and the record last, with its digest, each only over an earlier fetch. */
export async function storeAsset(fetched: Fetched, store: AssetStore): Promise<StoreResult> {
  const { source, assetId, asset } = fetched;
  const blob = (name: AssetBlob['name']): AssetBlob => ({ source, assetId, name });
  const before = fetched.deleted ? await readRecord(store, blob('record.json')) : undefined;

  const picture = fetched.thumbnail.kind === 'bytes' ? readPicture(fetched.thumbnail.bytes) : undefined;
  let thumbnail: Thumbnail | null = null;
  let thumbnailEtag = asset.thumbnailEtag;
  if (fetched.thumbnail.kind === 'bytes' && picture !== undefined) {
    const { bytes } = fetched.thumbnail;
    const written = await store.write(blob('thumbnail'), {
      bytes,
      contentType: picture.contentType,
      fetch: asset.fetch,
      etag: asset.thumbnailEtag ?? undefined,
    });
    if (written.kind === 'later-one-there') return { kind: 'overtaken' };
    thumbnailEtag = written.etag;
    thumbnail = {
      contentType: picture.contentType,
      sizeBytes: bytes.byteLength,
      width: picture.width,
      height: picture.height,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  }

  const record: AssetRecord = {
    v: 1,
    source,
    assetId,
    ...(before === undefined ? fetched.details : lastKnown(before, fetched)),
    thumbnail: before?.thumbnail ?? thumbnail,
    thumbnailState: before?.thumbnailState ?? thumbnailState(fetched.thumbnail, thumbnail),
    deleted: fetched.deleted,
    fetchedAt: fetched.beganAt.toISOString(),
  };
  const written = await store.write(blob('record.json'), {
    bytes: Buffer.from(JSON.stringify(record)),
    contentType: 'application/json',
    fetch: asset.fetch,
    etag: asset.recordEtag ?? undefined,
  });
  if (written.kind === 'later-one-there') return written;

  if (record.thumbnailState !== 'stored' && thumbnailEtag !== null) {
    await store.remove(blob('thumbnail'), thumbnailEtag);
    thumbnailEtag = null;
  }
  return {
    kind: 'kept',
    asset: {
      ...asset,
      keptFetch: asset.fetch,
      // Other events are folded only into a fetch that brought all there is.
      fetchedAt: fetched.complete ? record.fetchedAt : asset.fetchedAt,
      fetchedFor: fetched.complete ? asset.latestEventAt : asset.fetchedFor,
      title: record.title,
      recordEtag: written.etag,
      thumbnailEtag,
    },
  };
}

/** The record as it stands; undefined where there is none, or none that this version can read. */
export async function readRecord(store: AssetStore, blob: AssetBlob): Promise<AssetRecord | undefined> {
  const found = await store.read(blob);
  return found === undefined ? undefined : AssetRecord.safeParse(readOwnJson(found.bytes)).data;
}

// Of a deleted asset the source tells little: what was known of it before is worth more than gaps.
function lastKnown(before: AssetRecord, { details: now, detailsMayBeOld = false }: Fetched): AssetDetails {
  const {
    v: _v,
    source: _source,
    assetId: _id,
    thumbnail: _t,
    thumbnailState: _s,
    deleted: _d,
    fetchedAt: _f,
    ...was
  } = before;
  if (detailsMayBeOld) return was;
  return { ...was, title: now.title ?? was.title, securityTag: now.securityTag ?? was.securityTag ?? null };
}

function thumbnailState(found: FoundThumbnail, kept: Thumbnail | null): AssetRecord['thumbnailState'] {
  if (kept !== null) return 'stored';
  switch (found.kind) {
    case 'bytes':
    case 'too-large':
      return 'refused';
    case 'none':
    case 'pending':
      return found.kind;
    default:
      return found satisfies never;
  }
}
