import * as z from 'zod';
import { Identifier, Members } from './event.ts';

const Fixity = z.object({ algorithm: z.string(), value: z.string() });

export const AssetFile = z.object({
  name: z.string(),
  representation: z.string().optional(),
  sizeBytes: z.number().nullable(),
  fixity: z.array(Fixity),
});
export type AssetFile = z.infer<typeof AssetFile>;

/** What a source tells of an asset: the part of a record that comes from its side. Null: there is none; absent: it cannot know. */
export const AssetDetails = z.object({
  kind: z.enum(['asset', 'folder', 'other']),
  title: z.string().nullable(),
  description: z.string().nullable().optional(),
  parentId: z.string().nullable().optional(),
  securityTag: z.string().nullable().optional(),
  identifiers: z.array(Identifier).optional(),
  /** All files, those that were not looked at included. */
  fileCount: z.number().optional(),
  filesTruncated: z.boolean().optional(),
  files: z.array(AssetFile).optional(),
  links: z.object({ page: z.string().optional() }),
  /** What only this kind of source has. */
  details: Members,
});
export type AssetDetails = z.infer<typeof AssetDetails>;

export const Thumbnail = z.object({
  contentType: z.string(),
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
  /** Lower-case hex. */
  sha256: z.string(),
});
export type Thumbnail = z.infer<typeof Thumbnail>;

/** What we keep about an asset, version 1: `{source}/{assetId}/record.json`. */
export const AssetRecord = z.object({
  v: z.literal(1),
  source: z.string(),
  assetId: z.string(),
  ...AssetDetails.shape,
  thumbnail: Thumbnail.nullable(),
  thumbnailState: z.enum(['stored', 'none', 'pending', 'refused']),
  deleted: z.boolean(),
  /** When the fetch began, ISO 8601. */
  fetchedAt: z.iso.datetime(),
});
export type AssetRecord = z.infer<typeof AssetRecord>;
