import type { Clock } from '../pipeline/ports/clock.ts';
import type { TimerHandler } from '@azure/functions';
import type { AssetStore } from '../pipeline/ports/stores.ts';
import { sweepPictures } from '../pipeline/process/store-asset.ts';
import { logOf } from './log.ts';

// The platform ends a function after ten minutes.
const timeLimitMs = 480_000;

/** A timer that deletes pictures that no record names. */
export function unnamedPictures(deps: { assets: AssetStore } & Clock): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    try {
      const signal = AbortSignal.timeout(timeLimitMs);
      log('info', 'pictures-swept', await sweepPictures(deps.assets, { now: new Date(deps.now()), signal }));
    } catch (error) {
      log('error', 'pictures-not-swept', { error: String(error) });
    }
  };
}
