import { metadataOf } from './asset-fields.ts';
import type { Asset, ChangedMetadata } from './library.ts';
import { isInFolder, queryOf } from './query.ts';
import type { Settings } from './settings.ts';
import type { Webhook } from './webhook-api.ts';

/** Something that happened on the server; what is given beyond the known fields goes into every body as it is. */
export interface HappenedEvent {
  readonly type: string;
  readonly assetId?: string;
  readonly changedMetadata?: ChangedMetadata;
  /** Now if left out. */
  readonly timestamp?: number;
  readonly [more: string]: unknown;
}

/** Whether the webhook wants to hear of it: its event types, and for assets its other filters too. */
export function isWanted(event: HappenedEvent, asset: Asset | undefined, webhook: Webhook): boolean {
  if (!webhook.enabled || !webhook.eventTypes.includes(event.type)) return false;
  if (!event.type.startsWith('asset_')) return true;
  const fields = webhook.triggerMetadataFields ?? [];
  const changed = Object.keys(event.changedMetadata ?? {});
  if (fields.length > 0 && !fields.some((field) => changed.includes(field))) return false;
  const { folders, query, enableWildcardSelection } = webhook.foldersAndQuery ?? {};
  if (folders && folders.length > 0 && !folders.some((folder) => asset && isInFolder(asset, folder)))
    return false;
  if (query === undefined || query === null || query.trim() === '') return true;
  // Webhooks know no wildcards, unless they ask for them.
  const matches = queryOf(query, { wildcards: enableWildcardSelection === true });
  return asset !== undefined && matches?.(asset) === true;
}

/** The bytes of a delivery, with what the settings do to them. */
export function bodyOf(
  event: HappenedEvent,
  asset: Asset | undefined,
  webhook: Webhook,
  settings: Settings,
): Buffer {
  if (settings.body === 'empty') return Buffer.alloc(0);
  if (settings.body === 'not-json') return Buffer.from('This is no JSON: é.');
  const { type, assetId, changedMetadata, timestamp = Date.now(), ...more } = event;
  const fields = webhook.metadataToReturn ?? [];
  const payload: Record<string, unknown> = {
    timestamp,
    type,
    ...(type.startsWith('authkey_')
      ? {}
      : { metadata: asset === undefined ? {} : metadataOf(asset, fields) }),
    ...(assetId === undefined ? {} : { assetId }),
    ...(changedMetadata === undefined ? {} : { changedMetadata: narrowed(changedMetadata, webhook) }),
    ...more,
    ...settings.extraFields,
  };
  for (const field of settings.leaveOut) delete payload[field];
  const text = JSON.stringify(payload);
  return Buffer.from(settings.escaped ? escaped(text) : text);
}

function narrowed(changed: ChangedMetadata, { changedMetadataToReturn }: Webhook): ChangedMetadata {
  const wanted = changedMetadataToReturn ?? [];
  if (wanted.length === 0) return changed;
  return Object.fromEntries(Object.entries(changed).filter(([field]) => wanted.includes(field)));
}

function escaped(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
