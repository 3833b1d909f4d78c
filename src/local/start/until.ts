import { setTimeout as delay } from 'node:timers/promises';

/** Asks until there is an answer; an error counts as none yet. Throws after two minutes. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const endsAt = Date.now() + 120_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > endsAt) throw new Error(`Waited two minutes for ${what}.`);
    await delay(200);
  }
}
