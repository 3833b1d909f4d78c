import { Option, type Command } from 'commander';
import { eventStates } from '../pipeline/ledger.ts';
import { answering, table, type Answer } from './answer.ts';
import { RefusedError, UsageError } from './faults.ts';
import { runningApp, type ListedEvent, type ShownEvent } from './running-app.ts';
import { readSetup } from './setup.ts';
import { endProgress, progress } from './terminal.ts';

interface Filter {
  readonly limit: string;
  readonly [name: string]: string | undefined;
}

const most = 10_000;
const pageOf = 200;

/** `events list` and `events show`: the ledger of the running app. */
export function addEvents(program: Command): void {
  const events = program.command('events').description('what happened to the events of a running app');
  events
    .command('list')
    .description('events, newest first')
    .option('--source <name>', 'of this source')
    .addOption(new Option('--state <state>', 'in this state').choices(eventStates))
    .option('--type <type>', "of this type, in the source's own words")
    .option('--asset-id <id>', 'on this asset')
    .option('--from <time>', 'received then or later, ISO 8601')
    .option('--to <time>', 'received then or earlier')
    .option('--q <text>', 'with this in a title, an id or a reason')
    .option('--limit <number>', `so many at the most, up to ${most}`, '50')
    .action(answering(async (filter: Filter) => await list(filter)));
  events
    .command('show')
    .description('one event, with what was tried when')
    .argument('<id>', 'the id of the event')
    .action(answering(async (id: string) => await show(id)));
}

async function list({ limit, assetId, ...filter }: Filter): Promise<Answer> {
  const wanted = Number(limit);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > most)
    throw new UsageError(`--limit must be a number from 1 to ${most}.`);
  const app = runningApp(await readSetup());
  const found: ListedEvent[] = [];
  let next: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(pageOf, wanted - found.length)) });
    for (const [name, value] of Object.entries({ ...filter, assetId, after: next ?? undefined }))
      if (value !== undefined) query.set(name, value);
    progress(`${found.length} events …`);
    const page = await app.events(query);
    found.push(...page.events);
    ({ next } = page);
  } while (next !== null && found.length < wanted);
  endProgress();
  const rows = found.map(({ receivedAt, source, type, state, reason, title, assetId: asset, id }) => [
    receivedAt,
    source ?? '–',
    type,
    reason === null ? state : `${state}, ${reason.code}`,
    title ?? asset ?? '–',
    id,
  ]);
  const text = table(['received', 'source', 'type', 'state', 'asset', 'id'], rows, 'No events.');
  return { json: { events: found, next }, text };
}

async function show(id: string): Promise<Answer> {
  const event = await runningApp(await readSetup()).event(id);
  if (event === undefined) throw new RefusedError(`The app knows no event with the id ${id}.`);
  return { json: event, text: told(event) };
}

function told({ history, data, ...event }: ShownEvent): string {
  const members = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : value === null ? '–' : JSON.stringify(value),
  ]);
  const tries = history.map(({ at, attempt, state, code, text }) => [
    at,
    String(attempt + 1),
    code === undefined ? state : `${state}, ${code}`,
    text ?? '',
  ]);
  return [
    table(['member', 'value'], members),
    '',
    table(['when', 'try', 'state', 'what happened'], tries, 'Nothing was tried yet.'),
    '',
    `What the source sent: ${JSON.stringify(data, undefined, 2)}`,
  ].join('\n');
}
