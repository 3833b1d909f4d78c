import type { Clock } from '../ports/clock.ts';
import type { Call, CallVerdict, Receiver } from '../ports/receiver.ts';
import type { Secrets } from '../ports/secrets.ts';
import { SharedRefresh } from '../concurrency/shared-refresh.ts';
import type { OpenWindow } from '../ports/rotation-windows.ts';

/** A verdict, or that there can be none yet: whoever sent it may come again. */
export type VerifyResult =
  CallVerdict | { kind: 'unverifiable'; why: 'no-secret' | 'not-refreshed' | 'secret-changing' };

/** Verifies one call; `leftMs` says how long it may still take. Never throws. */
export type VerifyCall = (call: Call, leftMs: () => number) => Promise<VerifyResult>;

export interface VerifyDeps extends Clock {
  readonly secrets: Pick<Secrets, 'webhookSecrets' | 'refresh'>;
  readonly windows: { read(source: string): Promise<readonly OpenWindow[]> };
  readonly refreshEveryMs: number;
}

// So that a verdict is out before the time is up.
const spareMs = 200;

/**
 * Verifies the calls of one source. A signature that fits no secret is not refused before a look that began after it
 * arrived: the secret may have been changed, or made, a moment ago. While the operator is changing it, nothing is refused for
 * its signature at all.
 */
export function callVerifier(source: string, receiver: Receiver, deps: VerifyDeps): VerifyCall {
  const refresh = new SharedRefresh({
    refresh: async () => {
      // The windows first: a window that is closed by then was closed after its secret was kept, so that the look at the
      // secrets finds it. The other way round, both could happen in between.
      const windows = await deps.windows.read(source);
      await deps.secrets.refresh(source);
      return { windows };
    },
    everyMs: deps.refreshEveryMs,
    now: () => deps.now(),
  });
  return async (call, leftMs) => {
    const secrets = await deps.secrets.webhookSecrets(source);
    if (secrets !== undefined) {
      const first = receiver.verify(call, secrets);
      if (first.kind !== 'not-proved' || first.why !== 'wrong-signature') return first;
    }

    const maxWaitMs = Math.max(0, leftMs() - spareMs);
    const seen = await refresh.join({ bytes: call.body.byteLength, maxWaitMs });
    if (seen === undefined) return { kind: 'unverifiable', why: 'not-refreshed' };
    const renewed = await deps.secrets.webhookSecrets(source);
    if (renewed === undefined) return { kind: 'unverifiable', why: 'no-secret' };
    const second = receiver.verify(call, renewed);
    const changing = seen.windows.some(({ which, until }) => which === 'secret' && until > deps.now());
    return second.kind === 'not-proved' && changing
      ? { kind: 'unverifiable', why: 'secret-changing' }
      : second;
  };
}
