/**
 * Asks again and again until there is an answer; the test's own time limit ends it. An error counts as no answer yet. The
 * longer it takes, the less often it asks: what is asked needs the machine too.
 */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const beganAt = performance.now();
  for (;;) {
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
    const pauseMs = Math.min(Math.max(50, (performance.now() - beganAt) / 10), 1_000);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
