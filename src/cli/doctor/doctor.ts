import type { Command } from 'commander';
import type { ConfiguredSource } from '../../config.ts';
import type { SourceDoctor } from '../../pipeline/ports/source-doctor.ts';
import { sourceKinds } from '../../sources/index.ts';
import { answering, type Answer } from '../answer.ts';
import { ok, worst, type Check } from './check.ts';
import { checkApp } from './check-app.ts';
import { checkCall } from './check-call.ts';
import { checkClock } from './check-clock.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkSource } from './check-source.ts';
import { checkState } from './check-state.ts';
import { findings } from './findings.ts';
import { SettingsError, UsageError } from '../faults.ts';
import { isReadableOnTheWay } from '../loopback.ts';
import { placeOfSecrets } from '../place-of-secrets.ts';
import type { SourceState } from '../running-app.ts';
import { readSetup, type Setup } from '../setup.ts';
import { coloured, endProgress, progress } from '../terminal.ts';
import { typed } from '../typed.ts';

/** `doctor`: looks at everything that must be right, and says what is wrong and what to do. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Check settings, app, storage, vault, handshakes, logins, clocks and subscriptions')
    .action(answering(examine));
}

async function examine(): Promise<Answer> {
  const checks = await allChecks();
  endProgress();
  const state = worst(checks);
  const summary = {
    ok: 'All is well.',
    warning: 'It works; see the warnings.',
    wrong: 'Something is wrong.',
  }[state];
  return {
    json: { state, checks },
    text: [...checks.map(told), '', summary].join('\n'),
    exitCode: state === 'wrong' ? 1 : 0,
  };
}

async function allChecks(): Promise<Check[]> {
  progress('Looking at the settings …');
  let setup: Setup;
  try {
    setup = await readSetup();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { faults, where } = error instanceof SettingsError ? error : { faults: [error.message], where: '' };
    return [
      ...(where === '' ? [] : [ok('settings', where)]),
      ...faults.map((fault) => findings.settingFaulty({ fault })),
    ];
  }
  progress('Asking the app and the sources …');
  const sources = [...setup.config.sources.values()];
  const app = checkApp(setup);
  const each = await Promise.all(
    sources.map(async (source) => {
      const state = app.then(({ states }) => states.find(({ name }) => name === source.name));
      return await checksOf(setup, source, state);
    }),
  );
  return [...checkSettings(setup), ...(await app).checks, ...each.flat()];
}

async function checksOf(
  setup: Setup,
  source: ConfiguredSource,
  asked: Promise<SourceState | undefined>,
): Promise<Check[]> {
  const doctor: SourceDoctor = await sourceKinds[source.kind].doctor();
  const [state, secrets, call, clock, { login, subscriptions }] = await Promise.all([
    asked,
    asked.then(async (said) => await checkSecrets(setup, source, { state: said, doctor })),
    checkCall(setup, source, doctor),
    checkClock(source),
    checkSource(setup, source, doctor),
  ]);
  return [
    ...secrets,
    ...call,
    ...clock,
    login,
    ...subscriptions.checks,
    ...checkState(source, { state, ids: subscriptions.webhooks, doctor }),
  ];
}

function checkSettings(setup: Setup): Check[] {
  const { sources, publicUrl } = setup.config;
  return [
    ok(
      'settings',
      `${sources.size === 1 ? 'One source' : `${sources.size} sources`}: ${[...sources.keys()].join(', ')}.`,
    ),
    ok('settings', setup.where),
    ok('settings', `Secrets that change while the app runs are kept in ${placeOfSecrets(setup)}.`),
    ...setup.warnings.map((warning) => findings.settingUnread({ warning })),
    ...(publicUrl === undefined ? [findings.noPublicUrl()] : []),
    ...(publicUrl !== undefined && isReadableOnTheWay(publicUrl) ? [findings.plainPublicUrl()] : []),
  ];
}

const marks = {
  ok: coloured('ok      ', 'green'),
  warning: coloured('warning ', 'yellow'),
  wrong: coloured('WRONG   ', 'red'),
};

function told({ about, state, text, todo, command }: Check): string {
  const thisAgain = command === typed('doctor') ? `Then look again: ${command}` : command;
  const next = [todo, thisAgain].filter((each) => each !== undefined);
  return [`${marks[state]} ${about}: ${text}`, ...next.map((each) => `         → ${each}`)].join('\n');
}
