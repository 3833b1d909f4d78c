import { createHash } from 'node:crypto';

/** An asset's id as part of a blob name or a table key: as it is where that is harmless, else `~` and its digest. */
export function assetKey(assetId: string): string {
  return /^[A-Za-z0-9_-]{1,128}$/.test(assetId)
    ? assetId
    : `~${createHash('sha256').update(assetId).digest('base64url')}`;
}
