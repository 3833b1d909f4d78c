import type { InvocationContext } from '@azure/functions';
import type { Log } from '../pipeline/log.ts';

/** Logs into an invocation, one JSON string a line. */
export function logOf(context: InvocationContext): Log {
  return (level, name, fields = {}) => {
    context[level](line(name, fields));
  };
}

/** Logs what belongs to no invocation. */
export const appLog: Log = (level, name, fields = {}) => {
  console[level](line(name, fields));
};

function line(name: string, fields: object): string {
  return JSON.stringify({ event: name, ...fields });
}
