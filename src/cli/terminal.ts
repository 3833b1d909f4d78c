import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { UsageError } from './faults.ts';

/** Where a command reads and writes. A process is one; so is what stands in for it where several run in one process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the person types for this command, where it is not run by its own name. */
  readonly typedAs?: string;
  exitCode?: number | string | null | undefined;
}

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const inUse = new AsyncLocalStorage<Terminal>();

/** Does some work at that terminal, and whatever it begins. */
export async function atTerminal(given: Terminal, work: () => Promise<void>): Promise<void> {
  await inUse.run(given, work);
}

/** The terminal of the command that is running. */
export function terminal(): Terminal {
  return inUse.getStore() ?? process;
}

/** Says on one line how far something is; on a terminal only, and gone when something else is said. */
export function progress(message: string): void {
  const { stderr } = terminal();
  if (stderr.isTTY === true) stderr.write(`\r\u001b[2K${stripControlCharacters(message)}`);
}

export function endProgress(): void {
  progress('');
}

/** Ends this process quietly when whoever reads its output has seen enough of it. */
export function endWithReader(): void {
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
}

/** Says something beside the answer: a warning, or how far something is done. */
export function note(message: string): void {
  endProgress();
  const { stderr } = terminal();
  stderr.write(`${paintedFor(message, stderr)}\n`);
}

/** Says what was asked for. */
export function say(message: string): void {
  const { stdout } = terminal();
  stdout.write(`${paintedFor(message, stdout)}\n`);
}

/** How many columns there are; undefined where there is no terminal, for what reads a pipe wants whole lines. */
export function terminalWidth(): number | undefined {
  const { env, stdout } = terminal();
  if (/^[1-9]\d{0,4}$/.test(env['COLUMNS'] ?? '')) return Number(env['COLUMNS']);
  return stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
}

const colours = ['green', 'yellow', 'red', 'gray'] as const;
export type Colour = (typeof colours)[number];

// Text from outside cannot know it, and so cannot colour anything.
const mark = randomUUID();
const marked = new RegExp(`${mark}(${colours.join('|')}):(.*?)${mark}`, 'gs');

/** Text that is shown in this colour where the terminal has colours. */
export function coloured(given: string, colour: Colour | undefined): string {
  return colour === undefined ? given : `${mark}${colour}:${given}${mark}`;
}

const withoutColours = new WeakSet<Terminal>();

/** From now on nothing is coloured at this terminal. */
export function useNoColours(): void {
  withoutColours.add(terminal());
}

function paintedFor(message: string, output: Output): string {
  const { env } = terminal();
  // Node's own rules: FORCE_COLOR, NO_COLOR, TERM=dumb and the like.
  const hasColours =
    !withoutColours.has(terminal()) &&
    (output.isTTY === true || env['FORCE_COLOR'] !== undefined) &&
    WriteStream.prototype.getColorDepth({ ...env }) > 2;
  return stripControlCharacters(message).replaceAll(marked, (_all, colour: Colour, inside: string) =>
    hasColours ? styleText(colour, inside, { validateStream: false }) : inside,
  );
}

// Control characters but the end of a line, what turns the direction of writing round, and other ends of lines.
const unseen = /[[\p{Cc}--\n]\u2028-\u202e\u2066-\u2069]/gv;

/** Text in which nothing moves the cursor, colours the screen or turns words round, whoever wrote it; lines stay lines. */
export function stripControlCharacters(message: string): string {
  return message.replaceAll(unseen, '\ufffd');
}

/** Asks a yes-or-no question on the terminal; no is what is not clearly yes. Throws a UsageError where nobody can answer. */
export async function confirmed(question: string): Promise<boolean> {
  if (terminal().stdin.isTTY !== true)
    throw new UsageError(`${question} Nobody can answer here: say --yes if you mean it.`);
  return /^y(es)?$/i.test(((await typedAnswer(`${question} [y/N] `, { shown: true })) ?? '').trim());
}

// Standard input is read to its end once, whoever asks for its first line.
const given = new WeakMap<Terminal, Promise<string[]>>();

/** The next line of standard input, which is where secrets come from. Throws a UsageError where there is none. */
export async function lineFromInput(what: string): Promise<string> {
  const line =
    terminal().stdin.isTTY === true ? await typedAnswer(`${what}: `, { shown: false }) : await nextLine();
  if (line === undefined || line === '') throw new UsageError(`${what} was expected on standard input.`);
  return line;
}

async function nextLine(): Promise<string | undefined> {
  const here = terminal();
  const lines = given.get(here) ?? text(here.stdin).then((all) => all.split(/\r?\n/));
  given.set(here, lines);
  return (await lines).shift();
}

/** What is typed up to Enter; undefined where the person would rather not. */
async function typedAnswer(question: string, { shown }: { shown: boolean }): Promise<string | undefined> {
  const { stdin, stderr } = terminal();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: stdin,
    output: shown ? stderr : nowhere,
    terminal: true,
  });
  // Only now is nothing shown of what is typed.
  stderr.write(stripControlCharacters(question));
  try {
    // Ctrl-D ends it, and so does Ctrl-C.
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    if (!shown) stderr.write('\n');
  }
}
