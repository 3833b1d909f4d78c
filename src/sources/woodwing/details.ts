import { isJsonObject } from '../../pipeline/model/read-json.ts';
import { sanitizeLines, sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import type { AssetDetails, AssetFile } from '../../pipeline/model/record.ts';
import { plainValue, type Hit } from './search.ts';
import type { WoodwingSource } from './settings.ts';

/** The fields that every record keeps, by their internal names. */
export const usualFields = [
  'name',
  'filename',
  'description',
  'assetPath',
  'folderPath',
  'assetDomain',
  'assetType',
  'width',
  'height',
  'fileSize',
  'firstExtractedChecksum',
  'rating',
  'status',
  'previewState',
  'thumbnailState',
  'assetCreated',
  'assetModified',
] as const;

const mostText = 10_000;

/** What a hit says of an asset, in our words. */
export function detailsOf(
  { metadata, permissions }: Pick<Hit, 'metadata' | 'permissions'>,
  assetId: string,
  { portalUrl, metadataFields }: Pick<WoodwingSource, 'portalUrl' | 'metadataFields'>,
): AssetDetails {
  const value = (name: string): unknown => plainValue(metadata[name]) ?? null;
  const text = (name: string): string | null => {
    const given = value(name);
    return typeof given === 'string' && given !== '' ? sanitizeText(given, mostText) : null;
  };
  const description = value('description');
  const fields = [...new Set([...usualFields, ...metadataFields])];
  const files = [
    fileOf(text('filename') ?? text('name'), value('fileSize'), text('firstExtractedChecksum')),
  ].flat();
  return {
    kind: 'asset',
    title: text('name') ?? text('filename'),
    description:
      typeof description === 'string' && description !== '' ? sanitizeLines(description, mostText) : null,
    parentId: text('folderPath'),
    fileCount: files.length,
    filesTruncated: false,
    files,
    links: portalUrl === undefined ? {} : { page: pageOf(portalUrl, assetId) },
    details: {
      path: text('assetPath'),
      width: clean(value('width')),
      height: clean(value('height')),
      sizeBytes: clean(value('fileSize')),
      checksum: text('firstExtractedChecksum'),
      rating: clean(value('rating')),
      status: clean(value('status')),
      permissions: clean(permissions ?? null),
      metadata: Object.fromEntries(
        fields.filter((name) => Object.hasOwn(metadata, name)).map((name) => [name, clean(value(name))]),
      ),
    },
  };
}

/** A value of any shape with every text in it, names too, as it may be shown. */
function clean(value: unknown): unknown {
  if (typeof value === 'string') return sanitizeLines(value, mostText);
  if (Array.isArray(value)) return value.map(clean);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [sanitizeText(name, mostText), clean(each)]),
  );
}

function fileOf(name: string | null, size: unknown, checksum: string | null): AssetFile[] {
  if (name === null) return [];
  const sizeBytes = typeof size === 'number' && size >= 0 ? size : null;
  const fixity = checksum === null ? [] : [{ algorithm: algorithmOf(checksum), value: checksum }];
  return [{ name, sizeBytes, fixity }];
}

// No source says how Assets makes it; the length tells of the usual ones.
function algorithmOf(checksum: string): string {
  const byLength: Readonly<Record<number, string>> = { 32: 'MD5', 40: 'SHA1', 64: 'SHA256', 128: 'SHA512' };
  return (/^[0-9a-f]+$/i.test(checksum) ? byLength[checksum.length] : undefined) ?? 'unknown';
}

/** No source says how the client's pages are addressed, so the setting says where the id goes. */
function pageOf(portalUrl: string, assetId: string): string {
  return portalUrl.includes('{id}') ? portalUrl.replaceAll('{id}', assetId) : `${portalUrl}/${assetId}`;
}
