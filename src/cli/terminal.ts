import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { UsageError } from './faults.ts';

/** Says on one line how far something is; on a terminal only, and gone when something else is said. */
export function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${harmless(message)}`);
}

export function endProgress(): void {
  progress('');
}

/** Says something beside the answer: a warning, or how far something is done. */
export function note(message: string): void {
  endProgress();
  process.stderr.write(`${harmless(message)}\n`);
}

/** Text in which nothing moves the cursor or colours the screen, whoever wrote it; lines stay lines. */
export function harmless(message: string): string {
  return message.replaceAll(/[^\P{Cc}\n]/gu, '\ufffd');
}

/** Asks a yes-or-no question on the terminal; no is what is not clearly yes. Throws a UsageError where nobody can answer. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(`${question} Nobody can answer here: say --yes if you mean it.`);
  return /^y(es)?$/i.test(((await typed(`${question} [y/N] `, { shown: true })) ?? '').trim());
}

let given: Promise<string[]> | undefined;

/** The next line of standard input, which is where secrets come from. Throws a UsageError where there is none. */
export async function lineFromInput(what: string): Promise<string> {
  const line = process.stdin.isTTY ? await typed(`${what}: `, { shown: false }) : await nextLine();
  if (line === undefined || line === '') throw new UsageError(`${what} was expected on standard input.`);
  return line;
}

async function nextLine(): Promise<string | undefined> {
  given ??= text(process.stdin).then((all) => all.split(/\r?\n/));
  return (await given).shift();
}

/** What is typed up to Enter; undefined where the person would rather not. */
async function typed(question: string, { shown }: { shown: boolean }): Promise<string | undefined> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: shown ? process.stderr : unseen,
    terminal: true,
  });
  // Only now is nothing shown of what is typed.
  process.stderr.write(harmless(question));
  try {
    // Ctrl-D ends it, and so does Ctrl-C.
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    if (!shown) process.stderr.write('\n');
  }
}
