import { run } from './run.ts';
import { interruptedBy } from './secret-window.ts';
import { endWithReader } from './terminal.ts';

endWithReader();
await run(process.argv.slice(2), process);

// What was interrupted may still wait for its answer; as a shell does, the exit code tells the signal.
const signal = interruptedBy();
if (signal !== undefined) process.exit(signal === 'SIGINT' ? 130 : 143);
