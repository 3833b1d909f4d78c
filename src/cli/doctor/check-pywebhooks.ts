import type { SourceConfig } from '../../config.ts';
import { cutOffAt } from '../pywebhooks/account.ts';
import { accountOf, ownAccount } from '../pywebhooks/login.ts';
import { samePlace, webhookUrl, type Setup } from '../setup.ts';
import type { Subscriptions } from './check-source.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** Compares an account and its subscriptions with what this app should be told of. May throw an UpstreamError. */
export async function checkPyWebhooks(setup: Setup, source: SourceConfig): Promise<Subscriptions> {
  const service = accountOf(setup, source);
  const [subscriptions, registrations, account] = await Promise.all([
    service.subscriptions(),
    service.registrations(),
    ownAccount({ setup, source, service }),
  ]);
  const own = webhookUrl(setup, source);
  const checks: Check[] = [
    subscriptions.length === 0
      ? findings.noneCallsUs({ ...source, own: own ?? '' })
      : ok(`${source.name}: subscriptions`, `${subscriptions.length} of this account.`),
  ];
  for (const registration of new Set(subscriptions.map(({ registrationId }) => registrationId))) {
    const ids = subscriptions.filter((each) => each.registrationId === registration).map(({ id }) => id);
    const [id = ''] = ids;
    if (!registrations.some((each) => each.id === registration))
      checks.push(findings.registrationGone({ ...source, registration, id }));
    else if (ids.length > 1) checks.push(findings.registeredTwice({ ...source, registration, ids }));
  }
  const { endpoint = '', failedCount = 0, secretKey } = account ?? {};
  if (own === undefined) checks.push(findings.cannotTell({ ...source, count: subscriptions.length }));
  else if (account !== undefined && !samePlace(endpoint, own))
    checks.push(findings.endpointElsewhere({ ...source, endpoint, own }));
  const [current] = (await setup.secrets.webhookSecrets(source.name)) ?? [];
  if (secretKey !== undefined && current !== undefined && secretKey !== current)
    checks.push(findings.accountHasOtherSecret(source));
  if (failedCount >= cutOffAt) checks.push(findings.cutOff({ ...source, count: failedCount }));
  return { checks, count: subscriptions.length, webhooks: [] };
}
