import { sanitizeText } from '../../pipeline/model/sanitize-text.ts';
import { prefixOf } from '../../pipeline/ports/source-config.ts';
import type { Remedy, SourceDoctor, SubscriptionFinding } from '../../pipeline/ports/source-doctor.ts';
import { byAddress, cannotTell, noneCallsUs, ok, unknownNames } from '../subscription-findings.ts';
import { suggestion } from '../suggestion.ts';
import { subscriptionsOf } from './manage/of-source.ts';
import { knownTriggers } from './manage/subscriptions.ts';
import { tryHandshake } from './manage/try-handshake.ts';
import type { PreservicaSource } from './settings.ts';

const renew = (ids: readonly string[] = []): Remedy => ({ words: 'preservica subscriptions renew', ids });
const deletes = (ids: readonly string[]): Remedy => ({ words: 'preservica subscriptions delete', ids });

export const preservicaDoctor: SourceDoctor<PreservicaSource> = {
  credential: { secret: 'password' },
  list: { words: 'preservica subscriptions list' },
  firstSecret: ({ name }) => ({
    todo: `Choose one of at least 16 characters, and set it as ${prefixOf(name)}SECRET or in the vault.`,
  }),
  sameSecret: renew(),
  newSecret: () => ({
    todo: 'subscribe anew with the present one, as an account that may (add --username and --password-stdin).',
    remedy: renew(),
  }),
  longerSecret: 'Set one of at least 16 characters at random, then subscribe with it.',
  trialCall: (secret) =>
    secret === undefined
      ? undefined
      : {
          call: async (address) => await tryHandshake(address, secret),
          proves: 'answers with the secret that is kept here',
        },
  async subscriptions(context) {
    const { ownAddress: own, addresses } = context;
    const found = await subscriptionsOf(context).list();
    if (own === undefined) return { findings: [cannotTell(found.length)], count: undefined, webhooks: [] };
    const all = found.map(({ id, url = '', triggerType = '' }) => ({ id, url, trigger: triggerType }));
    const { ours, findings } = byAddress(all, { own, addresses, deletes });
    const triggers = [...new Set(ours.map(({ trigger }) => trigger))];
    const twice = triggers
      .map((trigger) => ({ trigger, ids: idsOf(ours.filter((each) => each.trigger === trigger)) }))
      .filter(({ ids }) => ids.length > 1);
    const known: readonly string[] = knownTriggers;
    const unknown = ours.filter(({ trigger }) => trigger !== '' && !known.includes(trigger));
    const names = [...new Set(unknown.map(({ trigger }) => trigger + suggestion(trigger, known)))];
    return {
      findings: [
        ours.length === 0
          ? preservicaFindings.noneCallsUs({ own })
          : ok(`${ours.length} for this app: ${sanitizeText(triggers.join(', '), 500)}.`),
        ...twice.map(preservicaFindings.subscribedTwice),
        ...(unknown.length === 0 ? [] : [preservicaFindings.unknownTriggers({ names, ids: idsOf(unknown) })]),
        ...findings,
      ],
      count: ours.length,
      webhooks: [],
    };
  },
};

/** What can be amiss with the subscriptions of a tenant, beside what every kind can find. */
export const preservicaFindings = {
  noneCallsUs: ({ own }: { own: string }): SubscriptionFinding =>
    noneCallsUs(own, {
      words: 'preservica subscriptions create --trigger FULL_TEXT_INDEXED,MOVED,CHANGED_SECURITY_DESCRIPTOR',
    }),
  subscribedTwice: ({ trigger, ids }: { trigger: string; ids: readonly string[] }): SubscriptionFinding => ({
    state: 'warning',
    text: `${trigger} is subscribed to ${ids.length} times (${ids.join(', ')}), so everything comes as often.`,
    todo: 'One with the present secret takes their place:',
    remedy: renew(ids),
  }),
  unknownTriggers: ({
    names,
    ids,
  }: {
    names: readonly string[];
    ids: readonly string[];
  }): SubscriptionFinding => ({
    state: 'warning',
    text: `No trigger that is known here: ${names.join('; ')}.`,
    todo: unknownNames,
    remedy: deletes(ids),
  }),
};

function idsOf(subscriptions: readonly { id: string }[]): string[] {
  return subscriptions.map(({ id }) => id);
}
