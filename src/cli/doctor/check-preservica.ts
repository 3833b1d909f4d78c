import type { SourceConfig } from '../../config.ts';
import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { knownTriggers } from '../../sources/preservica/manage/subscriptions.ts';
import { suggestion } from '../known-names.ts';
import { subscriptionsOf } from '../preservica/subscriptions.ts';
import { webhookUrl, type Setup } from '../setup.ts';
import { byAddress } from './addresses.ts';
import type { Subscriptions } from './check-source.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** Compares the subscriptions of a tenant with what this app should be told of. May throw an UpstreamError. */
export async function checkPreservica(setup: Setup, source: SourceConfig): Promise<Subscriptions> {
  const own = webhookUrl(setup, source);
  const found = await subscriptionsOf(setup, source).list();
  if (own === undefined) {
    const checks = [findings.cannotTell({ ...source, count: found.length })];
    return { checks, count: undefined, webhooks: [] };
  }
  const all = found.map(({ id, url = '', triggerType = '' }) => ({ id, url, trigger: triggerType }));
  const { ours, checks } = byAddress(setup, source, { all, own });
  const triggers = [...new Set(ours.map(({ trigger }) => trigger))];
  const what: Check =
    ours.length === 0
      ? findings.noneCallsUs({ ...source, own })
      : ok(
          `${source.name}: subscriptions`,
          `${ours.length} for this app: ${sanitizeText(triggers.join(', '), 500)}.`,
        );
  const twice = triggers
    .map((trigger) => ({ trigger, ids: idsOf(ours.filter((each) => each.trigger === trigger)) }))
    .filter(({ ids }) => ids.length > 1);
  const known: readonly string[] = knownTriggers;
  const unknown = ours.filter(({ trigger }) => trigger !== '' && !known.includes(trigger));
  const names = [...new Set(unknown.map(({ trigger }) => trigger + suggestion(trigger, known)))];
  return {
    checks: [
      what,
      ...twice.map((each) => findings.subscribedTwice({ ...source, ...each })),
      ...(unknown.length === 0 ? [] : [findings.unknownTriggers({ ...source, names, ids: idsOf(unknown) })]),
      ...checks,
    ],
    count: ours.length,
    webhooks: [],
  };
}

function idsOf(subscriptions: readonly { id: string }[]): string[] {
  return subscriptions.map(({ id }) => id);
}
