import { createHash } from 'node:crypto';

/** An id that is harmless in a path, a blob's name and a table's key. */
export const plainId = /^[A-Za-z0-9_-]{1,128}$/;

/** An asset's id as part of a blob name or a table key: as it is where that is harmless, else `~` and its digest. */
export function assetKey(assetId: string): string {
  return plainId.test(assetId) ? assetId : `~${createHash('sha256').update(assetId).digest('base64url')}`;
}
