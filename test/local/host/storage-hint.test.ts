import { createServer, type AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { storageHint } from '../../../src/local/host/storage-hint.ts';

async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = async (): Promise<void> => await new Promise((resolve) => server.close(() => resolve()));
  onTestFinished(close);
  return { port: (server.address() as AddressInfo).port, close };
}

it('says how to start storage where none listens on this machine', async () => {
  const { port, close } = await listening();
  const connection = `AccountName=a;QueueEndpoint=http://127.0.0.1:${port}/a;`;
  expect(await storageHint(connection)).toBeUndefined();
  await close();
  expect(await storageHint(connection)).toContain(
    `127.0.0.1:${port}. Start one in another terminal: npm run storage.`,
  );
});

it.each([undefined, '', 'AccountName=a;AccountKey=b', 'QueueEndpoint=https://a.queue.core.windows.net'])(
  'says nothing of storage elsewhere: %s',
  async (connection) => expect(await storageHint(connection)).toBeUndefined(),
);
