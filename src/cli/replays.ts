import { Option, type Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { eventStates } from '../pipeline/model/ledger.ts';
import { answering, fields, type Answer } from './answer.ts';
import { RefusedError, UsageError } from './faults.ts';
import { runningApp, type RunningApp, type ShownReplay } from './running-app.ts';
import { readSetup } from './setup.ts';
import { confirmed, endProgress, progress } from './terminal.ts';
import { timeMeant } from './times.ts';
import { typed } from './typed.ts';

interface Filter {
  readonly [name: string]: string | undefined;
}

interface Replaying {
  readonly dryRun?: true | undefined;
  readonly yes?: true | undefined;
}

/** `events replay`: the work of one event again, or of all that a filter finds. */
export function addReplay(events: Command): void {
  events
    .command('replay')
    .description(
      'Do the work of an event again, or of all events that the options find, whatever became of them',
    )
    .argument('[id]', 'the id of the event, or as much of it as no other begins with')
    .option('--source <name>', 'all of this source')
    .addOption(new Option('--state <state>', 'all in this state').choices(eventStates))
    .option('--type <type>', "all of this type, in the source's own words")
    .option('--asset-id <id>', 'all on this asset')
    .option(
      '--from <time>',
      'all received then or later: 2026-01-05, 2026-01-05T09:30, yesterday, 2h (ago) …',
    )
    .option('--to <time>', 'all received then or earlier; of a day, until its end')
    .option('--q <text>', 'all with this in a title, an id or a reason')
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask; without a terminal, nothing is done without it')
    .action(
      answering(async (id: string | undefined, { dryRun, yes, ...filter }: Replaying & Filter) => {
        const given = asked(filter);
        if (id === undefined) return await replayMany(given, { dryRun, yes });
        if (dryRun === true || Object.keys(given).length > 0)
          throw new UsageError('Give an id, or options that find events, not both.');
        return await replayOne(id);
      }),
    );
}

async function replayOne(given: string): Promise<Answer> {
  const queued = await runningApp(await readSetup()).replay(given);
  if (queued === undefined) throw new RefusedError(`There is no event ${given}.`);
  const text = `Queued. To see what becomes of it: ${typed('events show', undefined, [queued.id])}`;
  return { json: queued, text };
}

/** The filters as the app takes them. Throws a UsageError. */
function asked({ from, to, ...filter }: Filter): Record<string, string> {
  const given = {
    ...filter,
    from: from === undefined ? undefined : timeMeant('--from', from, 'from its beginning'),
    to: to === undefined ? undefined : timeMeant('--to', to, 'to its end'),
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

async function replayMany(filter: Record<string, string>, { dryRun, yes }: Replaying): Promise<Answer> {
  const app = runningApp(await readSetup());
  const { matches, complete, to } = await app.countReplay(filter);
  const which = `${complete ? '' : 'at least '}${matches} ${matches === 1 ? 'event' : 'events'}`;
  if (dryRun === true)
    return { json: { matches, complete, to }, text: `${capital(which)} would be worked on again.` };
  if (matches === 0) return { json: { matches, complete, to }, text: 'No event is found by these options.' };
  if (yes !== true && !(await confirmed(`Work on ${which} again?`)))
    throw new RefusedError('Nothing was queued.');
  const { replayId } = await app.replayMany({ ...filter, to, confirm: matches });
  const replay = await whenQueued(replayId, app);
  const { state, queued, refused, refusals, reason } = replay;
  const more = `${typed('events list')} --state waiting`;
  const text = [
    fields([
      ['replay', replayId],
      ['found', String(replay.matched)],
      ['queued', String(queued)],
      ['refused', String(refused)],
    ]),
    ...refusals.map(({ id, why }) => `${id}: ${why}`),
    ...(reason === null ? [] : [reason.text]),
    ...(queued === 0 ? [] : ['', `They are worked on as the sources allow. What waits: ${more}`]),
  ].join('\n');
  return { json: replay, text, exitCode: state === 'done' && refused === 0 ? 0 : 1 };
}

async function whenQueued(replayId: string, app: RunningApp): Promise<ShownReplay> {
  for (;;) {
    const replay = await app.shownReplay(replayId);
    if (replay.finishedAt !== null) {
      endProgress();
      return replay;
    }
    progress(`${replay.queued} events are queued …`);
    await delay(1_000);
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
