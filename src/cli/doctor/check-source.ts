import { prefixOf, type SourceConfig } from '../../config.ts';
import { UpstreamError } from '../../errors.ts';
import { ok, warning, wrong, type Check } from './check.ts';
import { subscriptionsOf } from '../preservica.ts';
import { accountOf, ownAccount } from '../pywebhooks/login.ts';
import { cutOffAt } from '../pywebhooks/account.ts';
import { samePlace, webhookUrl, type Setup } from '../setup.ts';
import { webhooksOf } from '../woodwing/login.ts';

/** What asking a source shows: whether it lets us in, and whether it will tell the app what happens. */
export interface SourceChecks {
  readonly login: Check;
  readonly subscriptions: readonly Check[];
}

/** Asks a source as its own account. Never throws. */
export async function checkSource(setup: Setup, source: SourceConfig): Promise<SourceChecks> {
  const about = `${source.name}: login`;
  if (source.url === '') {
    const todo = `For the commands, set ${prefixOf(source.name)}URL.`;
    return {
      login: warning(about, 'It has no address: it is received from, and not asked.', todo),
      subscriptions: [],
    };
  }
  try {
    const subscriptions = await kinds[source.kind](setup, source, `${source.name}: subscriptions`);
    return { login: ok(about, 'The source takes the login.'), subscriptions };
  } catch (error) {
    return whatRefused(error, about, source);
  }
}

type SubscriptionChecks = (setup: Setup, source: SourceConfig, about: string) => Promise<Check[]>;

const kinds: Readonly<Record<SourceConfig['kind'], SubscriptionChecks>> = {
  preservica: checkPreservica,
  woodwing: checkWoodWing,
  pywebhooks: checkPyWebhooks,
};

function whatRefused(error: unknown, about: string, { name, kind }: SourceConfig): SourceChecks {
  const unseen = (text: string, todo: string): SourceChecks => ({
    login: ok(about, 'The source takes the login.'),
    subscriptions: [warning(`${name}: subscriptions`, text, todo)],
  });
  // Some servers answer 401 to a good login that may not do this; a login that is refused has a code of its own.
  const mayNot = error instanceof UpstreamError && [401, 403].includes(error.status ?? 0);
  if (mayNot && error.code === 'UPSTREAM_STATUS') {
    const todo = `Look with an account that may: asset-webhooks ${kind} --username NAME --password-stdin …`;
    return unseen(`The account may not see them. ${error.message}`, todo);
  }
  const text = error instanceof UpstreamError ? error.message : 'Asking it broke on something unexpected.';
  return {
    login: wrong(about, text, 'Mend what this says; until then its events wait.'),
    subscriptions: [
      warning(`${name}: subscriptions`, 'Not looked at, because there is no login.', 'Mend the login first.'),
    ],
  };
}

async function checkPreservica(setup: Setup, source: SourceConfig, about: string): Promise<Check[]> {
  const own = webhookUrl(setup, source);
  const all = await subscriptionsOf(setup, source).list();
  if (own === undefined) return [unknownAddress(about, all.length)];
  const triggers = all
    .filter(({ url }) => samePlace(url ?? '', own))
    .map(({ triggerType = '' }) => triggerType);
  const create = `asset-webhooks preservica subscriptions create --source ${source.name} --trigger FULL_TEXT_INDEXED,MOVED,CHANGED_SECURITY_DESCRIPTOR`;
  if (triggers.length === 0) return [wrong(about, `No subscription calls ${own}.`, create)];
  const twice = [...new Set(triggers.filter((each, index) => triggers.indexOf(each) !== index))];
  return [
    ok(about, `${triggers.length} for this app: ${triggers.join(', ')}.`),
    ...twice.map((trigger) =>
      warning(
        about,
        `${trigger} is subscribed to more than once, so everything comes more than once.`,
        `Delete all but the one with the present secret: asset-webhooks preservica subscriptions list`,
      ),
    ),
  ];
}

async function checkWoodWing(setup: Setup, source: SourceConfig, about: string): Promise<Check[]> {
  const own = webhookUrl(setup, source);
  const all = await webhooksOf(setup, source).list();
  if (own === undefined) return [unknownAddress(about, all.length)];
  const [first, ...more] = all.filter(({ url }) => samePlace(url, own));
  if (first === undefined) {
    return [
      wrong(
        about,
        `No webhook calls ${own}.`,
        `asset-webhooks woodwing webhooks create --source ${source.name}`,
      ),
    ];
  }
  if (more.length > 0) {
    const ids = [first, ...more].map(({ id }) => id).join(', ');
    const text = `${more.length + 1} webhooks call this app (${ids}), and a source has one secret: all but one are refused.`;
    return [wrong(about, text, 'Delete the others, or make each a source of its own.')];
  }
  return [
    ...(await otherSecret(setup, source, about, first.secretToken)),
    first.enabled
      ? ok(about, `Webhook ${first.id} is enabled, for ${first.eventTypes.length} kinds of event.`)
      : wrong(
          about,
          `Webhook ${first.id} is disabled: nothing comes, and what happens meanwhile is never sent.`,
          `asset-webhooks woodwing webhooks enable ${first.id} --source ${source.name}`,
        ),
  ];
}

async function checkPyWebhooks(setup: Setup, source: SourceConfig, about: string): Promise<Check[]> {
  const service = accountOf(setup, source);
  const [subscriptions, account] = await Promise.all([
    service.subscriptions(),
    ownAccount({ setup, source, service }),
  ]);
  const own = webhookUrl(setup, source);
  const { endpoint = '', failedCount = 0 } = account ?? {};
  const checks: Check[] = [
    subscriptions.length === 0
      ? wrong(
          about,
          'The account subscribes to nothing.',
          'asset-webhooks pywebhooks registrations, and then subscribe ID',
        )
      : ok(about, `${subscriptions.length} of this account.`),
  ];
  if (own === undefined) checks.push(unknownAddress(about, subscriptions.length));
  else if (account !== undefined && !samePlace(endpoint, own)) {
    checks.push(
      wrong(
        about,
        `The account's endpoint is ${endpoint}, not ${own}.`,
        'Set it anew there (PATCH /v1/account).',
      ),
    );
  }
  checks.push(...(await otherSecret(setup, source, about, account?.secretKey)));
  if (failedCount >= cutOffAt) {
    const text = `${failedCount} deliveries failed in a row, so nothing is sent any more.`;
    checks.push(
      wrong(about, text, 'Mend what refused them, then set the endpoint anew (PATCH /v1/account).'),
    );
  }
  return checks;
}

/** Where the source shows with what it signs: whether that is what is kept for the app. Neither is said. */
async function otherSecret(
  { secrets }: Setup,
  { name, kind }: SourceConfig,
  about: string,
  signsWith: string | null | undefined,
): Promise<Check[]> {
  const [current] = (await secrets.webhookSecrets(name)) ?? [];
  if (typeof signsWith !== 'string' || current === undefined || signsWith === current) return [];
  const todo =
    kind === 'woodwing'
      ? 'asset-webhooks woodwing webhooks new-token ID'
      : 'asset-webhooks pywebhooks reset-secret';
  return [wrong(about, 'The source signs with another secret than the one that is kept here.', todo)];
}

function unknownAddress(about: string, count: number): Check {
  const text = `${count} there; which of them are of this app cannot be told.`;
  return warning(about, text, 'Set PUBLIC_URL to the address of the app.');
}
