import { setTimeout as delay } from 'node:timers/promises';

const sayAfterMs = 5_000;

/** Asks until there is an answer; an error counts as none yet. Says what it waits for where that takes long, and throws after two minutes. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T> {
  const beganAt = Date.now();
  let said = false;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    const waitedMs = Date.now() - beganAt;
    if (waitedMs > 120_000) throw new Error(`Waited two minutes for ${what}, in vain.`);
    if (!said && waitedMs > sayAfterMs) {
      console.log(`Waiting for ${what} …`);
      said = true;
    }
    await delay(200);
  }
}
