import { UpstreamError } from '../../pipeline/ports/errors.ts';
import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { SourceDoctor, SubscriptionFindings } from '../../pipeline/ports/source-doctor.ts';
import { manageDeps, webhookUrl, type Setup } from '../setup.ts';
import { checkOf, ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** What asking a source shows: whether it lets us in, and whether it will tell the app what happens. */
export interface SourceChecks {
  readonly login: Check;
  readonly subscriptions: Pick<SubscriptionFindings, 'count' | 'webhooks'> & {
    readonly checks: readonly Check[];
  };
}

/** Asks a source as its own account. Never throws. */
export async function checkSource(
  setup: Setup,
  source: SourceConfig,
  { credential, list, ...doctor }: SourceDoctor,
): Promise<SourceChecks> {
  const { secrets, config } = setup;
  if (source.url === '') return { login: findings.noAddress(source), subscriptions: unseen([]) };
  if (credential.secret === 'api-key' && (await secrets.apiKey(source.name)) === undefined) {
    const login = findings.notAskedWithoutKey({ ...source, create: credential.create });
    return { login, subscriptions: unseen([]) };
  }
  const taken = ok(`${source.name}: login`, 'The source takes the login.');
  try {
    const found = await doctor.subscriptions({
      ...manageDeps(setup, source),
      ownAddress: webhookUrl(setup, source),
      addresses: [...config.sources.values()].flatMap((each) => webhookUrl(setup, each) ?? []),
    });
    const checks = found.findings.map((each) => checkOf(source.name, 'subscriptions', each));
    return { login: taken, subscriptions: { ...found, checks } };
  } catch (error) {
    const text = error instanceof UpstreamError ? error.message : 'Asking it broke on something unexpected.';
    // Some servers answer 401 to a good login that may not do this; a login that is refused has a code of its own.
    const mayNot = error instanceof UpstreamError && [401, 403].includes(error.status ?? 0);
    return mayNot && error.code === 'UPSTREAM_STATUS'
      ? { login: taken, subscriptions: unseen([findings.mayNotSee({ ...source, text, list })]) }
      : { login: findings.loginRefused({ ...source, text }), subscriptions: unseen([]) };
  }
}

function unseen(checks: readonly Check[]): SourceChecks['subscriptions'] {
  return { checks, count: undefined, webhooks: [] };
}
