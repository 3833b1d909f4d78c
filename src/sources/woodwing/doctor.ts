import type { Remedy, SourceDoctor, SubscriptionFinding } from '../../pipeline/ports/source-doctor.ts';
import {
  byAddress,
  cannotTell,
  noneCallsUs,
  ok,
  otherSecret,
  unknownNames,
} from '../subscription-findings.ts';
import { suggestion } from '../suggestion.ts';
import { webhooksOf } from './manage/of-source.ts';
import { usualEvents } from './manage/usual-events.ts';
import { knownEvents, type AssetsWebhook } from './manage/webhooks.ts';
import type { WoodwingSource } from './settings.ts';

const list: Remedy = { words: 'woodwing webhooks list' };
const create: Remedy = { words: 'woodwing webhooks create' };
const newToken = (ids: readonly string[]): Remedy => ({ words: 'woodwing webhooks new-token', ids });
// One at a time, as the command takes them.
const deletes = (ids: readonly string[]): Remedy => ({
  words: 'woodwing webhooks delete',
  ids: ids.slice(0, 1),
});

export const woodwingDoctor: SourceDoctor<WoodwingSource> = {
  credential: { secret: 'password' },
  list,
  firstSecret: () => ({ remedy: create }),
  sameSecret: { words: 'woodwing webhooks list --show-secret' },
  newSecret: (ids) => ({
    todo: 'give both a new one.',
    remedy: ids.length === 1 ? newToken(ids) : list,
  }),
  // No call of WoodWing Assets proves anything without leaving an event behind.
  trialCall: () => undefined,
  async subscriptions(context) {
    const { ownAddress: own, addresses, source, secrets } = context;
    const all = await webhooksOf(context).list();
    if (own === undefined) return { findings: [cannotTell(all.length)], count: undefined, webhooks: [] };
    const { ours, findings } = byAddress(all, { own, addresses, deletes });
    const [current] = (await secrets.webhookSecrets(source.name)) ?? [];
    // The one whose token is kept here is the one whose calls are taken.
    const [first, ...others] = ours.toSorted(
      (a, b) => Number(b.secretToken === current) - Number(a.secretToken === current),
    );
    const about =
      first === undefined ? [woodwingFindings.noneCallsUs({ own })] : ofOne(first, { others, current });
    return { findings: [...about, ...findings], count: ours.length, webhooks: ours.map(({ id }) => id) };
  },
};

interface Several {
  readonly kept: string;
  readonly others: readonly string[];
  /** Events that more than one of them brings. */
  readonly both: readonly string[];
}

interface Unknown {
  readonly id: string;
  /** Each with a suggestion, where there is one. */
  readonly names: readonly string[];
  readonly known: readonly string[];
}

/** What can be amiss with the webhooks of a server, beside what every kind can find. */
export const woodwingFindings = {
  noneCallsUs: ({ own }: { own: string }): SubscriptionFinding => noneCallsUs(own, create),
  severalWebhooks: ({ kept, others, both }: Several): SubscriptionFinding => ({
    state: 'wrong',
    text: `${others.length + 1} webhooks call this app (${[kept, ...others].join(', ')}), and a source has one secret: all but one are refused.${both.length === 0 ? '' : ` They bring the same: ${both.join(', ')}.`}`,
    todo: 'Make each a source of its own, or delete all but one:',
    remedy: deletes(others),
  }),
  webhookDisabled: ({ id }: { id: string }): SubscriptionFinding => ({
    state: 'wrong',
    text: `Webhook ${id} is disabled: nothing comes, and what happens meanwhile is never sent.`,
    remedy: { words: 'woodwing webhooks enable', ids: [id] },
  }),
  webhookHasOtherSecret: ({ id }: { id: string }): SubscriptionFinding => ({
    state: 'wrong',
    text: otherSecret,
    remedy: newToken([id]),
  }),
  unknownEvents: ({ id, names, known }: Unknown): SubscriptionFinding => ({
    state: 'warning',
    text: `Webhook ${id} wants events that are not known here: ${names.join('; ')}.`,
    todo: unknownNames,
    remedy: { words: `woodwing webhooks update --event ${known.join(',')}`, ids: [id] },
  }),
};

function ofOne(
  { id, enabled, eventTypes, secretToken }: AssetsWebhook,
  { others, current }: { others: readonly AssetsWebhook[]; current: string | undefined },
): SubscriptionFinding[] {
  const hasOther = typeof secretToken === 'string' && current !== undefined && secretToken !== current;
  const both = eventTypes.filter((name) => others.some((other) => other.eventTypes.includes(name)));
  const several = { kept: id, others: others.map((other) => other.id), both: [...new Set(both)] };
  const unknown = eventTypes.filter((name) => !isKnown(name));
  const right = eventTypes.filter(isKnown);
  const names = unknown.map((name) => name + suggestion(name, knownEvents));
  return [
    ...(others.length === 0 ? [] : [woodwingFindings.severalWebhooks(several)]),
    ...(hasOther ? [woodwingFindings.webhookHasOtherSecret({ id })] : []),
    enabled
      ? ok(`Webhook ${id} is enabled, for ${eventTypes.length} kinds of event.`)
      : woodwingFindings.webhookDisabled({ id }),
    ...(unknown.length === 0
      ? []
      : [woodwingFindings.unknownEvents({ id, names, known: right.length === 0 ? usualEvents : right })]),
  ];
}

function isKnown(name: string): boolean {
  return knownEvents.some((known) => known === name);
}
