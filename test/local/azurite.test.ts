import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { TableClient } from '@azure/data-tables';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startAzurite, type Azurite, type AzuriteOptions } from '../../src/local/azurite.ts';

const started: Azurite[] = [];
afterAll(async () => {
  for (const azurite of started) await azurite.stop();
});

async function start(options?: AzuriteOptions): Promise<Azurite> {
  const azurite = await startAzurite(options);
  started.push(azurite);
  return azurite;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('Azurite', () => {
  it('serves blobs, queues and tables as soon as it has started', async () => {
    const { connectionString } = await start({ inMemory: true });
    const blobs = BlobServiceClient.fromConnectionString(connectionString);
    await blobs.getContainerClient('things').create();
    await new QueueClient(connectionString, 'things').create();
    await TableClient.fromConnectionString(connectionString, 'things', {
      allowInsecureConnection: true,
    }).createTable();
  });

  it('comes back from a pause at the same address with the same data', async () => {
    const azurite = await start();
    const blobs = BlobServiceClient.fromConnectionString(azurite.connectionString);
    const container = blobs.getContainerClient('things');
    await container.create();
    await container.getBlockBlobClient('one').upload('text', 4);
    const { pid } = azurite;

    await azurite.pause();
    expect(isRunning(pid)).toBe(false);
    await expect(fetch(blobs.url)).rejects.toThrow();
    await azurite.resume();

    expect((await container.getBlobClient('one').downloadToBuffer()).toString()).toBe('text');
    expect(azurite.pid).not.toBe(pid);
    await azurite.stop();
    expect(isRunning(azurite.pid)).toBe(false);
  });

  it('keeps its data in the folder it is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'azurite-test-'));
    const azurite = await start({ folder });
    await azurite.stop();
    await access(join(folder, '__azurite_db_blob__.json'));
    await rm(folder, { recursive: true });
  });

  it('ends when the process that started it is killed', async () => {
    const azuriteModule = join(import.meta.dirname, '..', '..', 'src', 'local', 'azurite.ts');
    const program = `
      import { startAzurite } from ${JSON.stringify(azuriteModule)};
      console.log((await startAzurite({ inMemory: true })).pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(parent.stdout), 'line');
    const pid = Number(line);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 90_000);
  });
});
