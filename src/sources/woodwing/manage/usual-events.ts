/** What changes a record. Without `asset_create_from_version`: servers that no longer know it might refuse it. */
export const usualEvents = [
  'asset_create',
  'asset_create_by_copy',
  'asset_create_from_filestore_rescue',
  'asset_update_metadata',
  'asset_checkin',
  'asset_promote',
  'asset_move',
  'asset_rename',
  'asset_remove',
] as const;
