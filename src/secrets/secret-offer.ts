import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../pipeline/ports/log.ts';
import type {
  OfferOutcome,
  OfferSecret,
  StoredWindow,
  WindowName,
} from '../pipeline/ports/rotation-windows.ts';
import { digestOf, type Secrets } from '../pipeline/ports/secrets.ts';
import { SharedRefresh } from '../pipeline/concurrency/shared-refresh.ts';
import {
  findWindow,
  isUnderWay,
  lookAgainMs,
  moveOffer,
  withdrawOffer,
  type WindowDeps,
} from './rotation-windows.ts';

export interface OfferDeps extends WindowDeps {
  readonly secrets: Pick<Secrets, 'take' | 'withdraw'>;
  readonly log: Log;
}

// Anybody can offer a key: what that costs our storage is two looks a second, however many do.
const looksEveryMs = 500;
const mostWaiting = 1_000;
const repeatedWithinMs = 3_600_000;
const triedAtMostMs = 600_000;
// By then a write whose answer was lost is done or dead.
const lateMs = 10_000;

/**
 * Takes the keys that are offered to one source: only in a window that the operator opened, one key a window. The first
 * key claims the window's row, on the condition that nobody else did, and only then goes into the store.
 */
export function offersTo(source: string, deps: OfferDeps): OfferSecret {
  const refresh = new SharedRefresh({
    refresh: async () => await deps.windows.read(source),
    everyMs: looksEveryMs,
    mostWaiting,
    now: () => deps.now(),
  });
  return async ({ which, value }, { leftMs, signal }) => {
    const seen = await refresh.join({ bytes: 0, maxWaitMs: leftMs() });
    if (seen === undefined) return { kind: 'not-kept', error: 'the windows could not be looked at' };
    const name = { source, which };
    const digest = digestOf(value);
    const offer = { name, value, digest, claim: deps.newId() };
    try {
      const window = seen.find((each) => each.which === which);
      const claimed = await claimWindow(offer, window, { ...deps, signal });
      if (claimed.kind !== 'claimed') return claimed;
      return await take({ ...offer, ...claimed }, { ...deps, signal });
    } catch (error) {
      return { kind: 'not-kept', error: error instanceof Error ? error.message : 'unknown' };
    }
  };
}

interface SecretOffer {
  readonly name: WindowName;
  readonly value: string;
  readonly digest: string;
  readonly claim: string;
}

type Deps = OfferDeps & { readonly signal: AbortSignal };

/** Makes the window this key's own, where it is open and nobody else's; answers where there is nothing more to do. */
async function claimWindow(
  offer: SecretOffer,
  seen: StoredWindow | undefined,
  deps: Deps,
): Promise<OfferOutcome | { kind: 'claimed'; withdrawn: string | undefined }> {
  const { name, digest, claim } = offer;
  const { windows, signal } = deps;
  let window = seen;
  for (;;) {
    const now = deps.now();
    const before = window?.offer;
    if (before?.state === 'taken' && before.digest === digest && now - before.at < repeatedWithinMs) {
      if (await takeRepeated(offer, before.claim, deps)) return { kind: 'taken' };
      window = await findWindow(windows, name, signal);
      continue;
    }
    if (window === undefined || window.until <= now) return { kind: 'refused' };
    if (before !== undefined && (before.state === 'taken' || before.digest !== digest))
      return { kind: 'refused' };
    const withdrawn = before?.withdrawn;
    if (before?.claim === claim) return { kind: 'claimed', withdrawn };
    if (before !== undefined && isUnderWay(before, now)) {
      await delay(lookAgainMs, undefined, { signal });
    } else {
      // What was written of it once may still be in the store.
      const state = before === undefined || before.state === 'claimed' ? 'claimed' : 'writing';
      const { which, until, version } = window;
      const own = { digest, state, claim, at: now, withdrawn } as const;
      const claimed = await windows.replace(name.source, { which, until, offer: own }, version, signal);
      if (claimed !== undefined) return { kind: 'claimed', withdrawn };
    }
    window = await findWindow(windows, name, signal);
  }
}

/**
 * Makes a key that was taken this offer's too, so that a late undo of the one before leaves it alone. False where that one
 * is not there any more. An offer that is too late gives it back: if the one before was answered, it counts.
 */
async function takeRepeated(
  { name, digest, claim }: SecretOffer,
  before: string,
  deps: Deps,
): Promise<boolean> {
  try {
    const taken = await moveOffer(name, { digest, claim: before, as: claim, state: 'taken' }, deps);
    deps.signal.throwIfAborted();
    return taken;
  } catch (error) {
    const withoutSignal = { windows: deps.windows, now: () => deps.now() };
    const giveBack = { digest, claim, as: before, state: 'taken' } as const;
    void untilDone(name, deps, async () => await moveOffer(name, giveBack, withoutSignal));
    throw error;
  }
}

/** Thrown where the window was closed before anything was written. */
class WindowClosedError extends Error {
  override readonly name = 'WindowClosedError';
}

async function take(
  offer: SecretOffer & { readonly withdrawn: string | undefined },
  deps: Deps,
): Promise<OfferOutcome> {
  const { name, value, digest, claim, withdrawn } = offer;
  const { secrets, signal } = deps;
  try {
    await secrets.take(name.source, name.which, value, {
      signal,
      withdrawn,
      async begin() {
        const move = { digest, claim, state: 'writing', whileOpen: true } as const;
        if (!(await moveOffer(name, move, deps))) throw new WindowClosedError();
      },
    });
    const taken = await moveOffer(name, { digest, claim, state: 'taken' }, deps);
    if (!taken) throw new Error('the offer was withdrawn meanwhile');
    // Whoever offered it was told by then that it is not taken.
    signal.throwIfAborted();
    return { kind: 'taken' };
  } catch (error) {
    void undo(offer, deps);
    if (error instanceof WindowClosedError) return { kind: 'refused' };
    return { kind: 'not-kept', error: error instanceof Error ? error.message : 'unknown' };
  }
}

/** Lets go of a window for which nothing was written; what may have been written is withdrawn. Never throws. */
async function undo(offer: SecretOffer, deps: OfferDeps): Promise<void> {
  const { name, digest, claim } = offer;
  const { windows, secrets } = deps;
  const withdrawing = deps.newId();
  let isRepeated = false;
  const released = await untilDone(name, deps, async () => {
    for (;;) {
      const window = await findWindow(windows, name);
      // Where the row is gone, nobody knows what was written; an offer that is being withdrawn here is still to be.
      if (window?.offer === undefined || window.offer.claim === withdrawing) break;
      if (window.offer.claim !== claim) {
        if (isRepeated || window.offer.state !== 'taken') return true;
        // A repeat that is not answered in time gives it back by then.
        isRepeated = true;
        await delay(lateMs, undefined, { ref: false });
        continue;
      }
      if (window.offer.state !== 'claimed') break;
      const open = { ...window, offer: undefined };
      if ((await windows.replace(name.source, open, window.version)) !== undefined) return true;
    }
    await withdrawOffer(name, { digest, claim }, deps, withdrawing);
    return false;
  });
  if (released) return;
  await delay(lateMs, undefined, { ref: false });
  await untilDone(name, deps, async () => {
    const again = (await findWindow(windows, name))?.offer;
    // Offered again, it is another's to keep or to withdraw.
    if (again?.digest === digest && again.state !== 'refused') return;
    await secrets.withdraw(name.source, name.which, digest);
  });
}

/** Does it again and again until it works, for some minutes. Never throws. */
async function untilDone<T>(
  { source, which }: WindowName,
  { log }: OfferDeps,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const startedAt = performance.now();
  for (let waitMs = 500; ; waitMs = Math.min(2 * waitMs, 30_000)) {
    try {
      return await work();
    } catch (error) {
      const over = performance.now() - startedAt > triedAtMostMs;
      const why = error instanceof Error ? error.message : 'unknown';
      log(over ? 'error' : 'warn', 'secret-not-withdrawn', { source, which, error: why });
      if (over) return undefined;
    }
    await delay(waitMs, undefined, { ref: false });
  }
}
