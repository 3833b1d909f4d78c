import { randomUUID } from 'node:crypto';
import {
  RestError,
  type DequeuedMessageItem,
  type QueueClient,
  type QueueServiceClient,
} from '@azure/storage-queue';
import type { RegisteredFunction } from './core-types.ts';
import type { QueueSettings } from './host-json.ts';
import { InFlight } from './in-flight.ts';
import type { Invocations } from './invocations.ts';
import { describe, type HostLog } from './log.ts';
import { keepLease } from './message-lease.ts';
import { queueMetadata, readMessage } from './queue-message.ts';

export interface QueueTrigger {
  readonly target: RegisteredFunction;
  readonly queueName: string;
  readonly service: QueueServiceClient;
  readonly settings: QueueSettings;
  readonly leaseSeconds: number;
  readonly invocations: Invocations;
  readonly log: HostLog;
}

export interface Listener {
  /** Takes nothing new; resolves when what was taken is finished. */
  stop(): Promise<void>;
}

const shortestPauseMs = 100;

/** Takes messages off a queue in batches and has the function work on them, as the platform's listener does. */
export function listenToQueue(trigger: QueueTrigger): Listener {
  const { settings } = trigger;
  const queue = trigger.service.getQueueClient(trigger.queueName);
  const stopped = new AbortController();
  const inFlight = new InFlight();

  const work = async (message: DequeuedMessageItem): Promise<void> => {
    try {
      await inFlight.run(async () => await finish(trigger, queue, message));
    } catch (error) {
      trigger.log.problem(`A message of ${trigger.queueName} could not be finished: ${describe(error)}`);
    }
  };
  const poll = async (): Promise<void> => {
    const fetch = fetcher(trigger, queue);
    let pauseMs = shortestPauseMs;
    while (!stopped.signal.aborted) {
      await inFlight.fallsTo(settings.newBatchThreshold);
      if (stopped.signal.aborted) break;
      const messages = await fetch();
      for (const message of messages) void work(message);
      if (messages.length > 0) {
        pauseMs = shortestPauseMs;
        continue;
      }
      await pause(Math.min(pauseMs, settings.maxPollingIntervalMs), stopped.signal);
      pauseMs = Math.min(pauseMs * 2, settings.maxPollingIntervalMs);
    }
    await inFlight.fallsTo(0);
  };
  const polling = poll();

  return {
    async stop() {
      stopped.abort();
      await polling;
    },
  };
}

/** Fetches a batch; nothing, where the queue or the whole storage is not there. Trouble is said once, and so is its end. */
function fetcher(trigger: QueueTrigger, queue: QueueClient): () => Promise<DequeuedMessageItem[]> {
  let trouble: string | undefined;
  const say = (now: string | undefined): void => {
    if (now === trouble) return;
    trouble = now;
    if (now !== undefined) trigger.log.problem(`The queue ${trigger.queueName} cannot be read: ${now}`);
    else trigger.log.problem(`The queue ${trigger.queueName} can be read again.`);
  };
  return async () => {
    try {
      const { receivedMessageItems } = await queue.receiveMessages({
        numberOfMessages: Math.min(trigger.settings.batchSize, 32),
        visibilityTimeout: trigger.leaseSeconds,
      });
      say(undefined);
      return receivedMessageItems;
    } catch (error) {
      // A queue that is not there is normal before the first message is sent.
      if (!isNotFound(error)) say(error instanceof RestError ? error.code : describe(error));
      return [];
    }
  };
}

async function finish(
  trigger: QueueTrigger,
  queue: QueueClient,
  message: DequeuedMessageItem,
): Promise<void> {
  const { settings, log, queueName } = trigger;
  const { messageId, dequeueCount } = message;
  if (dequeueCount > settings.maxDequeueCount) return await toPoison(trigger, queue, message);

  const read = readMessage(message.messageText, settings.messageEncoding);
  if (read.kind === 'not-base64') {
    log.problem(`A message of ${queueName} is not base64, so no function can read it.`);
    return await toPoison(trigger, queue, message);
  }
  const lease = keepLease(queue, message, trigger.leaseSeconds);
  const succeeded = read.kind === 'text' && (await call(trigger, message, read.text));
  if (read.kind === 'not-utf8') log.problem(`A message of ${queueName} is not UTF-8.`);
  const popReceipt = await lease.stop();

  if (succeeded) await queue.deleteMessage(messageId, popReceipt);
  else if (isPoison(queueName)) return;
  else if (dequeueCount >= settings.maxDequeueCount)
    await toPoison(trigger, queue, { ...message, popReceipt });
  else {
    const seconds = Math.round(settings.visibilityTimeoutMs / 1000);
    await queue.updateMessage(messageId, popReceipt, undefined, seconds);
  }
}

async function call(trigger: QueueTrigger, message: DequeuedMessageItem, text: string): Promise<boolean> {
  const outcome = await trigger.invocations.run({
    id: randomUUID(),
    target: trigger.target,
    input: { string: text },
    triggerMetadata: queueMetadata(message, text),
  });
  return outcome.kind === 'done';
}

/** A poison queue has none of its own: there the message only stays invisible until its lease ends. */
async function toPoison(
  trigger: QueueTrigger,
  queue: QueueClient,
  message: DequeuedMessageItem,
): Promise<void> {
  if (isPoison(trigger.queueName)) return;
  const poison = trigger.service.getQueueClient(`${trigger.queueName}-poison`);
  try {
    await poison.sendMessage(message.messageText);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await poison.createIfNotExists();
    await poison.sendMessage(message.messageText);
  }
  await queue.deleteMessage(message.messageId, message.popReceipt);
  trigger.log.problem(`A message of ${trigger.queueName} was moved to ${trigger.queueName}-poison.`);
}

function isNotFound(error: unknown): boolean {
  return error instanceof RestError && error.statusCode === 404;
}

function isPoison(queueName: string): boolean {
  return queueName.endsWith('-poison');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
