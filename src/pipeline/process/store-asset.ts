import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FoundThumbnail } from '../ports/source-client.ts';
import type { AssetBlob, AssetContent, AssetStore } from '../ports/stores.ts';
import { readOwnJson } from '../model/read-json.ts';
import { AssetRecord, type AssetDetails, type Thumbnail } from '../model/record.ts';
import { readPicture } from './picture.ts';

/** Whose record it is. */
export interface AssetName {
  readonly source: string;
  readonly assetId: string;
}

/** A record as it was read. */
export interface StoredRecord extends AssetContent {
  readonly etag: string;
  /** Undefined where this version cannot read it. */
  readonly record: AssetRecord | undefined;
}

/** What a fetch found, and the record that was there when it began. */
export interface Fetched extends AssetName {
  readonly details: AssetDetails;
  readonly thumbnail: FoundThumbnail;
  readonly deleted: boolean;
  /** They may be older than what is known of a deleted asset. */
  readonly detailsMayBeOld?: boolean;
  readonly before: StoredRecord | undefined;
  readonly beganAt: Date;
}

export type StoreResult =
  | { kind: 'stored'; record: AssetRecord }
  /** Another record is there than the one that was there when the fetch began: what was found may be the older one. */
  | { kind: 'record-changed' };

/** Stores an asset: the picture under its digest first, the record last, and only over the one that the fetch began with. */
export async function storeAsset(fetched: Fetched, store: AssetStore): Promise<StoreResult> {
  const { before } = fetched;
  const picture = await pictureFor(fetched, store);
  const lastKnown = fetched.deleted ? before?.record : undefined;
  const record: AssetRecord = {
    v: 1,
    source: fetched.source,
    assetId: fetched.assetId,
    ...(lastKnown === undefined ? fetched.details : knownOfDeleted(lastKnown, fetched)),
    thumbnail: lastKnown?.thumbnail ?? picture?.thumbnail ?? null,
    thumbnailState: lastKnown?.thumbnailState ?? thumbnailState(fetched.thumbnail, picture?.thumbnail),
    deleted: fetched.deleted,
    fetchedAt: fetched.beganAt.toISOString(),
  };
  if (
    lastKnown?.deleted === true &&
    isDeepStrictEqual({ ...record, fetchedAt: lastKnown.fetchedAt }, lastKnown)
  )
    return { kind: 'stored', record: lastKnown };
  const bytes = Buffer.from(JSON.stringify(record));
  const written = await store.write(recordOf(fetched), {
    bytes,
    contentType: 'application/json',
    thumbnailEtag: lastKnown === undefined ? picture?.etag : before?.thumbnailEtag,
    after: before?.etag ?? null,
  });
  if (written === undefined) {
    // It may be ours: written, and only the answer was lost.
    const there = await store.read(recordOf(fetched));
    if (there === undefined || !bytes.equals(there.bytes)) return { kind: 'record-changed' };
  }
  const outdated = before?.record?.thumbnail;
  if (outdated != null && before?.thumbnailEtag !== undefined && outdated.sha256 !== record.thumbnail?.sha256)
    // Another fetch may have found the same picture again meanwhile: then its etag is another.
    await store.remove(pictureOf(fetched, outdated), before.thumbnailEtag);
  return { kind: 'stored', record };
}

/** The record as it stands; undefined where there is none. */
export async function readRecord(store: AssetStore, name: AssetName): Promise<StoredRecord | undefined> {
  const found = await store.read(recordOf(name));
  return found && { ...found, record: asRecord(found) };
}

function asRecord({ bytes }: AssetContent): AssetRecord | undefined {
  return AssetRecord.safeParse(readOwnJson(bytes)).data;
}

/** The picture that a record names. */
export async function readThumbnail(
  store: AssetStore,
  { source, assetId, thumbnail }: AssetRecord,
): Promise<AssetContent | undefined> {
  return thumbnail === null ? undefined : await store.read(pictureOf({ source, assetId }, thumbnail));
}

function recordOf({ source, assetId }: AssetName): AssetBlob {
  return { source, assetId, name: 'record.json' };
}

function pictureOf({ source, assetId }: AssetName, thumbnail: Thumbnail): AssetBlob {
  return { source, assetId, name: pictureName(thumbnail) };
}

function pictureName({ sha256 }: Thumbnail): `thumbnail-${string}` {
  return `thumbnail-${sha256.slice(0, 16)}`;
}

// No fetch takes nearly as long to write its record.
const nobodysAfterMs = 3_600_000;

/** Deletes the pictures that no record names: those of fetches that ended before their record did, or could not take the old one away. */
export async function sweepPictures(
  store: AssetStore,
  { now, signal }: { now: Date; signal: AbortSignal },
): Promise<{ removed: number }> {
  let removed = 0;
  for await (const picture of store.unnamedPictures(new Date(now.getTime() - nobodysAfterMs), signal)) {
    const found = await picture.record();
    const record = found && asRecord(found);
    // One that another version wrote may name any.
    if (found !== undefined && record === undefined) continue;
    if (record?.thumbnail != null && pictureName(record.thumbnail) === picture.name) continue;
    await picture.remove();
    removed += 1;
  }
  return { removed };
}

/**
 * The picture that the record is to name; undefined where there is none. Writes it, unless the record that is there names
 * the same one; that one stays too while the source has not made the new one.
 */
async function pictureFor(
  { source, assetId, thumbnail: found, before }: Fetched,
  store: AssetStore,
): Promise<{ thumbnail: Thumbnail; etag: string | undefined } | undefined> {
  const known = before?.record?.thumbnail ?? undefined;
  if (found.kind === 'pending') return known && { thumbnail: known, etag: before?.thumbnailEtag };
  const picture = found.kind === 'bytes' ? readPicture(found.bytes) : undefined;
  if (found.kind !== 'bytes' || picture === undefined) return undefined;
  const { bytes } = found;
  const thumbnail: Thumbnail = {
    contentType: picture.contentType,
    sizeBytes: bytes.byteLength,
    width: picture.width,
    height: picture.height,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  if (known?.sha256 === thumbnail.sha256) return { thumbnail, etag: before?.thumbnailEtag };
  const { contentType } = picture;
  return {
    thumbnail,
    etag: await store.write(pictureOf({ source, assetId }, thumbnail), { bytes, contentType }),
  };
}

// Of a deleted asset the source tells little: what was known of it before is worth more than gaps.
function knownOfDeleted(
  before: AssetRecord,
  { details: now, detailsMayBeOld = false }: Fetched,
): AssetDetails {
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

function thumbnailState(found: FoundThumbnail, named: Thumbnail | undefined): AssetRecord['thumbnailState'] {
  switch (found.kind) {
    case 'bytes':
      return named === undefined ? 'refused' : 'stored';
    case 'too-large':
      return 'refused';
    case 'none':
    case 'pending':
      return found.kind;
    default:
      return found satisfies never;
  }
}
