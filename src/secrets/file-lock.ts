import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../pipeline/ports/errors.ts';

const lockedAtMostMs = 5_000;

/** Runs some work while no other process has the lock; one that is too old was left behind and is taken over. */
export async function whileLocked(
  lock: string,
  signal: AbortSignal | undefined,
  work: (isOurs: () => boolean) => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  while (!(await taken(lock))) {
    await removeIfLeft(lock);
    await delay(50, undefined, signal === undefined ? {} : { signal });
  }
  const takenAt = Date.now();
  // Later it may be somebody else's.
  const isOurs = (): boolean => Date.now() - takenAt < lockedAtMostMs;
  try {
    await work(isOurs);
  } finally {
    if (isOurs()) await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** One process at a time looks at a lock and removes it, so that none removes the one that another has just made. */
async function removeIfLeft(lock: string): Promise<void> {
  const judging = `${lock}.judging`;
  if (!(await isOld(lock))) return;
  if (!(await taken(judging))) {
    // Held for a moment only; one that is old was left behind as well.
    if (await isOld(judging)) await rm(judging, { force: true });
    return;
  }
  try {
    if (await isOld(lock)) await rm(lock, { force: true });
  } finally {
    await rm(judging, { force: true });
  }
}

async function isOld(lock: string): Promise<boolean> {
  const madeAt = await stat(lock).then(({ mtimeMs }) => mtimeMs, Date.now);
  return Date.now() - madeAt > lockedAtMostMs;
}
