import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline/promises';
import { UsageError } from './faults.ts';

/** Says on one line how far something is; on a terminal only, and gone when something else is said. */
export function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${message}`);
}

export function endProgress(): void {
  progress('');
}

/** Says something beside the answer: a warning, or how far something is done. */
export function note(message: string): void {
  endProgress();
  process.stderr.write(`${message}\n`);
}

/** Asks a yes-or-no question on the terminal; no is what is not clearly yes. Throws a UsageError where nobody can answer. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(`${question} Nobody can answer here: say --yes if you mean it.`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

let given: Promise<string[]> | undefined;

/** The next line of standard input, which is where secrets come from. Throws a UsageError where there is none. */
export async function lineFromInput(what: string): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write(`${what}, then Enter and Ctrl-D: `);
  given ??= text(process.stdin).then((all) => all.split(/\r?\n/));
  const line = (await given).shift();
  if (line === undefined || line === '') throw new UsageError(`${what} was expected on standard input.`);
  return line;
}
