import type { SourceConfig } from '../../config.ts';
import { knownEvents, type AssetsWebhook } from '../../sources/woodwing/manage/webhooks.ts';
import { suggestion } from '../known-names.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { usualEvents } from '../woodwing/create.ts';
import { webhooksOf } from '../woodwing/login.ts';
import { byAddress } from './addresses.ts';
import type { Subscriptions } from './check-source.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** Compares the webhooks of a server with what this app should be told of. May throw an UpstreamError. */
export async function checkWoodWing(setup: Setup, source: SourceConfig): Promise<Subscriptions> {
  const own = webhookUrl(setup, source);
  const all = await webhooksOf(setup, source).list();
  if (own === undefined) {
    const checks = [findings.cannotTell({ ...source, count: all.length })];
    return { checks, count: undefined, webhooks: [] };
  }
  const { ours, checks } = byAddress(setup, source, { all, own });
  const [current] = (await setup.secrets.webhookSecrets(source.name)) ?? [];
  // The one whose token is kept here is the one whose calls are taken.
  const [first, ...others] = ours.toSorted(
    (a, b) => Number(b.secretToken === current) - Number(a.secretToken === current),
  );
  const about =
    first === undefined
      ? [findings.noneCallsUs({ ...source, own })]
      : ofOne(source, first, { others, current });
  return { checks: [...about, ...checks], count: ours.length, webhooks: ours.map(({ id }) => id) };
}

function ofOne(
  source: SourceConfig,
  webhook: AssetsWebhook,
  { others, current }: { others: readonly AssetsWebhook[]; current: string | undefined },
): Check[] {
  const { id, eventTypes, secretToken } = webhook;
  const hasOther = typeof secretToken === 'string' && current !== undefined && secretToken !== current;
  const both = eventTypes.filter((name) => others.some((other) => other.eventTypes.includes(name)));
  return [
    ...(others.length === 0
      ? []
      : [
          findings.severalWebhooks({
            ...source,
            kept: id,
            others: others.map((other) => other.id),
            both: [...new Set(both)],
          }),
        ]),
    ...(hasOther ? [findings.webhookHasOtherSecret({ ...source, id })] : []),
    webhook.enabled
      ? ok(
          `${source.name}: subscriptions`,
          `Webhook ${id} is enabled, for ${eventTypes.length} kinds of event.`,
        )
      : findings.webhookDisabled({ ...source, id }),
    ...unknownOf(source, webhook),
  ];
}

function unknownOf(source: SourceConfig, { id, eventTypes }: AssetsWebhook): Check[] {
  const known: readonly string[] = knownEvents;
  const unknown = eventTypes.filter((name) => !known.includes(name));
  if (unknown.length === 0) return [];
  const right = eventTypes.filter((name) => known.includes(name));
  const names = unknown.map((name) => name + suggestion(name, known));
  return [
    findings.unknownEvents({ ...source, names, ids: [id], known: right.length === 0 ? usualEvents : right }),
  ];
}
