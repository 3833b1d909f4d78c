import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripControlCharacters } from '../../cli/terminal.ts';
import { jsonObject } from '../host/json-object.ts';

/** Shows what the app, or what runs it, says as a warning or an error; calls `faulty` where it says that its settings are. */
export function showProblems(app: ChildProcess, faulty: (faults: readonly string[]) => void): void {
  const look = (line: string): void => {
    const faults = faultsIn(line);
    if (faults === undefined) console.error(`  app: ${stripControlCharacters(line)}`);
    else faulty(faults);
  };
  if (app.stderr !== null) createInterface(app.stderr).on('line', look);
  if (app.stdout !== null)
    createInterface(app.stdout).on('line', (line) => {
      if (/warn|error|fail|severe/i.test(line)) look(line);
    });
}

function faultsIn(line: string): string[] | undefined {
  const { event, faults } = jsonObject(line.slice(Math.max(0, line.indexOf('{')))) ?? {};
  return event === 'settings-faulty' && typeof faults === 'string' ? faults.split(' | ') : undefined;
}
