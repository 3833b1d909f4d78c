import { prefixOf, type SourceConfig } from '../../pipeline/ports/source-config.ts';
import type { Remedy, SourceDoctor } from '../../pipeline/ports/source-doctor.ts';
import { shortTime, wholeTime } from '../times.ts';
import { typed } from '../typed.ts';
import { remedyFor, type Check } from './check.ts';
import type { Refused } from '../../pipeline/model/refusals.ts';

/** Which source a finding is about. */
type Of = Pick<SourceConfig, 'name'>;
interface Doctor {
  readonly doctor: Pick<SourceDoctor, 'firstSecret' | 'sameSecret' | 'newSecret' | 'longerSecret'>;
}

/**
 * All that the doctor can find amiss: each by its name, with what must be known to say it. Every one ends with a command
 * that exists and is complete; where only a setting helps, that is the doctor itself, to look again.
 */
export const findings = {
  // Settings.
  settingFaulty: ({ fault }: { fault: string }) =>
    wrong('settings', fault, 'Set it right; the README has all settings.'),
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
      'Its log says why, in the line staff-endpoint-failed.',
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
  appHasOtherSecret: ({ name, doctor }: Of & Doctor) =>
    wrong(
      `${name}: secrets`,
      'The running app takes another webhook secret than the one that is kept here.',
      `Give both the same: set the one of the source (below) as ${prefixOf(name)}SECRET or in the vault, and restart the app if it is a setting.`,
      remedyFor(name, doctor.sameSecret),
    ),
  callsRefused: ({ name, refused, ids, now, doctor }: Of & RefusedCalls) => {
    const { todo, remedy } = doctor.newSecret(ids);
    return warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      `Whoever knows the address can cause this. Where events are missing, the source signs with another secret: ${todo}`,
      remedyFor(name, remedy),
    );
  },
  callsUnreadable: ({ name, refused, now }: Of & RefusedCalls) =>
    warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      'Larger than MAX_DELIVERY_BYTES, or nothing that this version can read. What was proved is in the ledger.',
      typed('events list --state failed', name),
    ),
  keysOffered: ({ name, refused, now, doctor }: Of & RefusedCalls) =>
    warning(
      `${name}: calls`,
      `${countsOf(refused, now)}.`,
      'The service or a stranger offered a new key that nobody asked for. It was not taken. If you reset a key there by hand, do it by the command.',
      remedyFor(name, doctor.newSecret([]).remedy),
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
  sourcePaused: ({ name, since }: Of & { since: string }) =>
    warning(
      `${name}: events`,
      `The source is paused since ${wholeTime(since)}, so nothing is asked of it.`,
      undefined,
      typed('source resume', undefined, [name]),
    ),
  sourceLeftAlone: ({ name, code, until }: Of & { code: string; until: string }) =>
    warning(
      `${name}: events`,
      `The source is left alone until ${wholeTime(until)} (${code}); then a single event tries whether it is back.`,
      'To ask it at once:',
      typed('source resume', undefined, [name]),
    ),

  // The app as the source calls it.
  handshakeFails: ({ name, text }: Of & { text: string }) =>
    wrong(`${name}: handshake`, text, 'Until then no subscription can be made.'),
  handshakeUnseen: ({ name, text }: Of & { text: string }) =>
    warning(`${name}: handshake`, text, 'The source itself may reach it all the same.'),
  otherSecretAnswers: ({ name, text, doctor }: Of & Doctor & { text: string }) =>
    wrong(
      `${name}: handshake`,
      text,
      `Give both the same secret (${prefixOf(name)}SECRET, or the vault), restart the app if it is a setting, and subscribe with it.`,
      remedyFor(name, doctor.sameSecret),
    ),

  // Secrets here.
  secretsUnreadable: ({ name, text, todo }: Of & { text: string; todo: string }) =>
    wrong(`${name}: secrets`, text, todo),
  noWebhookSecret: ({ name, where, doctor }: Of & Doctor & { where: string }) => {
    const { todo, remedy } = doctor.firstSecret({ name });
    return wrong(
      `${name}: secrets`,
      `There is no webhook secret in ${where}: an app with these settings answers this source with 503.`,
      todo,
      remedyFor(name, remedy),
    );
  },
  secretOnlyInApp: ({ name, where }: Of & { where: string }) =>
    warning(
      `${name}: secrets`,
      `The running app has a webhook secret, and there is none in ${where}: so nothing here can be compared with it.`,
      'Give this command the settings and secrets of the app.',
    ),
  shortSecret: ({ name, doctor }: Of & Doctor) =>
    warning(
      `${name}: secrets`,
      'The webhook secret is short: it can be guessed from one call that somebody saw.',
      doctor.longerSecret,
      remedyFor(name, doctor.newSecret([]).remedy),
    ),
  noPassword: ({ name, where }: Of & { where: string }) =>
    wrong(
      `${name}: secrets`,
      `There is no password in ${where}. Events wait until there is.`,
      `Set ${prefixOf(name)}PASSWORD, or source-${name}-password in the vault.`,
    ),
  noApiKey: ({ name, where, create }: Of & { where: string; create: Remedy }) =>
    warning(
      `${name}: secrets`,
      `There is no API key in ${where}. The app needs none; this command does.`,
      'Make an account; or where there is one, set its key.',
      remedyFor(name, create),
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
  notAskedWithoutKey: ({ name, create }: Of & { create: Remedy }) =>
    warning(`${name}: login`, 'It is not asked without an API key.', undefined, remedyFor(name, create)),
  loginRefused: ({ name, text }: Of & { text: string }) =>
    wrong(
      `${name}: login`,
      text,
      'Mend what this says; until then its events wait, and nothing says whether it will call the app.',
    ),
  mayNotSee: ({ name, text, list }: Of & { text: string; list: Remedy }) =>
    warning(
      `${name}: subscriptions`,
      `The account may not see them. ${text}`,
      'Look as an account that may: add --username and --password-stdin.',
      remedyFor(name, list),
    ),
} satisfies Record<string, (facts: never) => Check>;

interface RefusedCalls extends Doctor {
  readonly refused: readonly Refused[];
  /** The webhooks of this app, where the source has such. */
  readonly ids: readonly string[];
  readonly now: Date;
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

/** Refused calls for people: `12 refused since 14:02: wrong signature`. */
export function countsOf(refused: readonly Refused[], now: Date): string {
  return refused
    .map(
      ({ code, count, since }) =>
        `${count} refused since ${shortTime(since, now)}: ${code.replaceAll('-', ' ')}`,
    )
    .join('; ');
}

function warning(about: string, text: string, todo?: string, command = typed('doctor')): Check {
  return { about, state: 'warning', text, ...(todo === undefined ? {} : { todo }), command };
}

function wrong(about: string, text: string, todo?: string, command = typed('doctor')): Check {
  return { about, state: 'wrong', text, ...(todo === undefined ? {} : { todo }), command };
}
