import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { checkOf, type Check } from '../../src/cli/doctor/check.ts';
import { findings, type Unreachable } from '../../src/cli/doctor/findings.ts';
import { program } from '../../src/cli/program.ts';
import { command } from '../../src/cli/typed.ts';
import type { SubscriptionFinding } from '../../src/pipeline/ports/source-doctor.ts';
import { preservicaDoctor, preservicaFindings } from '../../src/sources/preservica/doctor.ts';
import { pywebhooksDoctor, pywebhooksFindings } from '../../src/sources/pywebhooks/doctor.ts';
import { byAddress, cannotTell } from '../../src/sources/subscription-findings.ts';
import { woodwingDoctor, woodwingFindings } from '../../src/sources/woodwing/doctor.ts';
import { knownEvents } from '../../src/sources/woodwing/manage/webhooks.ts';

type Name = keyof typeof findings;
type Facts<Each extends Name> = Parameters<(typeof findings)[Each]>[0];

const preservica = { name: 'archive', doctor: preservicaDoctor };
const woodwing = { name: 'photos', doctor: woodwingDoctor };
const pywebhooks = { name: 'scans', doctor: pywebhooksDoctor };
const all = [preservica, woodwing, pywebhooks];
const create = { words: 'pywebhooks account create' };
const now = new Date();
const since = now.toISOString();
const ids = [
  '0123456789abcdef0123456789abcdef',
  'an id; with $(odd) characters & "quotes" of \'both\' kinds',
];
const hyphens = ['-AbcdefghijklmnopqrstU', '--all'];
const url = 'https://hooks.example.org';
const refused = (...codes: ('wrong-signature' | 'too-large' | 'key-not-expected')[]) =>
  codes.map((code) => ({ code, count: 12, since, last: since }));
const waysOfNothing: readonly Unreachable[] = [
  'no-such-name',
  'refused',
  'timeout',
  'tls',
  'no-network',
  'broke-off',
];

/** With what each finding may be made; whoever adds one is told by the compiler that it needs a row here. */
const facts: { readonly [Each in Name]: readonly Facts<Each>[] } = {
  settingFaulty: [{ fault: 'SOURCES: must name the sources' }],
  settingUnread: [{ warning: 'SOURCE_OLD_KIND: nothing reads it' }],
  noPublicUrl: [undefined],
  plainPublicUrl: [undefined],
  noAppAddress: [undefined],
  keyNotSafe: [{ text: 'The function key is not sent.' }],
  unreachable: waysOfNothing.map((how) => ({ url, how, setting: 'PUBLIC_URL' })),
  publicUnseen: waysOfNothing.map((how) => ({ url, how })),
  otherAnswer: [200, 302, 401, 403, 404, 418, 500, 502, 503, 504].map((status) => ({
    url,
    status,
    setting: 'ASSET_WEBHOOKS_URL',
  })),
  keyRefused: [{ url, text: 'It wants a function key.' }],
  sourcesMissing: [{ url }],
  sourcesBroke: [{ url, status: 500 }],
  storageAway: [{ text: 'The storage did not answer.' }],
  notAsked: [{ text: 'Something else.' }],
  otherSources: [{ running: 'attic (preservica)' }],
  appHasNoSecret: all,
  appHasOtherSecret: all,
  callsRefused: [[], ids.slice(0, 1), hyphens.slice(0, 1), ids].flatMap((some) =>
    all.map((source) => ({ ...source, refused: refused('wrong-signature'), ids: some, now })),
  ),
  callsUnreadable: all.map((source) => ({ ...source, refused: refused('too-large'), ids, now })),
  keysOffered: [{ ...pywebhooks, refused: refused('key-not-expected'), ids, now }],
  eventsFailed: all.map((source) => ({ ...source, count: '3' })),
  eventsWait: all.map((source) => ({ ...source, count: '200 or more' })),
  sourcePaused: all.map((source) => ({ ...source, since })),
  sourceLeftAlone: all.map((source) => ({ ...source, code: 'login-refused', until: since })),
  handshakeFails: [{ ...preservica, text: 'Nothing answers.' }],
  handshakeUnseen: [{ ...preservica, text: 'Nothing answers.' }],
  otherSecretAnswers: [{ ...preservica, text: 'Another secret.' }],
  secretsUnreadable: all.map((source) => ({ ...source, text: 'No.', todo: 'Look at the file.' })),
  noWebhookSecret: all.map((source) => ({ ...source, where: 'the vault' })),
  secretOnlyInApp: all.map((source) => ({ ...source, where: 'the vault' })),
  shortSecret: all,
  noPassword: [preservica, woodwing].map((source) => ({ ...source, where: 'the vault' })),
  noApiKey: [{ ...pywebhooks, where: 'the vault', create }],
  clocksDiffer: all.map((source) => ({ ...source, seconds: 3600 })),
  noAddress: [pywebhooks],
  notAskedWithoutKey: [{ ...pywebhooks, create }],
  loginRefused: all.map((source) => ({ ...source, text: 'Refused.' })),
  mayNotSee: all.map((source) => ({ ...source, text: 'It needs a role.', list: source.doctor.list })),
};

type FactsOf<Findings extends Record<string, (given: never) => SubscriptionFinding>> = {
  readonly [Each in keyof Findings]: readonly Parameters<Findings[Each]>[0][];
};

const ofPreservica: FactsOf<typeof preservicaFindings> = {
  noneCallsUs: [{ own: url }],
  subscribedTwice: [{ trigger: 'MOVED', ids }],
  unknownTriggers: [ids, hyphens].map((some) => ({ names: ['MOVD'], ids: some })),
};
const ofWoodwing: FactsOf<typeof woodwingFindings> = {
  noneCallsUs: [{ own: url }],
  unknownEvents: [...ids, ...hyphens].map((id) => ({ id, names: ['asset_creat'], known: knownEvents })),
  severalWebhooks: [[], ['asset_create']].map((both) => ({ kept: 'one', others: hyphens, both })),
  webhookDisabled: [...ids, ...hyphens].map((id) => ({ id })),
  webhookHasOtherSecret: [...ids, ...hyphens].map((id) => ({ id })),
};
const ofPywebhooks: FactsOf<typeof pywebhooksFindings> = {
  subscribesToNothing: [undefined],
  accountHasOtherSecret: [undefined],
  registeredTwice: [{ registration: 'r', ids }],
  registrationGone: [{ registration: 'r', id: 's' }],
  endpointElsewhere: [{ endpoint: 'http://old.example.org', own: url }],
  cutOff: [{ count: 250 }],
};

const strays = (words: string, some: readonly string[]): SubscriptionFinding => {
  const deletes = (given: string[]) => ({ words, ids: given });
  const found = byAddress(
    some.map((id) => ({ id, url: `${url}/webhooks/gone` })),
    { own: `${url}/webhooks/archive`, addresses: [`${url}/webhooks/archive`], deletes },
  );
  return found.findings[0] ?? { state: 'ok', text: '' };
};

/** Each finding of a kind, as the doctor shows it for a source of that name. */
function shownFor<Findings extends object>(
  name: string,
  made: Findings,
  given: { readonly [Each in keyof Findings]: readonly unknown[] },
): [string, Check][] {
  return Object.entries<readonly unknown[]>(given).flatMap(([each, some]) =>
    some.map((fact, index): [string, Check] => {
      const make = made[each as keyof Findings] as (fact: unknown) => SubscriptionFinding;
      return [`${name}: ${each} ${index}`, checkOf(name, 'subscriptions', make(fact))];
    }),
  );
}

const ofKinds = [
  ...shownFor('archive', preservicaFindings, ofPreservica),
  ...shownFor('photos', woodwingFindings, ofWoodwing),
  ...shownFor('scans', pywebhooksFindings, ofPywebhooks),
  ...all.map(({ name }): [string, Check] => [
    `${name}: cannotTell`,
    checkOf(name, 'subscriptions', cannotTell(2)),
  ]),
  ...[ids, hyphens].map((some, index): [string, Check] => [
    `strays ${index}`,
    checkOf('archive', 'subscriptions', strays('preservica subscriptions delete', some)),
  ]),
];

const ofApp = Object.entries(facts).flatMap(([name, each]) =>
  each.map((given, index): [string, Check] => {
    const make = findings[name as Name] as (facts: unknown) => Check;
    return [`${name} ${index}`, make(given)];
  }),
);

const cases = [...ofApp, ...ofKinds];

/** The command without what it does: what is left is whether it would do it. */
function inert(): Command {
  const silence = (one: Command): void => {
    one.exitOverride().configureOutput({ writeErr: () => undefined });
    if (one.commands.length === 0) one.action(() => undefined);
    for (const each of one.commands) silence(each);
  };
  const whole = program();
  silence(whole);
  return whole;
}

/** As a shell would split it. */
function wordsOf(line: string): string[] {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}

describe('a finding of the doctor', () => {
  it.each(cases)('ends with a command that exists and is complete: %s', async (_name, check) => {
    expect(check.state).not.toBe('ok');
    expect(check.command).toMatch(new RegExp(`^${command()} `));
    const words = wordsOf(check.command ?? '').slice(command().split(' ').length);
    await inert().parseAsync(words, { from: 'user' });
    // Whatever has to be filled in first.
    expect(check.command).not.toMatch(/<|>|…|\b(?:ID|NAME|URL|USER|MANAGER|T)\b/);
  });

  it('names every id that it is about as it is', () => {
    const { command: line = '' } = checkOf(
      'archive',
      'subscriptions',
      strays('preservica subscriptions delete', ids),
    );
    expect(wordsOf(line)).toEqual(expect.arrayContaining(ids));
  });

  it('has a sentence of its own for each way in which nothing, or something else, answers', () => {
    const texts = [
      ...waysOfNothing.map((how) => findings.unreachable({ url, how, setting: 'PUBLIC_URL' })),
      ...[200, 302, 401, 404, 500, 503].map((status) =>
        findings.otherAnswer({ url, status, setting: 'PUBLIC_URL' }),
      ),
      findings.keyRefused({ url, text: 'It wants a key.' }),
      findings.sourcesMissing({ url }),
      findings.sourcesBroke({ url, status: 500 }),
      findings.storageAway({ text: 'Away.' }),
    ].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
  });
});
