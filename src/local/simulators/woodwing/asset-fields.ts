import { createHash } from 'node:crypto';
import { imageSize } from 'image-size';
import { drawPicture } from '../pictures.ts';
import type { Asset } from './library.ts';
import { sizeValue } from './values.ts';

/** Fields that follow from the file. They are worked out only when asked for, since a picture is slow to draw. */
const fromFile: Readonly<Record<string, (asset: Asset) => unknown>> = {
  fileSize: (asset) => sizeValue(originalOf(asset).byteLength),
  firstExtractedChecksum: (asset) => createHash('md5').update(originalOf(asset)).digest('hex'),
  width: (asset) => measured(asset)?.width,
  height: (asset) => measured(asset)?.height,
};

export function originalOf({ id, original, metadata }: Asset): Uint8Array {
  if (original !== undefined) return original;
  return metadata['assetDomain'] === 'image'
    ? drawPicture(id, 800)
    : Buffer.from(`${metadata.filename} of ${id}`);
}

export function fieldOf(asset: Asset, field: string): unknown {
  if (field === 'id') return asset.id;
  if (Object.hasOwn(asset.metadata, field)) return asset.metadata[field];
  return Object.hasOwn(fromFile, field) ? fromFile[field]?.(asset) : undefined;
}

/** The fields asked for, or every one with `all`; one without a value is left out. */
export function metadataOf(asset: Asset, fields: readonly string[]): Record<string, unknown> {
  const names = fields.includes('all') ? [...Object.keys(asset.metadata), ...Object.keys(fromFile)] : fields;
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const value = fieldOf(asset, name);
    if (value !== undefined && name !== 'id') found[name] = value;
  }
  return found;
}

function measured(asset: Asset): { width: number; height: number } | undefined {
  try {
    return imageSize(originalOf(asset));
  } catch {
    return undefined;
  }
}
