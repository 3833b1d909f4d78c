import type { TimerHandler } from '@azure/functions';
import type { Clock } from '../pipeline/ports/clock.ts';
import type { OldRows } from '../pipeline/ports/old-rows.ts';
import { logOf } from './log.ts';

// The platform ends a function after ten minutes.
const timeLimitMs = 480_000;

/** A timer that removes what is older than the retention. */
export function oldRows(deps: { oldRows: OldRows; retentionMs: number } & Clock): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    try {
      const before = new Date(deps.now() - deps.retentionMs);
      const removed = await deps.oldRows.remove(before, AbortSignal.timeout(timeLimitMs));
      log('info', 'old-rows-removed', { ...removed });
    } catch (error) {
      log('error', 'old-rows-not-removed', { error: String(error) });
    }
  };
}
