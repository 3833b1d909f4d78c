import type { Remedy, SourceDoctor, SubscriptionFinding } from '../../pipeline/ports/source-doctor.ts';
import { samePlace } from '../same-place.ts';
import { cannotTell, ok, otherSecret } from '../subscription-findings.ts';
import { cutOffAt } from './manage/cut-off.ts';
import { accountOf, ownAccount } from './manage/of-source.ts';
import { tryEcho } from './manage/try-echo.ts';
import type { PyWebhooksSource } from './settings.ts';

const create: Remedy = { words: 'pywebhooks account create' };
const update: Remedy = { words: 'pywebhooks account update' };
const resetSecret: Remedy = { words: 'pywebhooks reset-secret' };
const unsubscribe = (ids: readonly string[]): Remedy => ({ words: 'pywebhooks unsubscribe', ids });

export const pywebhooksDoctor: SourceDoctor<PyWebhooksSource> = {
  credential: { secret: 'api-key', create },
  list: { words: 'pywebhooks subscriptions' },
  firstSecret: () => ({ remedy: create }),
  sameSecret: { words: 'pywebhooks account show --show-secret' },
  newSecret: () => ({ todo: 'give both a new one.', remedy: resetSecret }),
  trialCall: () => ({ call: tryEcho, proves: 'answers an echo' }),
  async subscriptions(context) {
    const { ownAddress: own, source, secrets } = context;
    const service = accountOf(context);
    const [subscriptions, registrations, account] = await Promise.all([
      service.subscriptions(),
      service.registrations(),
      ownAccount(service, context),
    ]);
    const found = pywebhooksFindings;
    const findings: SubscriptionFinding[] = [
      subscriptions.length === 0
        ? found.subscribesToNothing()
        : ok(`${subscriptions.length} of this account.`),
    ];
    for (const registration of new Set(subscriptions.map(({ registrationId }) => registrationId))) {
      const ids = subscriptions.filter((each) => each.registrationId === registration).map(({ id }) => id);
      const [id = ''] = ids;
      if (!registrations.some((each) => each.id === registration))
        findings.push(found.registrationGone({ registration, id }));
      else if (ids.length > 1) findings.push(found.registeredTwice({ registration, ids }));
    }
    const { endpoint = '', failedCount = 0, secretKey } = account ?? {};
    if (own === undefined) findings.push(cannotTell(subscriptions.length));
    else if (account !== undefined && !samePlace(endpoint, own))
      findings.push(found.endpointElsewhere({ endpoint, own }));
    const [current] = (await secrets.webhookSecrets(source.name)) ?? [];
    if (secretKey !== undefined && current !== undefined && secretKey !== current)
      findings.push(found.accountHasOtherSecret());
    if (failedCount >= cutOffAt) findings.push(found.cutOff({ count: failedCount }));
    return { findings, count: subscriptions.length, webhooks: [] };
  },
};

/** What can be amiss with an account and its subscriptions, beside what every kind can find. */
export const pywebhooksFindings = {
  subscribesToNothing: (): SubscriptionFinding => ({
    state: 'wrong',
    text: 'The account subscribes to nothing.',
    remedy: { words: 'pywebhooks registrations' },
  }),
  registrationGone: ({ registration, id }: { registration: string; id: string }): SubscriptionFinding => ({
    state: 'warning',
    text: `Subscription ${id} is to the registration ${registration}, which is no more: nothing comes of it.`,
    remedy: unsubscribe([id]),
  }),
  registeredTwice: ({
    registration,
    ids,
  }: {
    registration: string;
    ids: readonly string[];
  }): SubscriptionFinding => ({
    state: 'warning',
    text: `The account subscribes ${ids.length} times to ${registration} (${ids.join(', ')}), so everything comes as often.`,
    remedy: unsubscribe(ids.slice(-1)),
  }),
  endpointElsewhere: ({ endpoint, own }: { endpoint: string; own: string }): SubscriptionFinding => ({
    state: 'wrong',
    text: `The account's endpoint is ${endpoint}, not ${own}.`,
    remedy: update,
  }),
  accountHasOtherSecret: (): SubscriptionFinding => ({
    state: 'wrong',
    text: otherSecret,
    remedy: resetSecret,
  }),
  cutOff: ({ count }: { count: number }): SubscriptionFinding => ({
    state: 'wrong',
    text: `${count} deliveries failed in a row, so nothing is sent any more.`,
    todo: 'Mend what refused them, then set the endpoint anew:',
    remedy: update,
  }),
};
