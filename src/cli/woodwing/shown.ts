import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { AssetsWebhook } from '../../sources/woodwing/manage/webhooks.ts';
import { fields, table } from '../answer.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { samePlace } from '../../sources/same-place.ts';

/** A webhook as it is shown: what is known of it and nothing else, for a member that is not might be a secret. */
export interface ShownWebhook {
  readonly id: string;
  readonly name: string | null;
  readonly url: string;
  readonly enabled: boolean;
  /** Null where nothing says where this app is. */
  readonly thisApp: boolean | null;
  readonly eventTypes: readonly string[];
  readonly metadataToReturn: readonly string[];
  readonly changedMetadataToReturn: readonly string[] | null;
  readonly triggerMetadataFields: readonly string[];
  readonly folders: readonly string[];
  readonly query: string | null;
  readonly wildcards: boolean | null;
  /** Only where it was asked for. */
  readonly secretToken?: string | null;
}

/** How this one is shown: its token only where that was asked for. */
export function shown(
  webhook: AssetsWebhook,
  { setup, source, showSecret }: { setup: Setup; source: SourceConfig; showSecret?: true | undefined },
): ShownWebhook {
  const own = webhookUrl(setup, source);
  const { id, name, url, enabled, eventTypes, foldersAndQuery, secretToken } = webhook;
  return {
    id,
    name: name ?? null,
    url,
    enabled,
    thisApp: own === undefined ? null : samePlace(url, own),
    eventTypes,
    metadataToReturn: webhook.metadataToReturn ?? [],
    changedMetadataToReturn: webhook.changedMetadataToReturn ?? null,
    triggerMetadataFields: webhook.triggerMetadataFields ?? [],
    folders: foldersAndQuery?.folders ?? [],
    query: foldersAndQuery?.query ?? null,
    wildcards: foldersAndQuery?.enableWildcardSelection ?? null,
    ...(showSecret === true ? { secretToken: secretToken ?? null } : {}),
  };
}

export function tableOf(webhooks: readonly ShownWebhook[]): string {
  const head = ['id', 'enabled', 'this app', 'events', 'name', 'url'];
  const secrets = webhooks.some(({ secretToken }) => secretToken !== undefined);
  const rows = webhooks.map((webhook) => [
    webhook.id,
    yesOrNo(webhook.enabled),
    yesOrNo(webhook.thisApp),
    String(webhook.eventTypes.length),
    webhook.name ?? '–',
    webhook.url,
    ...(secrets ? [webhook.secretToken ?? '–'] : []),
  ]);
  return table([...head, ...(secrets ? ['secret token'] : [])], rows, 'There are no webhooks.');
}

export function pageOf({ thisApp, wildcards, ...webhook }: ShownWebhook): string {
  const lists = (values: readonly string[]): string => (values.length === 0 ? '–' : values.join(', '));
  return fields([
    ['id', webhook.id],
    ['name', webhook.name ?? '–'],
    ['url', webhook.url],
    ['this app', yesOrNo(thisApp)],
    ['enabled', yesOrNo(webhook.enabled)],
    ['events', lists(webhook.eventTypes)],
    ['metadata to return', lists(webhook.metadataToReturn)],
    ...(webhook.changedMetadataToReturn === null
      ? []
      : [['changed metadata to return', lists(webhook.changedMetadataToReturn)] as const]),
    ['only where these change', lists(webhook.triggerMetadataFields)],
    ['only in folders', lists(webhook.folders)],
    ['only for', webhook.query ?? '–'],
    ...(wildcards === null ? [] : [['wildcards in that', yesOrNo(wildcards)] as const]),
    ...(webhook.secretToken === undefined ? [] : [['secret token', webhook.secretToken ?? '–'] as const]),
  ]);
}

function yesOrNo(value: boolean | null): string {
  if (value === null) return '?';
  return value ? 'yes' : 'no';
}
