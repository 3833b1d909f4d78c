import { run } from './run.ts';

// Whoever reads our output may have seen enough of it.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

await run(process.argv.slice(2), process);
