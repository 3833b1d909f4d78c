import type { TimerHandler } from '@azure/functions';
import { recordPoison } from '../pipeline/dead-letter/record-poison.ts';
import type { PoisonQueue } from '../pipeline/ports/stores.ts';
import type { ProcessDeps } from '../pipeline/process/process-deps.ts';
import { logOf } from './log.ts';

// The rest is for the next minute.
const timeLimitMs = 50_000;

/** A timer that brings what the platform gave up on into the ledger, before the queue forgets it after seven days. */
export function poisonMessages(deps: Omit<ProcessDeps, 'log'> & { poison: PoisonQueue }): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    const startedAt = performance.now();
    while (performance.now() - startedAt < timeLimitMs) {
      const messages = await deps.poison.take();
      if (messages.length === 0) return;
      for (const message of messages) {
        try {
          const recorded = await recordPoison(message, { ...deps, log });
          if (recorded === 'recorded') await message.remove();
          log('error', 'poison-message', { message: message.messageId, recorded });
        } catch (error) {
          // It comes again in five minutes; the others need not wait for that.
          log('error', 'poison-not-recorded', { message: message.messageId, error: String(error) });
        }
      }
    }
  };
}
