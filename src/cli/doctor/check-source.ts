import type { SourceConfig } from '../../config.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import type { Setup } from '../setup.ts';
import { checkPreservica } from './check-preservica.ts';
import { checkPyWebhooks } from './check-pywebhooks.ts';
import { checkWoodWing } from './check-woodwing.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

/** What the subscriptions at a source come to. */
export interface Subscriptions {
  readonly checks: readonly Check[];
  /** How many call this app; undefined where that cannot be told. */
  readonly count: number | undefined;
  /** The ids of those that do, where each is a webhook with a secret of its own. */
  readonly webhooks: readonly string[];
}

/** What asking a source shows: whether it lets us in, and whether it will tell the app what happens. */
export interface SourceChecks {
  readonly login: Check;
  readonly subscriptions: Subscriptions;
}

type CheckSubscriptions = (setup: Setup, source: SourceConfig) => Promise<Subscriptions>;

const kinds: Readonly<Record<SourceConfig['kind'], CheckSubscriptions>> = {
  preservica: checkPreservica,
  woodwing: checkWoodWing,
  pywebhooks: checkPyWebhooks,
};

/** Asks a source as its own account. Never throws. */
export async function checkSource(setup: Setup, source: SourceConfig): Promise<SourceChecks> {
  if (source.url === '') return { login: findings.noAddress(source), subscriptions: unseen([]) };
  if (source.kind === 'pywebhooks' && (await setup.secrets.apiKey(source.name)) === undefined)
    return { login: findings.notAskedWithoutKey(source), subscriptions: unseen([]) };
  const taken = ok(`${source.name}: login`, 'The source takes the login.');
  try {
    return { login: taken, subscriptions: await kinds[source.kind](setup, source) };
  } catch (error) {
    const text = error instanceof UpstreamError ? error.message : 'Asking it broke on something unexpected.';
    // Some servers answer 401 to a good login that may not do this; a login that is refused has a code of its own.
    const mayNot = error instanceof UpstreamError && [401, 403].includes(error.status ?? 0);
    return mayNot && error.code === 'UPSTREAM_STATUS'
      ? { login: taken, subscriptions: unseen([findings.mayNotSee({ ...source, text })]) }
      : { login: findings.loginRefused({ ...source, text }), subscriptions: unseen([]) };
  }
}

function unseen(checks: readonly Check[]): Subscriptions {
  return { checks, count: undefined, webhooks: [] };
}
