import type { Clock } from '../pipeline/ports/clock.ts';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  NewWindow,
  Offer,
  StoredWindow,
  WindowName,
  Windows,
} from '../pipeline/ports/rotation-windows.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';

export interface WindowDeps extends Clock {
  readonly windows: Windows;
  readonly secrets: Pick<Secrets, 'withdraw'>;
  newId(): string;
}

/** After so long nobody handles an offer any more: a webhook is answered within 5 s, and clocks differ. */
const abandonedAfterMs = 15_000;
/** How soon a window is read again that somebody else is moving on. */
export const lookAgainMs = 200;

/** The window of one of a source's secrets, where there ever was one. */
export async function findWindow(
  windows: Windows,
  { source, which }: WindowName,
  signal?: AbortSignal,
): Promise<StoredWindow | undefined> {
  return (await windows.read(source, signal)).find((window) => window.which === which);
}

/** True while somebody moves this offer on, or at least may be about to. */
export function isUnderWay({ state, at }: Offer, now: number): boolean {
  return (state === 'claimed' || state === 'writing') && now - at < abandonedAfterMs;
}

/**
 * Opens a window until then, or ends the one that is open where that is past; `withdraw` takes back the key that was
 * taken in it. When it is done, nothing that was offered before changes a secret any more.
 */
export async function setWindow(name: NewWindow, deps: WindowDeps): Promise<void> {
  const { windows } = deps;
  const { source, which, until } = name;
  const ends = until <= deps.now();
  if (ends) await endWindow(name, deps);
  for (;;) {
    const before = await findWindow(windows, name);
    if (before?.offer?.state === 'writing') {
      if (isUnderWay(before.offer, deps.now())) await delay(lookAgainMs);
      else await withdrawOffer(name, before.offer, deps);
      continue;
    }
    if (ends && name.withdraw && before?.offer?.state === 'taken') {
      await withdrawOffer(name, before.offer, deps);
      continue;
    }
    if (ends) return;
    if ((await windows.replace(source, { which, until }, before?.version)) !== undefined) return;
  }
}

/** What came into the store, or may have, is remembered: the same key may be offered again. */
async function endWindow(name: WindowName & { until: number }, { windows }: WindowDeps): Promise<void> {
  const { source, which } = name;
  for (;;) {
    const before = await findWindow(windows, name);
    const offer = before?.offer?.state === 'claimed' ? undefined : before?.offer;
    const until = Math.min(name.until, before?.until ?? name.until);
    if ((await windows.replace(source, { which, until, offer }, before?.version)) !== undefined) return;
  }
}

/**
 * Makes an offered key count for nothing, whether it came as far as the store or not. Does nothing where somebody else
 * has taken the offer over. Throws where it could not be done.
 */
export async function withdrawOffer(
  name: WindowName,
  { digest, claim: before }: Pick<Offer, 'digest' | 'claim'>,
  deps: WindowDeps,
  // Whoever tries this several times gives the same one each time.
  claim: string = deps.newId(),
): Promise<void> {
  // Not its signal: what is to be undone has perhaps run out of time.
  const withoutSignal = { windows: deps.windows, now: () => deps.now() };
  // Whoever offers the same key meanwhile waits.
  if (!(await moveOffer(name, { digest, claim: before, as: claim, state: 'writing' }, withoutSignal))) return;
  const withdrawn = await deps.secrets.withdraw(name.source, name.which, digest);
  await moveOffer(name, { digest, claim, state: 'refused', withdrawn }, withoutSignal);
}

interface Move extends Pick<Offer, 'digest' | 'claim'> {
  /** The claim that it is under afterwards; the same one where left out. */
  readonly as?: string;
  readonly state: Exclude<Offer['state'], 'claimed'>;
  readonly withdrawn?: string | undefined;
  /** Only while the window is open. */
  readonly whileOpen?: true;
}

/** Moves an offer on for whoever has the claim on it. False where it is another's, or its window was to be open and is not. */
export async function moveOffer(
  name: WindowName,
  { digest, claim, as = claim, state, withdrawn, whileOpen }: Move,
  { windows, signal, ...clock }: Pick<WindowDeps, 'windows' | 'now'> & { readonly signal?: AbortSignal },
): Promise<boolean> {
  const { source, which } = name;
  for (;;) {
    const before = await findWindow(windows, name, signal);
    const now = clock.now();
    if (before?.offer === undefined || (whileOpen === true && before.until <= now)) return false;
    // The table may have done it, and its answer was lost.
    if (before.offer.claim === as && before.offer.state === state) return true;
    if (before.offer.claim !== claim) return false;
    const until = state === 'taken' ? Math.min(now, before.until) : before.until;
    // How long a key may be repeated counts from when it was taken.
    const at = before.offer.state === 'taken' && state === 'taken' ? before.offer.at : now;
    const offer = { digest, state, claim: as, at, withdrawn: withdrawn ?? before.offer.withdrawn };
    if ((await windows.replace(source, { which, until, offer }, before.version, signal)) !== undefined)
      return true;
  }
}
