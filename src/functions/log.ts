import type { InvocationContext } from '@azure/functions';
import type { Log } from '../pipeline/ports/log.ts';
import { activeTraceId } from '../pipeline/ports/telemetry.ts';
import { measureLine } from './measure-line.ts';

/** Logs into an invocation, one JSON string a line. */
export function logOf(context: InvocationContext): Log {
  return (level, name, fields = {}) => {
    context[level](line(name, fields));
    measureLine(level, name, fields);
  };
}

/** Logs what belongs to no invocation. The platform then tells the level of a line by its words alone. */
export const appLog: Log = (level, name, fields = {}) => {
  console[level](withWordsOf(level, JSON.stringify({ event: name, ...fields, level })));
  measureLine(level, name, fields);
};

const wordsOfLevels = { warn: /warn/i, error: /error|fail|severe/i, info: undefined };

/** Writes a letter of what would make another level of the line by its code, as JSON may. */
function withWordsOf(level: keyof typeof wordsOfLevels, json: string): string {
  return json.replaceAll(/warn|error|fail|severe/gi, (word) => {
    if (wordsOfLevels[level]?.test(word) === true) return word;
    // Of each word only the third letter can never be a part of an escape, such as \f or \udbfa.
    const code = word.charCodeAt(2).toString(16).padStart(4, '0');
    return `${word.slice(0, 2)}\\u${code}${word.slice(3)}`;
  });
}

function line(name: string, fields: object): string {
  // The platform files it under its own invocation, and not under our trace.
  return JSON.stringify({ event: name, ...fields, traceId: activeTraceId() });
}
