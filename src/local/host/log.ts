import * as z from 'zod';
import { readJson } from '../../pipeline/model/read-json.ts';
import type { LogLevel } from './core-types.ts';

export interface HostLog {
  /** A line of the app's own, as it is. */
  app(level: LogLevel, line: string): void;
  /** A line of the host's. */
  host(line: string): void;
  /** A line of the host's about what somebody should look at. */
  problem(line: string): void;
  /** Writes what is still held back. */
  flush(): void;
}

// What the platform shows when host.json does not say otherwise.
const hidden: ReadonlySet<LogLevel> = new Set(['trace', 'debug', 'none']);

const problems: ReadonlySet<LogLevel> = new Set(['warning', 'error', 'critical']);

interface Outputs {
  readonly lines: (text: string) => void;
  readonly problems: (text: string) => void;
}

/** Prints one line an entry, warnings and errors apart from the others; the app's own in words where a person reads them. */
export function hostLog(outputs: Outputs, { forPeople = false } = {}): HostLog {
  const lines = heldBack(outputs.lines);
  const apart = heldBack(outputs.problems);
  return {
    app: (level, text) => {
      if (hidden.has(level)) return;
      const line = forPeople ? inWords(text) : text;
      if (problems.has(level)) apart.add(line);
      else lines.add(line);
    },
    host: lines.add,
    problem: apart.add,
    flush: () => {
      lines.flush();
      apart.flush();
    },
  };
}

/** A burst of lines goes out in one write, for at a thousand requests a second each write counts. */
function heldBack(write: (text: string) => void) {
  let held = '';
  const flush = (): void => {
    const text = held;
    held = '';
    if (text !== '') write(text);
  };
  const add = (text: string): void => {
    if (held === '') setImmediate(flush);
    held += `${oneLine(text)}\n`;
  };
  return { add, flush };
}

/** An error as one line: what it says, and where it came from. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.stack ?? `${error.name}: ${error.message}`;
}

/** `event-ended source=archive state=done`: a line of the app's log as a person reads it; any other as it is. */
export function inWords(text: string): string {
  const fields = Line.safeParse(text).data;
  if (fields === undefined) return text;
  const { event, level: _level, ...others } = fields;
  const told = Object.entries(others)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const shown = typeof value === 'string' ? value : JSON.stringify(value);
      return `${name}=${/^[^\s"=]+$/.test(shown) ? shown : JSON.stringify(shown)}`;
    });
  return [event, ...told].join(' ');
}

const Line = z
  .string()
  .startsWith('{"event":')
  .transform((text) => readJson(Buffer.from(text)))
  .pipe(z.looseObject({ event: z.string() }));

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' | ');
}
