import type { Command } from 'commander';
import type { SourceConfig } from '../../config.ts';
import { answering, type Answer } from '../answer.ts';
import { ok, warning, worst, wrong, type Check } from './check.ts';
import { checkApp } from './check-app.ts';
import { checkClock } from './check-clock.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkSource } from './check-source.ts';
import { SettingsError, UsageError } from '../faults.ts';
import { readSetup, type Setup } from '../setup.ts';
import { endProgress, progress } from '../terminal.ts';

/** `doctor`: looks at everything that must be right, and says what is wrong and what to do. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('checks settings, app, storage, vault, logins, clocks and subscriptions')
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
    const [faults, where] =
      error instanceof SettingsError ? [error.faults, error.where] : [[error.message], ''];
    return faults.map((fault) =>
      wrong('settings', fault, `Set it right; the README has all settings. ${where}`.trim()),
    );
  }
  progress('Asking the app and the sources …');
  const sources = [...setup.config.sources.values()];
  const [app, ...each] = await Promise.all([
    checkApp(setup),
    ...sources.map(async (source) => await checksOf(setup, source)),
  ]);
  return [...checkSettings(setup), ...app, ...each.flat()];
}

async function checksOf(setup: Setup, source: SourceConfig): Promise<Check[]> {
  const [secrets, clock, { login, subscriptions }] = await Promise.all([
    checkSecrets(setup, source),
    checkClock(source),
    checkSource(setup, source),
  ]);
  return [...secrets, ...clock, login, ...subscriptions];
}

function checkSettings({ config: { sources, publicUrl } }: Setup): Check[] {
  const about = 'settings';
  const found = ok(about, `${sources.size} sources: ${[...sources.keys()].join(', ')}.`);
  if (publicUrl === undefined) {
    const text = 'PUBLIC_URL is not set, so nothing tells which subscriptions are of this app.';
    return [found, warning(about, text, 'Set it to the address at which the sources reach the app.')];
  }
  const { protocol, hostname } = new URL(publicUrl);
  const own = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'http:' && !own) {
    const text = 'PUBLIC_URL is plain http: what the sources send can be read on its way.';
    return [found, warning(about, text, 'Use https.')];
  }
  return [found];
}

const marks = { ok: 'ok      ', warning: 'warning ', wrong: 'WRONG   ' };

function told({ about, state, text, todo }: Check): string {
  const line = `${marks[state]} ${about}: ${text}`;
  return todo === undefined ? line : `${line}\n         → ${todo}`;
}
