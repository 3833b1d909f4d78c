import { QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startAzurite, type Azurite } from '../../../src/local/azurite.ts';
import type { HostProcess } from '../../support/host-process.ts';
import { startFixture } from './fixture.ts';

interface Work {
  item: unknown;
  type: string;
  dequeueCount: number;
  id: string;
  metadata: Record<string, unknown>;
}

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
});
afterAll(async () => {
  await azurite.stop();
});

let made = 0;

/** A queue of its own and a host that works on it, with everything that takes time made short. */
async function setup(
  given: { queueName?: string; env?: Record<string, string>; storage?: Azurite; before?: string[] } = {},
) {
  const storage = given.storage ?? azurite;
  const queueName = given.queueName ?? `work-${(made += 1)}`;
  const service = QueueServiceClient.fromConnectionString(storage.connectionString);
  const queue = service.getQueueClient(queueName);
  await queue.createIfNotExists();
  for (const text of given.before ?? []) await send(queue, text);
  const env = {
    AzureWebJobsStorage: storage.connectionString,
    FIXTURE_QUEUE: queueName,
    LOCAL_QUEUE_LEASE_SECONDS: '2',
    AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '3',
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:00',
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:00.2',
    ...given.env,
  };
  const host = await startFixture(env);
  return { host, env, queue, poison: service.getQueueClient(`${queueName}-poison`) };
}

async function send(queue: QueueClient, text: string | Buffer): Promise<void> {
  await queue.sendMessage(Buffer.from(text).toString('base64'), { messageTimeToLive: -1 });
}

const readWork = (line: string): Work => JSON.parse(line.slice('work '.length));

const work = (host: HostProcess): Work[] =>
  host.lines.filter((line) => line.startsWith('work {')).map(readWork);

/** The messages of a queue without taking them. */
async function peek(queue: QueueClient): Promise<string[]> {
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map(({ messageText }) => messageText);
}

/** All messages gone, the invisible ones too. */
async function emptied(queue: QueueClient): Promise<void> {
  await vi.waitFor(
    async () => expect((await queue.getProperties()).approximateMessagesCount).toBe(0),
    90_000,
  );
}

describe.concurrent('a message', () => {
  it.each([
    ['{"a":{"b":1},"C":"text"}', 'object', { a: { b: 1 }, C: 'text' }],
    ['[1,"2"]', 'object', [1, '2']],
    ['7', 'number', 7],
    ['true', 'boolean', true],
    ['"quoted"', 'string', 'quoted'],
    ['plain text', 'string', 'plain text'],
  ])('%s arrives as a(n) %s and is deleted', async (text, type, item) => {
    const { host, queue } = await setup({ before: [text] });
    await host.waitForLine(/^worked /);
    expect(work(host)).toMatchObject([{ item, type, dequeueCount: 1 }]);
    await emptied(queue);
  });

  it('comes with what the platform says about it, and with its own members', async () => {
    const { host } = await setup({ before: ['{"a":{"b":1},"C":"text","id":"its own"}'] });
    await host.waitForLine(/^worked /);
    const [first] = work(host);
    expect(first?.id).toBe('its own');
    expect(first?.metadata).toEqual({
      queueTrigger: { a: { b: 1 }, c: 'text', id: 'its own' },
      insertionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00$/),
      expirationTime: expect.stringMatching(/^9999-/),
      nextVisibleTime: expect.any(String),
      popReceipt: expect.any(String),
      a: { b: 1 },
      c: 'text',
    });
  });

  it('whose handler throws comes again and then goes to the poison queue as it was', async () => {
    const text = '{"please": "throw"}';
    const { host, queue, poison } = await setup({ before: [text] });
    await host.waitForLine('-poison');
    expect(work(host).map(({ dequeueCount }) => dequeueCount)).toEqual([1, 2, 3]);
    expect(await peek(poison)).toEqual([Buffer.from(text).toString('base64')]);
    await emptied(queue);
  });

  it('stays away for the visibility timeout after a throw', async () => {
    const visibilityTimeout = { AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:10:00' };
    const { host, queue } = await setup({ before: ['throw'], env: visibilityTimeout });
    await host.waitForLine(/^work \S+ failed/);
    await send(queue, 'later');
    await host.waitForLine('worked "later"');
    expect(work(host).map(({ item }) => item)).toEqual(['throw', 'later']);
    expect((await queue.getProperties()).approximateMessagesCount).toBeGreaterThan(0);
  });

  it.each(['{"plain":"<json> & more"}', 'SGVsbG8*', 'SGVsbG8'])(
    '%s is not base64 and goes to the poison queue without a call',
    async (text) => {
      const { host, queue, poison } = await setup();
      await queue.sendMessage(text);
      await host.waitForLine('-poison');
      expect(await peek(poison)).toEqual([text]);
      expect(work(host)).toEqual([]);
      expect(host.lines.filter((line) => line.includes('is not'))).toHaveLength(1);
      await emptied(queue);
    },
  );

  it('that is not UTF-8 fails its attempts without a call', async () => {
    const { host, queue, poison } = await setup();
    await send(queue, Buffer.from([0x7b, 0xff, 0x7d]));
    await host.waitForLine('-poison');
    expect(host.lines.filter((line) => line.includes('not UTF-8'))).toHaveLength(3);
    expect(await peek(poison)).toEqual([Buffer.from([0x7b, 0xff, 0x7d]).toString('base64')]);
    expect(work(host)).toEqual([]);
  });

  it('may be plain text where host.json says so', async () => {
    const { host, queue } = await setup({
      env: { AzureFunctionsJobHost__extensions__queues__messageEncoding: 'none' },
    });
    await queue.sendMessage('not base64');
    await host.waitForLine('worked "not base64"');
  });

  it('on a poison queue has no further one, and comes again when its lease ends', async () => {
    const env = { AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '2' };
    const { host, queue, poison } = await setup({ queueName: 'last-poison', before: ['throw'], env });
    await vi.waitFor(() => {
      expect(host.lines.filter((line) => /^work \S+ failed/.test(line))).toHaveLength(2);
    }, 90_000);
    host.kill('SIGTERM');
    await host.exited;
    await vi.waitFor(async () => expect(await peek(queue)).toHaveLength(1), 90_000);
    expect(await poison.exists()).toBe(false);
  });
});

describe.concurrent('the lease', () => {
  it('is renewed while the function runs', async () => {
    const { host, queue } = await setup({ before: ['sleep 5000'] });
    await host.waitForLine('worked');
    await emptied(queue);
    expect(work(host)).toHaveLength(1);
  });

  it('brings the message back after the process was killed', async () => {
    const { host, env } = await setup({ before: ['sleep 3000'] });
    await host.waitForLine(/^work /);
    host.kill('SIGKILL');
    expect((await host.exited).signal).toBe('SIGKILL');
    const next = await startFixture(env);
    await next.waitForLine('worked');
    expect(work(next).map(({ dequeueCount }) => dequeueCount)).toEqual([2]);
  });

  it('ends in the poison queue, without a call, after too many such ends', async () => {
    const { host, queue, poison, env } = await setup({
      before: [],
      env: { AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '1' },
    });
    await send(queue, 'sleep 60000');
    await host.waitForLine(/^work /);
    host.kill('SIGKILL');
    await host.exited;
    const next = await startFixture(env);
    await next.waitForLine('-poison');
    expect(work(next)).toEqual([]);
    expect(await peek(poison)).toHaveLength(1);
  });
});

describe.concurrent('the listener', () => {
  it('does not wait for the slowest of a batch', async () => {
    const env = {
      AzureFunctionsJobHost__extensions__queues__batchSize: '4',
      AzureFunctionsJobHost__extensions__queues__newBatchThreshold: '2',
    };
    const before = ['sleep 60000', ...Array.from({ length: 12 }, (_, n) => `quick ${n}`)];
    const { host } = await setup({ before, env });
    await vi.waitFor(() => {
      expect(host.lines.filter((line) => line.startsWith('worked "quick'))).toHaveLength(12);
    }, 90_000);
    expect(host.lines).not.toContain('worked "sleep 60000"');
    host.kill('SIGKILL');
  });

  it('works on no more than a batch and the threshold at once', async () => {
    const env = {
      AzureFunctionsJobHost__extensions__queues__batchSize: '2',
      AzureFunctionsJobHost__extensions__queues__newBatchThreshold: '1',
    };
    const { host } = await setup({ before: Array.from({ length: 8 }, () => 'sleep 100'), env });
    await vi.waitFor(() => {
      expect(host.lines.filter((line) => line.startsWith('worked'))).toHaveLength(8);
    }, 90_000);
    let inWork = 0;
    let most = 0;
    for (const line of host.lines) {
      if (line.startsWith('work {')) most = Math.max(most, (inWork += 1));
      else if (line.startsWith('worked')) inWork -= 1;
    }
    expect(most).toBeLessThanOrEqual(3);
  });

  it('waits for a queue that does not exist yet', async () => {
    const { host, queue } = await setup({ before: ['first'] });
    await host.waitForLine('worked "first"');
    await queue.delete();
    await vi.waitFor(async () => {
      await queue.createIfNotExists();
      await send(queue, 'second');
    }, 90_000);
    await host.waitForLine('worked "second"');
  });

  it('outlives its storage', async () => {
    const storage = await startAzurite();
    const { host, queue } = await setup({ storage, before: ['before'] });
    await host.waitForLine('worked "before"');
    await storage.pause();
    await host.waitForLine('cannot be read: ');
    expect((await fetch(`${host.url}/echo`)).status).toBe(200);
    await storage.resume();
    await host.waitForLine('can be read again');
    await send(queue, 'after');
    await host.waitForLine('worked "after"');
    host.kill('SIGKILL');
    await storage.stop();
  });
});
