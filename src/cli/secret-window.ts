import { setTimeout as delay } from 'node:timers/promises';
import type { KeptSecret } from '../pipeline/ports/secrets.ts';
import { isForPeople, RefusedError, sentenceOf } from './faults.ts';
import type { RunningApp } from './running-app.ts';
import { endProgress, note } from './terminal.ts';

/** A time in which the running app expects a secret of a source to change. */
export interface SecretWindow {
  /** When it ends by itself. */
  readonly until: string;
  /** Does some work. Throws a RefusedError where somebody ends the command meanwhile. */
  readonly unlessInterrupted: <T>(work: () => Promise<T>) => Promise<T>;
  /** What is done with it when the work is over; `take-back`: ended, and the key that was taken in it counts no more. */
  afterwards: 'end' | 'leave-open' | 'take-back';
}

export interface WindowWanted {
  readonly app: RunningApp;
  readonly source: string;
  readonly which: KeptSecret;
  readonly minutes: number;
  /** What it means that the app does not open it. */
  readonly notOpened: (why: string) => string;
}

const signals = ['SIGINT', 'SIGTERM'] as const;
const endingTries = 3;
const nextTryMs = 1_000;
const sameSignalMs = 1_000;

let signalled: (typeof signals)[number] | undefined;

/** The signal that ended what the command was at. */
export function interruptedBy(): NodeJS.Signals | undefined {
  return signalled;
}

/** Opens a window for some work, and ends it afterwards, also where that fails or somebody ends the command meanwhile. */
export async function withinWindow<T>(
  { app, source, which, minutes, notOpened }: WindowWanted,
  work: (window: SecretWindow) => Promise<T>,
): Promise<T> {
  const until = new Date(Date.now() + minutes * 60_000).toISOString();
  const { unlessInterrupted, stop } = watchSignals();
  try {
    await unlessInterrupted(async () => await app.window(source, which, minutes)).catch(
      async (error: unknown) => {
        const why = sentenceOf(error);
        // It may be open all the same.
        await app.window(source, which, 0).catch(() => undefined);
        throw new RefusedError(notOpened(why));
      },
    );
    const window: SecretWindow = { until, unlessInterrupted, afterwards: 'end' };
    try {
      return await work(window);
    } finally {
      endProgress();
      if (window.afterwards !== 'leave-open') await end(window, { app, source, which });
    }
  } finally {
    stop();
  }
}

async function end(
  { until, afterwards }: SecretWindow,
  { app, source, which }: Pick<WindowWanted, 'app' | 'source' | 'which'>,
): Promise<void> {
  try {
    const withdraw = afterwards === 'take-back';
    await tryAgain(async () => await app.window(source, which, 0, { withdraw }));
  } catch (error) {
    const why = isForPeople(error) ? error.message : 'Something went wrong here.';
    note(`Warning: ${why} So the app goes on expecting a change of this secret until ${until}.`);
  }
}

async function tryAgain(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries === endingTries) throw error;
      await delay(nextTryMs);
    }
  }
}

/** Turns a signal that would end the process into an error, until `stop`; another one a while later ends it. */
function watchSignals(): { stop: () => void } & Pick<SecretWindow, 'unlessInterrupted'> {
  let interrupt = (_error: Error): void => undefined;
  const interrupted = new Promise<never>((_resolve, reject) => (interrupt = reject));
  interrupted.catch(() => undefined);
  const stop = (): void => signals.forEach((signal) => process.off(signal, onSignal));
  let interruptedAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    signalled ??= signals.find((each) => each === signal);
    // A terminal sends Ctrl-C to all processes, and some of them pass it on: that is one.
    if (interruptedAt !== undefined && performance.now() - interruptedAt < sameSignalMs) return;
    if (interruptedAt !== undefined) process.exit(1);
    interruptedAt = performance.now();
    interrupt(new RefusedError('Interrupted.'));
  };
  signals.forEach((signal) => process.on(signal, onSignal));
  return {
    stop,
    unlessInterrupted: async (work) =>
      signalled === undefined ? await Promise.race([work(), interrupted]) : await interrupted,
  };
}
