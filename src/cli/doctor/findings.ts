import { prefixOf, type SourceConfig } from '../../config.ts';
import { shortTime } from '../times.ts';
import { typed } from '../typed.ts';
import type { Check } from './check.ts';
import type { Refused } from '../../pipeline/accept/refusals.ts';

/** Which source a finding is about. */
type Of = Pick<SourceConfig, 'name' | 'kind'>;

const again = typed('doctor');

/**
 * All that the doctor can find amiss: each by its name, with what must be known to say it. Every one ends with a command
 * that exists and is complete; where only a setting helps, that is the doctor itself, to look again.
 */
export const findings = {
  // Settings.
  settingFaulty: ({ fault, where }: { fault: string; where: string }) =>
    wrong('settings', fault, `Set it right; the README has all settings. ${where}`.trim()),
  settingUnread: ({ warning: text }: { warning: string }) =>
    warning('settings', text, 'Take it away, or look at its spelling.'),
  noPublicUrl: () =>
    warning(
      'settings',
      'PUBLIC_URL is not set, so nothing tells which subscriptions are of this app.',
      'Set it to the address at which the sources reach the app.',
    ),
  plainPublicUrl: () =>
    warning(
      'settings',
      'PUBLIC_URL is plain http: what the sources send can be read on its way.',
      'Use https.',
    ),

  // The app.
  noAppAddress: () =>
    wrong('app', 'Nothing says where the app is.', 'Set ASSET_WEBHOOKS_URL or PUBLIC_URL to its address.'),
  keyNotSafe: ({ text }: { text: string }) => wrong('app', text, 'Nothing was asked of the app.'),
  unreachable: ({ url, how, setting }: { url: string; how: Unreachable; setting: string }) => {
    const { text, todo } = unreachable[how]({ host: new URL(url).host, setting });
    return wrong('app', `${text} (${url})`, todo);
  },
  publicUnseen: ({ url, how }: { url: string; how: Unreachable }) => {
    const { text, todo } = unreachable[how]({ host: new URL(url).host, setting: 'PUBLIC_URL' });
    return warning(
      'app',
      `Seen from here: ${text} (${url})`,
      `Where the sources reach it all the same, nothing; else: ${todo}`,
    );
  },
  otherAnswer: ({ url, status, setting }: { url: string; status: number; setting: string }) => {
    const { text, todo } = meaningOf(status, setting);
    return wrong('app', `${text} (${url}/health answered ${status})`, todo);
  },
  keyRefused: ({ url, text }: { url: string; text: string }) =>
    wrong('app', text, `A function key of the app at ${url} opens /sources and /events.`),
  sourcesMissing: ({ url }: { url: string }) =>
    wrong(
      'app',
      `It lives at ${url}, but has no /sources: another version of the app, or another app.`,
      'Deploy this version, or set the address right.',
    ),
  sourcesBroke: ({ url, status }: { url: string; status: number }) =>
    wrong(
      'app',
      `It lives at ${url}, but /sources broke with ${status}.`,
      'Its log says why, in the line staff-door-failed.',
    ),
  storageAway: ({ text }: { text: string }) =>
    wrong('storage', text, 'Its settings are faulty or its storage is away: its log says which.'),
  notAsked: ({ text }: { text: string }) => wrong('app', text, 'Mend what this says.'),
  otherSources: ({ running }: { running: string }) =>
    warning(
      'app',
      `It runs with other sources than the settings here: ${running}.`,
      'Look whether these are the settings of that app, and whether it was started after they were changed.',
    ),

  // What the app says of a source.
  appHasNoSecret: ({ name }: Of) =>
    wrong(
      `${name}: events`,
      'The running app has no webhook secret for it, and answers it with 503.',
      'Set it where the app takes its secrets from, and restart the app if these are settings.',
    ),
  appHasOtherSecret: ({ name, kind }: Of) =>
    wrong(
      `${name}: secrets`,
      'The running app takes another webhook secret than the one that is kept here.',
      `Give both the same: set the one of the source (below) as ${prefixOf(name)}SECRET or in the vault, and restart the app if it is a setting.`,
      {
        preservica: typed('preservica subscriptions renew', name),
        woodwing: typed('woodwing webhooks list --show-secret', name),
        pywebhooks: typed('pywebhooks account show --show-secret', name),
      }[kind],
    ),
  callsRefused: ({ name, kind, refused, ids, now }: Of & RefusedCalls) =>
    warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      `Whoever knows the address can cause this. Where events are missing, the source signs with another secret: ${kind === 'preservica' ? 'subscribe anew with the present one.' : 'give both a new one.'}`,
      {
        preservica: typed('preservica subscriptions renew', name),
        woodwing:
          ids.length === 1
            ? typed('woodwing webhooks new-token', name, ids)
            : typed('woodwing webhooks list', name),
        pywebhooks: typed('pywebhooks reset-secret', name),
      }[kind],
    ),
  callsUnreadable: ({ name, refused, now }: Of & RefusedCalls) =>
    warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      'Larger than MAX_DELIVERY_BYTES, or nothing that this version can read. What was proved is in the ledger.',
      typed('events list --state failed', name),
    ),
  keysOffered: ({ name, refused, now }: Of & RefusedCalls) =>
    warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      'The service or a stranger offered a new key that nobody asked for. It was not taken. If you reset a key there by hand, do it by the command.',
      typed('pywebhooks reset-secret', name),
    ),
  eventsFailed: ({ name, count }: Of & { count: string }) =>
    warning(`${name}: events`, `${count} failed.`, undefined, typed('events list --state failed', name)),
  eventsWait: ({ name, count }: Of & { count: string }) =>
    warning(
      `${name}: events`,
      `${count} wait for another try.`,
      undefined,
      typed('events list --state waiting', name),
    ),

  // The app as the source calls it.
  handshakeFails: ({ name, text }: Of & { text: string }) =>
    wrong(`${name}: handshake`, text, 'Until then no subscription can be made.'),
  handshakeUnseen: ({ name, text }: Of & { text: string }) =>
    warning(`${name}: handshake`, text, 'The source itself may reach it all the same.'),
  otherSecretAnswers: ({ name, text }: Of & { text: string }) =>
    wrong(
      `${name}: handshake`,
      text,
      `Give both the same secret (${prefixOf(name)}SECRET, or the vault), restart the app if it is a setting, and subscribe with it.`,
      typed('preservica subscriptions renew', name),
    ),

  // Secrets here.
  secretsUnreadable: ({ name, text, todo }: Of & { text: string; todo: string }) =>
    wrong(`${name}: secrets`, text, todo),
  noWebhookSecret: ({ name, kind, where }: Of & { where: string }) =>
    wrong(
      `${name}: secrets`,
      `There is no webhook secret in ${where}: an app with these settings answers this source with 503.`,
      kind === 'preservica'
        ? `Choose one of at least 16 characters, and set it as ${prefixOf(name)}SECRET or in the vault.`
        : undefined,
      {
        preservica: again,
        woodwing: typed('woodwing webhooks create', name),
        pywebhooks: typed('pywebhooks account create', name),
      }[kind],
    ),
  secretOnlyInApp: ({ name, where }: Of & { where: string }) =>
    warning(
      `${name}: secrets`,
      `The running app has a webhook secret, and there is none in ${where}: so nothing here can be compared with it.`,
      'Give this command the settings and secrets of the app.',
    ),
  shortSecret: ({ name, kind }: Of) =>
    warning(
      `${name}: secrets`,
      'The webhook secret is short: it can be guessed from one call that somebody saw.',
      kind === 'preservica'
        ? 'Set one of at least 16 characters at random, then subscribe with it.'
        : undefined,
      {
        preservica: typed('preservica subscriptions renew', name),
        woodwing: typed('woodwing webhooks list', name),
        pywebhooks: typed('pywebhooks reset-secret', name),
      }[kind],
    ),
  noPassword: ({ name, where }: Of & { where: string }) =>
    wrong(
      `${name}: secrets`,
      `There is no password in ${where}. Events wait until there is.`,
      `Set ${prefixOf(name)}PASSWORD, or source-${name}-password in the vault.`,
    ),
  noApiKey: ({ name, where }: Of & { where: string }) =>
    warning(
      `${name}: secrets`,
      `There is no API key in ${where}. The app needs none; this command does.`,
      'Make an account; or where there is one, set its key.',
      typed('pywebhooks account create', name),
    ),

  // The source itself.
  clocksDiffer: ({ name, seconds }: Of & { seconds: number }) =>
    warning(
      `${name}: clock`,
      `Its clock and the one here are ${seconds} seconds apart.`,
      'Set the one that is wrong: one-time codes fail, and ages of events are misjudged.',
    ),
  noAddress: ({ name }: Of) =>
    warning(
      `${name}: login`,
      'It has no address: it is received from, and not asked.',
      `For the commands, set ${prefixOf(name)}URL.`,
    ),
  notAskedWithoutKey: ({ name }: Of) =>
    warning(
      `${name}: login`,
      'It is not asked without an API key.',
      undefined,
      typed('pywebhooks account create', name),
    ),
  loginRefused: ({ name, text }: Of & { text: string }) =>
    wrong(
      `${name}: login`,
      text,
      'Mend what this says; until then its events wait, and nothing says whether it will call the app.',
    ),
  mayNotSee: ({ name, kind, text }: Of & { text: string }) =>
    warning(
      `${name}: subscriptions`,
      `The account may not see them. ${text}`,
      'Look as an account that may: add --username and --password-stdin.',
      typed(listOf[kind], name),
    ),
  cannotTell: ({ name, count }: Of & { count: number }) =>
    warning(
      `${name}: subscriptions`,
      `${count} there; which of them are of this app cannot be told.`,
      'Set PUBLIC_URL to the address of the app.',
    ),
  noneCallsUs: ({ name, kind, own }: Of & { own: string }) =>
    wrong(
      `${name}: subscriptions`,
      kind === 'pywebhooks' ? 'The account subscribes to nothing.' : `None calls ${own}.`,
      undefined,
      {
        preservica: typed(
          'preservica subscriptions create --trigger FULL_TEXT_INDEXED,MOVED,CHANGED_SECURITY_DESCRIPTOR',
          name,
        ),
        woodwing: typed('woodwing webhooks create', name),
        pywebhooks: typed('pywebhooks registrations', name),
      }[kind],
    ),
  strays: ({ name, kind, ids, urls }: Of & { ids: readonly string[]; urls: readonly string[] }) =>
    warning(
      `${name}: subscriptions`,
      `${ids.join(', ')} calls this app where it has no such source: ${urls.join(', ')}.`,
      'Every such call is answered with 404.',
      kind === 'woodwing'
        ? typed('woodwing webhooks delete', name, ids.slice(0, 1))
        : typed('preservica subscriptions delete', name, ids),
    ),
  unknownTriggers: ({ name, names, ids }: Of & Unknown) =>
    warning(
      `${name}: subscriptions`,
      `No trigger that is known here: ${names.join('; ')}.`,
      'A slip of the pen brings nothing for ever; a new one of the server is fetched like any other. If it is a slip:',
      typed('preservica subscriptions delete', name, ids),
    ),
  unknownEvents: ({ name, names, ids, known }: Of & Unknown & { known: readonly string[] }) =>
    warning(
      `${name}: subscriptions`,
      `Webhook ${ids.join(', ')} wants events that are not known here: ${names.join('; ')}.`,
      'A slip of the pen brings nothing for ever; a new one of the server is fetched like any other. If it is a slip:',
      typed(`woodwing webhooks update --event ${known.join(',')}`, name, ids),
    ),
  subscribedTwice: ({ name, trigger, ids }: Of & { trigger: string; ids: readonly string[] }) =>
    warning(
      `${name}: subscriptions`,
      `${trigger} is subscribed to ${ids.length} times (${ids.join(', ')}), so everything comes as often.`,
      'One with the present secret takes their place:',
      typed('preservica subscriptions renew', name, ids),
    ),
  severalWebhooks: ({ name, kept, others, both }: Of & Several) =>
    wrong(
      `${name}: subscriptions`,
      `${others.length + 1} webhooks call this app (${[kept, ...others].join(', ')}), and a source has one secret: all but one are refused.${both.length === 0 ? '' : ` They bring the same: ${both.join(', ')}.`}`,
      'Make each a source of its own, or delete all but one:',
      typed('woodwing webhooks delete', name, others.slice(0, 1)),
    ),
  webhookDisabled: ({ name, id }: Of & { id: string }) =>
    wrong(
      `${name}: subscriptions`,
      `Webhook ${id} is disabled: nothing comes, and what happens meanwhile is never sent.`,
      undefined,
      typed('woodwing webhooks enable', name, [id]),
    ),
  webhookHasOtherSecret: ({ name, id }: Of & { id: string }) =>
    wrong(`${name}: subscriptions`, otherSecret, undefined, typed('woodwing webhooks new-token', name, [id])),
  accountHasOtherSecret: ({ name }: Of) =>
    wrong(`${name}: subscriptions`, otherSecret, undefined, typed('pywebhooks reset-secret', name)),
  registeredTwice: ({ name, registration, ids }: Of & { registration: string; ids: readonly string[] }) =>
    warning(
      `${name}: subscriptions`,
      `The account subscribes ${ids.length} times to ${registration} (${ids.join(', ')}), so everything comes as often.`,
      undefined,
      typed('pywebhooks unsubscribe', name, ids.slice(-1)),
    ),
  registrationGone: ({ name, registration, id }: Of & { registration: string; id: string }) =>
    warning(
      `${name}: subscriptions`,
      `Subscription ${id} is to the registration ${registration}, which is no more: nothing comes of it.`,
      undefined,
      typed('pywebhooks unsubscribe', name, [id]),
    ),
  endpointElsewhere: ({ name, endpoint, own }: Of & { endpoint: string; own: string }) =>
    wrong(
      `${name}: subscriptions`,
      `The account's endpoint is ${endpoint}, not ${own}.`,
      undefined,
      typed('pywebhooks account update', name),
    ),
  cutOff: ({ name, count }: Of & { count: number }) =>
    wrong(
      `${name}: subscriptions`,
      `${count} deliveries failed in a row, so nothing is sent any more.`,
      'Mend what refused them, then set the endpoint anew:',
      typed('pywebhooks account update', name),
    ),
} satisfies Record<string, (facts: never) => Check>;

interface RefusedCalls {
  readonly refused: readonly Refused[];
  /** The webhooks of this app, where the source has such. */
  readonly ids: readonly string[];
  readonly now: Date;
}

interface Unknown {
  /** Each with a suggestion, where there is one. */
  readonly names: readonly string[];
  readonly ids: readonly string[];
}

interface Several {
  readonly kept: string;
  readonly others: readonly string[];
  /** Events that more than one of them brings. */
  readonly both: readonly string[];
}

/** In which ways nothing answers at an address. */
export type Unreachable = 'no-such-name' | 'refused' | 'timeout' | 'tls' | 'no-network' | 'broke-off';

const unreachable: Readonly<
  Record<Unreachable, (at: { host: string; setting: string }) => { text: string; todo: string }>
> = {
  'no-such-name': ({ host, setting }) => ({
    text: `There is no machine of the name ${host}.`,
    todo: `Look at the spelling of ${setting}, and at your connection.`,
  }),
  refused: ({ host, setting }) => ({
    text: `The machine is there, but nothing listens at ${host}.`,
    todo: `Start the app, or set the port in ${setting} right.`,
  }),
  timeout: ({ host, setting }) => ({
    text: `Nothing came back from ${host} in time: a firewall in between, or an app that hangs.`,
    todo: `Look whether this machine may call it, and at ${setting}.`,
  }),
  tls: ({ host, setting }) => ({
    text: `The certificate of ${host} is not trusted here, or what is there speaks no TLS.`,
    todo: `Look at the certificate (its name, its end, who signed it), and whether ${setting} should be http. Sources may refuse it too.`,
  }),
  'no-network': ({ host }) => ({
    text: `No way leads from this machine to ${host}.`,
    todo: 'Look at your connection.',
  }),
  'broke-off': ({ host, setting }) => ({
    text: `The connection to ${host} was not to be had, or ended without an answer.`,
    todo: `Look what it is, and at ${setting}: https to a port of plain http ends so too.`,
  }),
};

function meaningOf(status: number, setting: string): { text: string; todo: string } {
  if (status === 404) {
    return {
      text: 'Something answers there that has no /health: another app, or one whose functions were not deployed.',
      todo: `Set ${setting} to the address of the app, without a path of its own, or deploy it there.`,
    };
  }
  if (status === 401 || status === 403) {
    return {
      text: 'Something in front of the app wants a login: /health needs none of its own.',
      todo: 'Let the sources, and this machine, through without one; signatures prove the calls.',
    };
  }
  if (status >= 300 && status < 400) {
    return {
      text: 'What answers there leads elsewhere, and no source need follow.',
      todo: `Set ${setting} to the address that it leads to.`,
    };
  }
  if (status === 500) {
    return {
      text: 'The app is there and broke: its worker may not start.',
      todo: 'Its log says why, from its start on.',
    };
  }
  if (status === 502 || status === 503 || status === 504) {
    return {
      text: 'The app is stopped, starting, or overloaded: what stands in front of it answers in its place.',
      todo: 'Start it, or wait a minute.',
    };
  }
  return {
    text: 'What answers there is not this app.',
    todo: `Set ${setting} to the address of the app.`,
  };
}

const otherSecret = 'The source signs with another secret than the one that is kept here.';

const listOf: Readonly<Record<SourceConfig['kind'], string>> = {
  preservica: 'preservica subscriptions list',
  woodwing: 'woodwing webhooks list',
  pywebhooks: 'pywebhooks subscriptions',
};

/** Refused calls for people: `12 refused since 14:02: wrong signature`. */
export function countsOf(refused: readonly Refused[], now: Date): string {
  return refused
    .map(
      ({ code, count, since }) =>
        `${count} refused since ${shortTime(since, now)}: ${code.replaceAll('-', ' ')}`,
    )
    .join('; ');
}

function warning(about: string, text: string, todo: string | undefined, command = again): Check {
  return { about, state: 'warning', text, ...(todo === undefined ? {} : { todo }), command };
}

function wrong(about: string, text: string, todo: string | undefined, command = again): Check {
  return { about, state: 'wrong', text, ...(todo === undefined ? {} : { todo }), command };
}
