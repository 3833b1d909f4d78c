import { run } from './run.ts';
import { interruptedBy } from './secret-window.ts';

// Whoever reads our output may have seen enough of it.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

await run(process.argv.slice(2), process);

// What was interrupted may still wait for its answer; as a shell does, the exit code tells the signal.
const signal = interruptedBy();
if (signal !== undefined) process.exit(signal === 'SIGINT' ? 130 : 143);
