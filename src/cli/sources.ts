import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { SourceDoctor } from '../pipeline/ports/source-doctor.ts';
import { sourceKinds } from '../sources/index.ts';
import { answering, fields, table, type Answer } from './answer.ts';
import { checkApp } from './doctor/check-app.ts';
import { checkSource } from './doctor/check-source.ts';
import { worst, type Check } from './doctor/check.ts';
import { RefusedError } from './faults.ts';
import { shortTime, timeMeant, wholeTime, zoneLine } from './times.ts';
import { runningApp, type SourceState } from './running-app.ts';
import { mustBeSource, readSetup, webhookUrl, type Setup } from './setup.ts';
import { endProgress, progress, type Colour } from './terminal.ts';
import { typed } from './typed.ts';

/** `sources`: every configured source, and how it does. */
export function addSources(program: Command): void {
  program
    .command('sources')
    .description(
      'Show how each source does: what waits, failed and was refused, and whether it will call the app',
    )
    .action(answering(list));
  const source = program.command('source').description('Change what the app does with a source');
  source
    .command('pause')
    .description('Ask nothing of a source until `resume`; what it sends is still taken')
    .argument('<name>', 'the name of the source, as in SOURCES')
    .action(answering(async (name: string) => await setPaused(name, true)));
  source
    .command('resume')
    .description('Ask a source again, also where it failed too often')
    .argument('<name>', 'the name of the source, as in SOURCES')
    .action(answering(async (name: string) => await setPaused(name, false)));
  source
    .command('catch-up')
    .description("Compare a source's own list of changes with what the app has, and fetch what was missed")
    .argument('<name>', 'the name of the source, as in SOURCES')
    .option(
      '--since <time>',
      'from then on: 2026-01-05, yesterday, 3d (ago) …; from the last time if left out',
    )
    .action(
      answering(async (name: string, { since }: { since?: string }) => await lookForMissed(name, since)),
    );
}

async function lookForMissed(name: string, since: string | undefined): Promise<Answer> {
  const setup = await readSetup();
  mustBeSource(setup, name);
  const app = runningApp(setup);
  const from = since === undefined ? undefined : timeMeant('--since', since, 'from its beginning');
  const { run } = await app.catchUp(name, from);
  for (;;) {
    const found = (await app.sources()).find((source) => source.name === name)?.catchUp ?? undefined;
    if (found === undefined || found.run !== run)
      throw new RefusedError(
        `${name} is being compared by another run: ${typed('sources')} shows what it finds.`,
      );
    const { at, finishedAt, seen, recovered, missed, reason, until, state } = found;
    if (finishedAt !== null) {
      endProgress();
      const text = [
        fields([
          ['compared until', wholeTime(state === 'done' ? until : at)],
          ['changes', String(seen)],
          ['recovered', String(recovered)],
          ['never heard of', String(missed)],
        ]),
        ...(reason === null ? [] : [reason.text]),
        ...(recovered === 0 ? [] : [`They are fetched now: ${typed('events list')} --type CATCH_UP`]),
      ].join('\n');
      return { json: found, text, exitCode: state === 'done' ? 0 : 1 };
    }
    progress(`Compared until ${wholeTime(at)}: ${recovered} of ${seen} changes were missed …`);
    if (reason !== null) progress(`Compared until ${wholeTime(at)}; it waits: ${reason.text}`);
    await delay(1_000);
  }
}

async function setPaused(name: string, paused: boolean): Promise<Answer> {
  const setup = await readSetup();
  mustBeSource(setup, name);
  await runningApp(setup).setPaused(name, paused);
  const text = paused
    ? `Nothing is asked of ${name} any more. What it sends waits; to go on: ${typed('source resume', undefined, [name])}`
    : `${name} is asked again. What waits is taken up within five minutes.`;
  return { json: { source: name, paused }, text };
}

async function list(): Promise<Answer> {
  const setup = await readSetup();
  progress(`Asking the app and ${setup.config.sources.size} sources …`);
  const app = checkApp(setup);
  const sources = await Promise.all(
    [...setup.config.sources.values()].map(async (source) => {
      const doctor: SourceDoctor = await sourceKinds[source.kind].doctor();
      const [asked, { states }] = await Promise.all([checkSource(setup, source, doctor), app]);
      const state = states.find(({ name }) => name === source.name);
      return { ...shown(setup, source, state), ...sides(asked) };
    }),
  );
  const amiss = (await app).checks.filter(({ state }) => state === 'wrong');
  endProgress();
  return {
    json: { sources, app: { ok: amiss.length === 0, text: sentences(amiss) } },
    text: [tableOf(sources), ...timesOf(sources), ...notes(sources, amiss)].join('\n'),
    exitCode: amiss.length > 0 || sources.some(({ login }) => login.refused) ? 1 : 0,
  };
}

type Listed = ReturnType<typeof shown> & ReturnType<typeof sides>;

/** What the app says; null where it says nothing. */
function shown(setup: Setup, source: SourceConfig, state: SourceState | undefined) {
  return {
    name: source.name,
    kind: source.kind,
    url: source.url === '' ? null : source.url,
    webhookUrl: webhookUrl(setup, source) ?? null,
    waiting: state?.waiting ?? null,
    failed: state?.failed ?? null,
    refused: state?.refused ?? null,
    pausedAt: state?.pausedAt ?? null,
    closed: state?.closed ?? null,
    catchUp: state?.catchUp ?? null,
    lastEventAt: state?.latest?.receivedAt ?? null,
  };
}

function sides({ login, subscriptions }: Awaited<ReturnType<typeof checkSource>>) {
  return {
    login: { ok: login.state === 'ok', refused: login.state === 'wrong', text: login.text },
    subscriptions: {
      state: worst(subscriptions.checks),
      count: subscriptions.count ?? null,
      text: sentences(subscriptions.checks),
    },
  };
}

const colourOf: Readonly<Record<Check['state'], Colour | undefined>> = {
  ok: undefined,
  warning: 'yellow',
  wrong: 'red',
};

function tableOf(sources: readonly Listed[]): string {
  const now = new Date();
  const head = ['source', 'kind', 'waiting', 'failed', 'refused', 'last event', 'login', 'subscriptions'];
  const rows = sources.map(({ name, kind, waiting, failed, refused, lastEventAt, login, subscriptions }) => [
    name,
    kind,
    counted(waiting),
    counted(failed),
    refused === null ? '?' : String(refused.reduce((sum, { count }) => sum + count, 0)),
    lastEventAt === null ? '–' : shortTime(lastEventAt, now),
    {
      text: login.ok ? 'yes' : login.refused ? 'no' : '–',
      colour: login.refused ? ('red' as const) : undefined,
    },
    {
      text:
        subscriptions.count === null
          ? '–'
          : `${subscriptions.count}${subscriptions.state === 'ok' ? '' : `, ${subscriptions.state}`}`,
      colour: colourOf[subscriptions.state],
    },
  ]);
  return table(head, rows);
}

// The app counts no further.
function counted(count: number | null): string {
  if (count === null) return '?';
  return count >= 200 ? '200+' : String(count);
}

function timesOf(sources: readonly Listed[]): string[] {
  return sources.some(({ lastEventAt }) => lastEventAt !== null) ? ['', zoneLine()] : [];
}

function notes(sources: readonly Listed[], amiss: readonly Check[]): string[] {
  const unwell = sources.filter(({ login, subscriptions }) => login.refused || subscriptions.state !== 'ok');
  const found = [
    ...sources.flatMap(leftAlone),
    ...sources.flatMap(notCaughtUp),
    ...amiss.map(({ about, text }) => `${about}: ${text}`),
    ...unwell.map(
      ({ name, login, subscriptions }) => `${name}: ${login.refused ? login.text : subscriptions.text}`,
    ),
  ];
  return found.length === 0 ? [] : ['', ...found, `More, and what to do: ${typed('doctor')}`];
}

function leftAlone({ name, pausedAt, closed }: Listed): string[] {
  const resume = typed('source resume', undefined, [name]);
  if (pausedAt !== null)
    return [`${name}: paused since ${wholeTime(pausedAt)}, so nothing is asked of it. To go on: ${resume}`];
  if (closed === null) return [];
  const why = `${name}: left alone until ${wholeTime(closed.until)} (${closed.code})`;
  return [`${why}. To ask it at once: ${resume}`];
}

function notCaughtUp({ name, catchUp }: Listed): string[] {
  if (catchUp?.state !== 'failed') return [];
  const why = `${name}: missed calls could not be looked for: ${catchUp.reason?.text ?? ''}`;
  return [`${why} To try again: ${typed('source catch-up', undefined, [name])}`];
}

function sentences(checks: readonly Check[]): string {
  return checks.map(({ text }) => text).join(' ');
}
