import { Option, type Command } from 'commander';
import { eventStates } from '../pipeline/model/ledger.ts';
import { mostListed } from '../pipeline/model/list-limit.ts';
import { answering, fields, table, type Answer } from './answer.ts';
import type { Cell } from './columns.ts';
import { RefusedError, UsageError } from './faults.ts';
import { runningApp, type ListedRun } from './running-app.ts';
import { readSetup } from './setup.ts';
import { stateCell } from './states.ts';
import { shortTime, wholeTime, zone, zoneLine } from './times.ts';
import { typed } from './typed.ts';

interface Filter {
  readonly action?: string;
  readonly state?: string;
  readonly limit: string;
  readonly after?: string;
}

/** `runs list`, `runs show` and `runs replay`: what the actions of the running app did. */
export function addRuns(program: Command): void {
  const runs = program.command('runs').description('Show what the actions of a running app did');
  runs
    .command('list')
    .description('List runs, newest first')
    .option('--action <name>', 'of this action, which ACTIONS may name no more')
    .addOption(new Option('--state <state>', 'in this state').choices(eventStates))
    .option('--limit <number>', `so many at the most, up to ${mostListed}`, '50')
    .option('--after <place>', 'go on where an earlier list ended')
    .action(answering(list));
  runs
    .command('show')
    .description('Show one run, with what was tried when')
    .argument('<id>', 'the id of the run, or as much of it as no other begins with')
    .action(answering(show));
  runs
    .command('replay')
    .description('Let the action work on the asset again, as it is now')
    .argument('<id>', 'the id of the run, or as much of it as no other begins with')
    .action(answering(replay));
}

async function list({ limit, ...filter }: Filter): Promise<Answer> {
  const wanted = Number(limit);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > mostListed)
    throw new UsageError(`--limit must be a number from 1 to ${mostListed}.`);
  const { runs, next } = await runningApp(await readSetup()).runs(
    new URLSearchParams({ ...filter, limit: String(wanted) }),
  );
  const text = [
    runTable(runs),
    ...(next === null ? [] : [`\n${runs.length} of more: --after ${next}`]),
    ...(runs.length === 0 ? [] : [`${next === null ? '\n' : ''}${zoneLine()}`]),
  ].join('\n');
  return { json: { runs, next }, text };
}

/** Runs as a table. */
export function runTable(runs: readonly ListedRun[]): string {
  const now = new Date();
  const rows = runs.map(({ id, startedAt, action, state, reason, title, assetId }): Cell[] => [
    id,
    shortTime(startedAt, now),
    action,
    stateCell(state, reason?.code),
    title ?? assetId ?? '–',
  ]);
  return table(['id', 'begun', 'action', 'state', 'asset'], rows, 'No runs.');
}

async function show(given: string): Promise<Answer> {
  const run = await runningApp(await readSetup()).run(given);
  if (run === undefined) throw new RefusedError(`The app knows no run with the id ${given}.`);
  const { id, action, source, assetId, title, eventId, type, state, reason, result } = run;
  const time = (iso: string | null | undefined): string => (typeof iso === 'string' ? wholeTime(iso) : '–');
  const pairs: [string, Cell][] = [
    ['id', id],
    ['action', action],
    ['source', source ?? '–'],
    ['asset', assetId ?? '–'],
    ['title', title ?? '–'],
    ['event', [type, eventId].filter((each) => each !== undefined).join(' ')],
    ['state', stateCell(state, reason?.code)],
    ...(reason === null ? [] : [['reason', reason.text] as [string, Cell]]),
    ...(result == null ? [] : [['result', result.text] as [string, Cell]]),
    ...(result?.link === undefined ? [] : [['see', result.link] as [string, Cell]]),
    ['next try', time(reason?.nextAttemptAt)],
    ['finished', time(run.finishedAt)],
    ['tries', String(run.attempts)],
    ['times', zone()],
  ];
  const tries = run.history.map(({ at, state: each, code, text }): Cell[] => [
    wholeTime(at),
    stateCell(each, code),
    text ?? '',
  ]);
  return {
    json: run,
    text: [
      fields(pairs),
      '',
      table(['when', 'state', 'what happened'], tries, 'Nothing was tried yet.'),
      ...(state === 'failed' ? ['', `To do it again: ${typed('runs replay', undefined, [id])}`] : []),
    ].join('\n'),
  };
}

async function replay(given: string): Promise<Answer> {
  const queued = await runningApp(await readSetup()).replayRun(given);
  if (queued === undefined) throw new RefusedError(`There is no run ${given}.`);
  const text = `Queued. To see what becomes of it: ${typed('runs show', undefined, [queued.id])}`;
  return { json: queued, text };
}
