import { Option, type Command } from 'commander';
import { eventStates } from '../pipeline/model/ledger.ts';
import { mostListed } from '../pipeline/model/list-limit.ts';
import { answering, fields, fixedRow, plainJson, table, type Answer } from './answer.ts';
import type { Cell } from './columns.ts';
import { RefusedError, UsageError } from './faults.ts';
import { follow } from './follow.ts';
import { indented } from './indented.ts';
import { runningApp, type ListedEvent, type ShownEvent } from './running-app.ts';
import { saveFile } from './save-file.ts';
import { addReplay } from './replays.ts';
import { runTable } from './runs.ts';
import { readSetup } from './setup.ts';
import { stateCell } from './states.ts';
import { endProgress, note, progress, say, terminalWidth } from './terminal.ts';
import { shortTime, timeMeant, wholeTime, zone, zoneLine } from './times.ts';
import { typed } from './typed.ts';

interface Filter {
  readonly limit: string;
  readonly follow?: true;
  readonly [name: string]: string | true | undefined;
}

interface Showing {
  readonly source?: string;
  readonly body?: true;
  readonly saveBody?: string;
  readonly yes?: true;
}

const most = 10_000;

/** `events list`, `events show` and `events replay`: the ledger of the running app. */
export function addEvents(program: Command): void {
  const events = program.command('events').description('Show what happened to the events of a running app');
  events
    .command('list')
    .description('List events, newest first')
    .option('--source <name>', 'of this source')
    .addOption(new Option('--state <state>', 'in this state').choices(eventStates))
    .option('--type <type>', "of this type, in the source's own words")
    .option('--asset-id <id>', 'on this asset')
    .option('--from <time>', 'received then or later: 2026-01-05, 2026-01-05T09:30, yesterday, 2h (ago) …')
    .option('--to <time>', 'received then or earlier; of a day, until its end')
    .option('--q <text>', 'with this in a title, an id or a reason')
    .option('--limit <number>', `so many at the most, up to ${most}`, '50')
    .option('--after <place>', 'go on where an earlier list ended')
    .option('--follow', 'go on and show what comes and changes, until Ctrl-C; with --json one object a line')
    .action(
      answering(async (filter: Filter, command: Command) =>
        filter.follow === true ? await followed(filter, command) : await listed(filter),
      ),
    );
  events
    .command('show')
    .description('Show one event, with what was tried when')
    .argument('<id>', 'the id of the event, or as much of it as no other begins with')
    .option('--source <name>', 'look in this source, which may be one of earlier settings')
    .option('--body', 'show what came, where it could not be read')
    .option('--save-body <file>', 'save that as it came')
    .option('--yes', 'write over a file that is there, without asking')
    .action(answering(async (id: string, showing: Showing) => await show(id, showing)));
  addReplay(events);
}

/** The filters as the app takes them. Throws a UsageError. */
function asked({ limit, assetId, from, to, follow: _follow, ...filter }: Filter): {
  wanted: number;
  filters: URLSearchParams;
} {
  const wanted = Number(limit);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > most)
    throw new UsageError(`--limit must be a number from 1 to ${most}.`);
  const given = Object.entries({
    ...filter,
    assetId,
    from: typeof from === 'string' ? timeMeant('--from', from, 'from its beginning') : undefined,
    to: typeof to === 'string' ? timeMeant('--to', to, 'to its end') : undefined,
  }).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
  return { wanted, filters: new URLSearchParams(Object.fromEntries(given)) };
}

async function listed(filter: Filter): Promise<Answer> {
  const { wanted, filters } = asked(filter);
  const app = runningApp(await readSetup());
  const found: ListedEvent[] = [];
  let unread = 0;
  let next: string | null = filters.get('after');
  do {
    filters.set('limit', String(Math.min(mostListed, wanted - found.length)));
    if (next !== null) filters.set('after', next);
    progress(`${found.length} events …`);
    const page = await app.events(filters);
    found.push(...page.events);
    unread += page.unread;
    ({ next } = page);
  } while (next !== null && found.length < wanted);
  endProgress();
  if (unread > 0)
    note(
      `Note: ${unread === 1 ? 'one event' : `${unread} events`} could not be read, which this list leaves out.`,
    );
  const now = new Date();
  const rows = found.map((event) => rowOf(event, shortTime(event.receivedAt, now)));
  const text = [
    table(['id', 'received', 'source', 'type', 'state', 'asset'], rows, 'No events.'),
    ...(next === null
      ? []
      : [`\n${found.length} of more: --limit ${Math.min(wanted * 4, most)}, --after ${next}`]),
    ...(rows.length === 0 ? [] : [`${next === null ? '\n' : ''}${zoneLine()}`]),
  ].join('\n');
  return { json: { events: found, next }, text };
}

function rowOf({ id, source, type, state, reason, title, assetId }: ListedEvent, time: string): Cell[] {
  return [id, time, source ?? '–', type, stateCell(state, reason?.code), title ?? assetId ?? '–'];
}

async function followed(filter: Filter, command: Command): Promise<undefined> {
  const asJson = command.optsWithGlobals<{ json?: true }>().json === true;
  const { wanted, filters } = asked(filter);
  for (const name of ['to', 'after'])
    if (filters.has(name))
      throw new UsageError(`--follow shows what comes, so --${name} has no place beside it.`);
  if (!asJson) note(zoneLine());
  await follow(await readSetup(), {
    filter: filters,
    first: wanted,
    show: (event) => say(asJson ? plainJson(event, 0) : lineOf(event)),
  });
}

// What comes later is not known yet, so the widths are those of usual values.
const followedWidths = [12, 19, 12, 24, 28];

function lineOf(event: ListedEvent): string {
  const [, ...rest] = rowOf(event, wholeTime(event.receivedAt));
  // Whatever reads a pipe wants all of it.
  return terminalWidth() === undefined
    ? fixedRow([event.id, ...rest])
    : fixedRow([event.id.slice(0, 12), ...rest], followedWidths);
}

async function show(given: string, { source, body, saveBody, ...saving }: Showing): Promise<Answer> {
  const app = runningApp(await readSetup());
  const wantsBody = body === true || saveBody !== undefined;
  const event = await app.event(given, { source, body: wantsBody });
  if (event === undefined) throw new RefusedError(`The app knows no event with the id ${given}.`);
  if (!wantsBody) return { json: event, text: told(event) };

  const kept = event.body ?? undefined;
  if (kept === undefined)
    throw new RefusedError(
      `Nothing but what "${typed('events show', undefined, [event.id])}" shows is kept of it.`,
    );
  const bytes = Buffer.from(kept.base64, 'base64');
  const cut = kept.truncated ? ` Of ${kept.sizeBytes} bytes these are the first ${bytes.byteLength}.` : '';
  if (saveBody === undefined) {
    if (cut !== '') note(`Note:${cut}`);
    return { json: event, text: bytes.toString() };
  }
  await saveFile(saveBody, bytes, saving);
  return { json: event, text: `Saved ${saveBody}.${cut}` };
}

const pair = (name: string, value: Cell): [string, Cell] => [name, value];

function told(event: ShownEvent): string {
  const { reason, history, data, state } = event;
  const time = (iso: string | null | undefined): string => (typeof iso === 'string' ? wholeTime(iso) : '–');
  const pairs: [string, Cell][] = [
    ['id', event.id],
    ['source', event.source ?? '–'],
    ['type', event.type],
    [event.assetKind, event.assetId ?? '–'],
    ['title', event.title ?? '–'],
    ['state', stateCell(state, reason?.code)],
    ...(reason === null ? [] : [pair('reason', reason.text)]),
    ...(reason?.nextAttemptAt === undefined ? [] : [pair('next try', time(reason.nextAttemptAt))]),
    ['occurred', time(event.occurredAt)],
    ['received', time(event.receivedAt)],
    ['finished', time(event.finishedAt)],
    ['delivery', event.deliveryId],
    ['tries', String(event.attempts)],
    ['duplicates', String(event.duplicates)],
    ['times', zone()],
  ];
  const tries = history.map(({ at, attempt, state: each, code, text }) => [
    wholeTime(at),
    String(attempt + 1),
    stateCell(each, code),
    text ?? '',
  ]);
  const sent =
    data === null || data === undefined
      ? `What the source sent could not be read as members. If its bytes are kept: ${typed('events show --body', undefined, [event.id])}`
      : `What the source sent:\n${indented(data, 1)}`;
  return [
    fields(pairs),
    '',
    table(['when', 'try', 'state', 'what happened'], tries, 'Nothing was tried yet.'),
    ...(event.runs.length === 0 ? [] : ['', runTable(event.runs)]),
    '',
    sent,
  ].join('\n');
}
