import type { QueueGauge, WorkQueue } from '../pipeline/ports/stores.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { stored } from './storage-errors.ts';

export const workQueueName = 'asset-events';
export const runQueueName = 'action-runs';

// Storage Queue hides a message for seven days at the most.
const longestDelaySeconds = 604_800;

/** A queue of ours: base64, and no message ever expires. */
export function workQueue(clients: StorageClients, name: string): WorkQueue {
  const queue = once(async () => await clients.queue(name));
  return {
    async send(text, { delayMs = 0, signal } = {}) {
      const client = await queue();
      const base64 = Buffer.from(text).toString('base64');
      const options = {
        messageTimeToLive: -1,
        visibilityTimeout: Math.min(Math.ceil(delayMs / 1000), longestDelaySeconds),
        ...(signal === undefined ? {} : { abortSignal: signal }),
      };
      await stored(
        'keeping a message',
        async () => await client.sendMessage(base64, options),
        async () => await client.createIfNotExists(),
      );
    },
  };
}

/** How much is in a queue of ours. */
export function queueGauge(clients: StorageClients, name: string): QueueGauge {
  const queue = once(async () => await clients.queue(name));
  return {
    name,
    async read() {
      const client = await queue();
      return await stored(
        'looking at a queue',
        async () => {
          const [{ approximateMessagesCount: messages = 0 }, { peekedMessageItems }] = await Promise.all([
            client.getProperties(),
            client.peekMessages({ numberOfMessages: 1 }),
          ]);
          return { messages, oldestAt: peekedMessageItems[0]?.insertedOn };
        },
        async () => await client.createIfNotExists(),
      );
    },
  };
}
