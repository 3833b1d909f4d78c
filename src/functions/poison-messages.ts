import type { TimerHandler } from '@azure/functions';
import { recordPoison, type PoisonDeps } from '../pipeline/dead-letter/record-poison.ts';
import type { Log } from '../pipeline/ports/log.ts';
import type { PoisonQueue } from '../pipeline/ports/stores.ts';
import { logOf } from './log.ts';

// The rest is for a later minute.
const timeLimitMs = 50_000;

type QueueDeps = Omit<PoisonDeps, 'log'> & { readonly poison: PoisonQueue };

/** A timer that brings what the platform gave up on into the ledger, or into the rows of runs, whenever that can be written. */
export function poisonMessages(queues: readonly QueueDeps[]): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    await Promise.all(queues.map(async (deps) => await recordAll(deps, log)));
  };
}

async function recordAll(deps: QueueDeps, log: Log): Promise<void> {
  const endsAt = deps.now() + timeLimitMs;
  for (;;) {
    const messages = await deps.poison.take();
    if (messages.length === 0) return;
    for (const message of messages) {
      // One may hold a whole delivery. What was taken and not looked at comes again in five minutes.
      if (deps.now() >= endsAt) return;
      try {
        const recorded = await recordPoison(message, { ...deps, log });
        await (recorded === 'recorded' ? message.remove() : message.putBack());
        log('error', 'poison-message', { message: message.messageId, recorded });
      } catch (error) {
        // It comes again in five minutes; the others need not wait for that.
        log('error', 'poison-not-recorded', { message: message.messageId, error: String(error) });
        await message.putBack().catch((lost: unknown) => {
          log('error', 'poison-not-put-back', { message: message.messageId, error: String(lost) });
        });
      }
    }
  }
}
