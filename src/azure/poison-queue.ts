import type { PoisonQueue } from '../pipeline/ports/stores.ts';
import { once, type StorageClients } from './storage-clients.ts';
import { stored } from './storage-errors.ts';
import { workQueueName } from './work-queue.ts';

export function poisonQueue(clients: StorageClients): PoisonQueue {
  const queue = once(async () => await clients.queue(`${workQueueName}-poison`));
  return {
    async take() {
      const client = await queue();
      const { receivedMessageItems } = await stored(
        'looking for poison messages',
        async () => await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 300 }),
        async () => await client.createIfNotExists(),
      );
      return receivedMessageItems.map(({ messageText, messageId, popReceipt }) => ({
        text: messageText,
        messageId,
        remove: async () => {
          await stored(
            'removing a poison message',
            async () => await client.deleteMessage(messageId, popReceipt),
            async () => undefined,
          );
        },
      }));
    },
  };
}
