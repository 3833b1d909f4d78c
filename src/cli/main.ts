import { Command, CommanderError } from 'commander';
import { UpstreamError } from '../errors.ts';
import { addEvents } from './events.ts';
import { RefusedError, UsageError } from './faults.ts';
import { addPreservica } from './preservica.ts';
import { note } from './terminal.ts';

// The command on one page: exit code 0 is done, 1 the other side said no, 2 wrong use.
const program = new Command('asset-webhooks')
  .description('Sets up, looks at and takes down the subscriptions of Asset Webhooks at its source systems.')
  .option('--json', 'print JSON, for scripts')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();
addPreservica(program);
addEvents(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  const said = error instanceof CommanderError ? undefined : wordsFor(error);
  if (said !== undefined) note(said);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

function wordsFor(error: unknown): string {
  if (error instanceof UsageError || error instanceof RefusedError || error instanceof UpstreamError)
    return error.message;
  const name = error instanceof Error ? error.name : 'unknown';
  // The text of an error that nobody expected might hold what was sent.
  return `Something unexpected went wrong (${name}).`;
}
