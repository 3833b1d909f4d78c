import type { PoisonQueue } from '../pipeline/ports/stores.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { stored } from './storage-errors.ts';

const hiddenSeconds = 300;
const yearMs = 31_536_000_000;

/** Where the platform puts what it gave up on. */
export function poisonQueueOf(name: string): string {
  return `${name}-poison`;
}

export function poisonQueue(clients: StorageClients, name: string): PoisonQueue {
  const queue = once(async () => await clients.queue(poisonQueueOf(name)));
  return {
    async take() {
      const client = await queue();
      const { receivedMessageItems } = await stored(
        'looking for poison messages',
        async () => await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: hiddenSeconds }),
        async () => await client.createIfNotExists(),
      );
      return receivedMessageItems.map(({ messageText: text, messageId, popReceipt, expiresOn }) => {
        const remove = async (): Promise<void> => {
          await stored(
            'removing a poison message',
            async () => await client.deleteMessage(messageId, popReceipt),
            async () => undefined,
          );
        };
        const putBack = async (): Promise<void> => {
          if (expiresOn.getTime() - Date.now() > yearMs) return;
          const options = { messageTimeToLive: -1, visibilityTimeout: hiddenSeconds };
          await stored(
            'keeping a poison message',
            async () => await client.sendMessage(text, options),
            async () => undefined,
          );
          await remove();
        };
        return { text, messageId, remove, putBack };
      });
    },
  };
}
