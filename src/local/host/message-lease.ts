import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';

export interface MessageLease {
  /** Ends the renewing; the receipt with which the message can be finished. */
  stop(): Promise<string>;
}

/** Keeps a message invisible to others while it is worked on. */
export function keepLease(queue: QueueClient, message: DequeuedMessageItem, seconds: number): MessageLease {
  let { popReceipt } = message;
  let renewing = Promise.resolve();
  const renew = async (): Promise<void> => {
    try {
      const renewed = await queue.updateMessage(message.messageId, popReceipt, undefined, seconds);
      popReceipt = renewed.popReceipt ?? popReceipt;
    } catch {
      // Storage may be back for the next renewal; if not, the message comes again, as it would on the platform.
    }
  };
  const timer = setInterval(
    () => {
      renewing = renewing.then(renew);
    },
    (seconds * 1000) / 2,
  );
  return {
    async stop() {
      clearInterval(timer);
      await renewing;
      return popReceipt;
    },
  };
}
