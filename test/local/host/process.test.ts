import { createServer } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startAzurite, type Azurite } from '../../../src/local/azurite.ts';
import { spawnFixture, startFixture } from './fixture.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
});
afterAll(async () => {
  await azurite.stop();
});

const everySecond = '* * * * * *';

describe.concurrent('SIGTERM', () => {
  it('lets a request finish, takes no other, and ends with 0', async () => {
    const host = await startFixture();
    const slow = fetch(`${host.url}/slow?ms=1500`);
    await host.waitForLine('slow has begun');
    host.kill('SIGTERM');
    await vi.waitFor(async () => await expect(fetch(`${host.url}/echo`)).rejects.toThrow());
    expect(await (await slow).text()).toBe('slow is done');
    expect(await host.exited).toEqual({ code: 0, signal: null });
  });

  it('lets a queue function finish and its message be deleted', async () => {
    const queue = new QueueClient(azurite.connectionString, 'finishing');
    await queue.createIfNotExists();
    await queue.sendMessage(Buffer.from('sleep 1500').toString('base64'));
    const env = { AzureWebJobsStorage: azurite.connectionString, FIXTURE_QUEUE: 'finishing' };
    const host = await startFixture(env);
    await host.waitForLine(/^work /);
    host.kill('SIGTERM');
    expect(await host.exited).toEqual({ code: 0, signal: null });
    expect(host.lines).toContain('worked "sleep 1500"');
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  });

  it('abandons what hangs after some 13 seconds', async () => {
    const host = await startFixture();
    const hanging = fetch(`${host.url}/hangs`);
    hanging.catch(() => undefined);
    await fetch(`${host.url}/echo`);
    const from = performance.now();
    host.kill('SIGTERM');
    expect(await host.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - from).toBeGreaterThan(12_000);
    await expect(hanging).rejects.toThrow();
  });

  it('twice ends the process at once', async () => {
    const host = await startFixture();
    const hanging = fetch(`${host.url}/hangs`);
    hanging.catch(() => undefined);
    await fetch(`${host.url}/echo`);
    host.kill('SIGINT');
    await vi.waitFor(async () => await expect(fetch(`${host.url}/echo`)).rejects.toThrow());
    host.kill('SIGINT');
    expect((await host.exited).code).toBe(1);
  });
});

describe('the host', () => {
  it('serves an app that throws while loading without functions, and says so', async () => {
    const host = await startFixture({ FIXTURE_THROWS_AT_LOAD: 'yes' });
    expect(host.lines.join('\n')).toMatch(/could not be loaded.*not today/);
    expect((await fetch(`${host.url}/echo`)).status).toBe(404);
    host.kill('SIGTERM');
    expect((await host.exited).code).toBe(0);
  });

  it('says every fault of the settings, no value, and ends with 1', async () => {
    const host = await spawnFixture({
      SOURCE_ARCHIVE_KIND: 'sesame-open',
      SOURCE_ARCHIVE_URL: '',
      MAX_FILES: 'many',
    });
    expect((await host.exited).code).toBe(1);
    const said = host.lines.join('\n');
    for (const name of ['SOURCE_ARCHIVE_KIND', 'SOURCE_ARCHIVE_URL', 'MAX_FILES'])
      expect(said).toContain(name);
    expect(said).not.toMatch(/sesame|many|Listening/);
  });

  it.each([
    ['LOCAL_FAULT_POINT', 'somewhere'],
    ['LOCAL_QUEUE_LEASE_SECONDS', '1.5'],
  ])('refuses a %s that it cannot follow', async (name, value) => {
    const host = await spawnFixture({ [name]: value });
    expect((await host.exited).code).toBe(1);
    expect(host.lines).toEqual([expect.stringContaining(`${name}: must`)]);
  });

  it('says in a sentence that its port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const port = Number(Reflect.get(Object(other.address()), 'port'));
    const host = await spawnFixture({}, port);
    expect((await host.exited).code).toBe(1);
    expect(host.lines).toEqual([`Port ${port} is in use; choose another with --port.`]);
    other.close();
  });

  it('and the library inside it listen on loopback only', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((given) => given?.internal === false && given.family === 'IPv4')?.address;
    const host = await startFixture();
    const { raw }: { raw: string[] } = JSON.parse(await (await fetch(`${host.url}/echo`)).text());
    const library = raw[raw.indexOf('Host') + 1] ?? '';
    expect(library).toMatch(/^127\.0\.0\.1:\d+$/);
    if (address === undefined) return;
    for (const port of [new URL(host.url).port, library.split(':')[1]]) {
      await expect(reach(address, Number(port))).rejects.toThrow('ECONNREFUSED');
    }
  });
});

describe('a timer', () => {
  it('fires by a schedule that a setting gives', async () => {
    const host = await startFixture({ FIXTURE_SCHEDULE: everySecond });
    const line = await host.waitForLine(/^tick \{/);
    expect(JSON.parse(line.slice(5))).toMatchObject({ isPastDue: false });
    await host.waitForLine(/^tick [0-9a-f]{8} succeeded/);
  });

  it('whose setting is missing is said, and the rest runs', async () => {
    const host = await startFixture();
    await host.waitForLine('tick cannot be started: the setting FIXTURE_SCHEDULE is missing');
    expect((await fetch(`${host.url}/echo`)).status).toBe(200);
  });
});

const faultAt = (queueName: string, point: string): Record<string, string> => ({
  AzureWebJobsStorage: azurite.connectionString,
  FIXTURE_QUEUE: queueName,
  LOCAL_QUEUE_LEASE_SECONDS: '1',
  LOCAL_FAULT_POINT: point,
});

describe('a fault point', () => {
  // The app's queue name is part of the paths that fault points know, so these take turns at it.
  it.each([
    ['before:message-deleted', 1],
    ['after:message-deleted', 0],
    ['message-deleted#2', 0],
  ])('%s ends the process with %d message(s) left', async (point, left) => {
    const queue = new QueueClient(azurite.connectionString, 'asset-events');
    await queue.createIfNotExists();
    await queue.clearMessages();
    await queue.sendMessage(Buffer.from('one').toString('base64'));
    const host = await startFixture(faultAt('asset-events', point));
    if (point.endsWith('#2')) {
      await host.waitForLine(/^work \S+ succeeded/);
      await queue.sendMessage(Buffer.from('two').toString('base64'));
    }
    expect((await host.exited).signal).toBe('SIGKILL');
    expect((await queue.getProperties()).approximateMessagesCount).toBe(left);
  });
});

async function reach(address: string, port: number): Promise<void> {
  const socket = connect(port, address);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.destroy();
}

describe('a function that a setting disables', () => {
  it.each([
    'AzureWebJobs.staff-only.Disabled',
    // What the platform takes on Linux.
    'AzureWebJobs_staff-only_Disabled',
    'AzureWebJobs__staff-only__Disabled',
    // A shell hands on no name with a dot or a hyphen, as that of "npm run" is.
    'AzureWebJobs__staff_only__Disabled',
  ])('is not there: %s', async (setting) => {
    const host = await startFixture({ [setting]: 'true' });
    expect((await fetch(`${host.url}/staff`)).status).toBe(404);
    expect((await fetch(`${host.url}/echo`)).status).toBe(200);
  });
});
