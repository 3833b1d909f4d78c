import type { LogLevel } from './core-types.ts';

export interface HostLog {
  /** A line of the app's own, as it is. */
  app(level: LogLevel, line: string): void;
  /** A line of the host's. */
  host(line: string): void;
  /** Writes what is still held back. */
  flush(): void;
}

// What the platform shows when host.json does not say otherwise.
const hidden: ReadonlySet<LogLevel> = new Set(['trace', 'debug', 'none']);

/** Prints one line an entry. A burst of lines goes out in one write, for at a thousand requests a second each write counts. */
export function hostLog(write: (text: string) => void): HostLog {
  let held = '';
  const flush = (): void => {
    const text = held;
    held = '';
    if (text !== '') write(text);
  };
  const line = (text: string): void => {
    if (held === '') setImmediate(flush);
    held += `${oneLine(text)}\n`;
  };
  return {
    app: (level, text) => {
      if (!hidden.has(level)) line(text);
    },
    host: line,
    flush,
  };
}

/** An error as one line: what it says, and where it came from. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.stack ?? `${error.name}: ${error.message}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' | ');
}
