import { join } from 'node:path';
import { startAzurite } from '../azurite.ts';
import { sentenceFor } from './sentence.ts';

// `npm run storage`: a storage account on this machine, where `UseDevelopmentStorage=true` looks for it.

try {
  const azurite = await startAzurite({
    folder: join(import.meta.dirname, '..', '..', '..', '.azurite'),
    ports: { blob: 10_000, queue: 10_001, table: 10_002 },
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void azurite.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  console.log('Storage: Azurite at UseDevelopmentStorage=true, data in .azurite/, until Ctrl-C.');
} catch (error) {
  const [, port] = /EADDRINUSE\D*[\d.]+:(\d+)/.exec(sentenceFor(error)) ?? [];
  console.error(
    port === undefined
      ? sentenceFor(error)
      : `Port ${port} is in use: most likely storage runs here already. Use that one, or end it first.`,
  );
  process.exit(1);
}
