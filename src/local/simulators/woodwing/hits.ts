import { metadataOf } from './asset-fields.ts';
import type { Asset } from './library.ts';

const permissions = 'VPUMERXCD';

/** How the addresses in a hit are made. */
export interface HitUrls {
  /** Everything before `/thumbnail` and the like. */
  readonly base: string;
  /** Put into the addresses, so that they need no login. */
  readonly secret?: string;
}

/** An asset as search tells of it: the addresses only of what there is. */
export function hitOf(asset: Asset, fields: readonly string[], urls: HitUrls): Record<string, unknown> {
  const { id, metadata, version } = asset;
  const suffix = `?_=${version}${urls.secret === undefined ? '' : `&requestSecret=${urls.secret}`}`;
  const name = encodeURIComponent(metadata.filename);
  const stem = encodeURIComponent(metadata.filename.replace(/\.[^.]+$/, ''));
  const url = (path: string): string => `${urls.base}/${path}${suffix}`;
  return {
    id,
    permissions,
    metadata: metadataOf(asset, fields),
    ...(metadata['thumbnailState'] === 'yes'
      ? { thumbnailUrl: url(`thumbnail/${id}/*/${stem}_thumb.jpg`) }
      : {}),
    ...(metadata['previewState'] === 'yes'
      ? { previewUrl: url(`preview/${id}/${previewPath(asset, stem)}`) }
      : {}),
    originalUrl: url(`file/${id}/*/${name}`),
  };
}

function previewPath({ metadata }: Asset, stem: string): string {
  // Encoded twice, as real servers do in this address alone.
  const name = `${encodeURIComponent(stem)}_preview`;
  if (metadata['assetDomain'] === 'audio') return `*/${name}.mp3`;
  const [size, extension] =
    metadata['assetDomain'] === 'video' ? ['maxWidth_480_maxHeight_360', 'mp4'] : [biggest, 'jpg'];
  return `previews/${size}.${extension}/*/${name}.${extension}`;
}

const biggest = 'maxWidth_1600_maxHeight_1600';
