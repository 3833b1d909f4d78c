import { Command } from 'commander';
import { say, terminal } from './terminal.ts';

export { fields, fixedRow, table } from './columns.ts';

/** What a command has to say: to scripts, and to people. */
export interface Answer {
  readonly json: object;
  readonly text: string;
  /** 1 where something was done or found, and not all is well. */
  readonly exitCode?: 0 | 1;
}

/** Makes an action of what a command answers: prints it, with `--json` for scripts, and sets the exit code. Undefined: all is said. */
export function answering<Given extends unknown[]>(
  answer: (...given: Given) => Promise<Answer | undefined>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    const said = await answer(...given);
    if (said === undefined) return;
    const { json, text, exitCode = 0 } = said;
    // Commander gives the command itself last.
    const command = given.at(-1);
    const asJson = command instanceof Command && command.optsWithGlobals<{ json?: true }>().json === true;
    if (asJson) terminal().stdout.write(`${plainJson(json)}\n`);
    else say(text);
    terminal().exitCode = exitCode;
  };
}

/** JSON leaves some characters as they are that a terminal would obey. */
export function plainJson(json: object, indent = 2): string {
  const escaped = (character: string): string =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(json, undefined, indent).replaceAll(
    /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    escaped,
  );
}
