import { bytes, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { drawPicture } from '../pictures.ts';
import { originalOf } from './asset-fields.ts';
import { contentTypeOf } from './kinds.ts';
import type { Asset, Library } from './library.ts';
import { notFound, refusal, wrongMethod } from './refusal.ts';

export type RenditionKind = 'thumbnail' | 'preview' | 'original';

/** The word that starts the path of each kind. */
export const renditionPaths: Readonly<Record<string, RenditionKind>> = {
  thumbnail: 'thumbnail',
  preview: 'preview',
  file: 'original',
};

// A side of 1600 takes a second to draw.
const longestSide = 800;
const thumbnailSide = 256;

/** `/thumbnail/…`, `/preview/…` and `/file/…`: by id, or by the path of the asset. */
export function answerRendition(exchange: Exchange, kind: RenditionKind, library: Library): Answer {
  const [, id = '', ...rest] = exchange.segments;
  // No list of addresses has the short form of this one.
  if (kind === 'thumbnail' && rest.length === 0) return notFound();
  const path = `/${exchange.segments.slice(1).join('/')}`;
  const asset = library.get(id) ?? library.all().find(({ metadata }) => metadata.assetPath === path);
  return renditionOf(asset, kind, exchange, rest);
}

/** The bytes of a rendition, or why there are none; `rest` is what the path says after the asset. */
export function renditionOf(
  asset: Asset | undefined,
  kind: RenditionKind,
  { method, query }: Exchange,
  rest: readonly string[] = [],
): Answer {
  if (method !== 'GET') return wrongMethod();
  if (asset === undefined || asset.hidden) return notFound();
  const { metadata } = asset;
  if (kind !== 'original' && metadata[`${kind}State`] !== 'yes')
    return refusal(409, `There is no ${kind} (yet)`);
  const headers: Record<string, string> =
    query.get('forceDownload') === 'true' ? { 'content-disposition': 'attachment' } : {};
  const content = contentOf(asset, kind, rest);
  return bytes(content.bytes, content.type, headers);
}

function contentOf(
  asset: Asset,
  kind: RenditionKind,
  rest: readonly string[],
): { bytes: Uint8Array; type: string } {
  const { id, metadata } = asset;
  if (kind === 'original') {
    const original = originalOf(asset);
    return { bytes: original, type: contentTypeOf(metadata.filename, original) };
  }
  if (kind === 'preview' && metadata['assetDomain'] === 'audio')
    return { bytes: Buffer.from(`The sound of ${id}`), type: 'audio/mpeg' };
  if (kind === 'preview' && metadata['assetDomain'] === 'video')
    return { bytes: Buffer.from(`The moving pictures of ${id}`), type: 'video/mp4' };
  const [, width, height] = /maxWidth_(\d+)_maxHeight_(\d+)/.exec(rest[1] ?? '') ?? [];
  const asked = Math.min(Number(width ?? longestSide), Number(height ?? longestSide));
  const side = kind === 'thumbnail' ? thumbnailSide : Math.max(8, Math.min(asked, longestSide));
  return { bytes: drawPicture(id, side), type: 'image/png' };
}
