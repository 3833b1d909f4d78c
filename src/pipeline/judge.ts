import type { Call, CallVerdict, Receiver } from './receiver.ts';
import type { Secrets } from './secrets.ts';
import { SharedLook } from './shared-look.ts';
import type { OpenWindow } from './windows.ts';

/** A verdict, or that there can be none yet: whoever sent it may come again. */
export type Judged =
  CallVerdict | { kind: 'not-judged'; why: 'no-secret' | 'no-fresh-look' | 'secret-changing' };

/** Judges one call; `leftMs` says how long it may still take. Never throws. */
export type Judge = (call: Call, leftMs: () => number) => Promise<Judged>;

export interface JudgeDeps {
  readonly secrets: Pick<Secrets, 'webhookSecrets' | 'lookAgain'>;
  readonly windows: { read(source: string): Promise<readonly OpenWindow[]> };
  readonly lookAgainEveryMs: number;
  now(): Date;
}

// So that a verdict is out before the time is up.
const spareMs = 200;

/**
 * Judges the calls of one source. A signature that fits no secret is not refused before a look that began after it
 * arrived: the secret may have been changed, or made, a moment ago. While the operator is changing it, nothing is refused for
 * its signature at all.
 */
export function judgeFor(source: string, receiver: Receiver, deps: JudgeDeps): Judge {
  const looks = new SharedLook({
    look: async () => {
      // The windows first: a window that is closed by then was closed after its secret was kept, so that the look at the
      // secrets finds it. The other way round, both could happen in between.
      const windows = await deps.windows.read(source);
      await deps.secrets.lookAgain(source);
      return { windows };
    },
    everyMs: deps.lookAgainEveryMs,
    now: () => deps.now().getTime(),
  });
  return async (call, leftMs) => {
    const secrets = await deps.secrets.webhookSecrets(source);
    if (secrets !== undefined) {
      const first = receiver.judge(call, secrets);
      if (first.kind !== 'not-proved' || first.why !== 'wrong-signature') return first;
    }

    const maxWaitMs = Math.max(0, leftMs() - spareMs);
    const seen = await looks.join({ bytes: call.body.byteLength, maxWaitMs });
    if (seen === undefined) return { kind: 'not-judged', why: 'no-fresh-look' };
    const renewed = await deps.secrets.webhookSecrets(source);
    if (renewed === undefined) return { kind: 'not-judged', why: 'no-secret' };
    const second = receiver.judge(call, renewed);
    const changing = seen.windows.some(
      ({ which, until }) => which === 'secret' && until > deps.now().getTime(),
    );
    return second.kind === 'not-proved' && changing ? { kind: 'not-judged', why: 'secret-changing' } : second;
  };
}
