/** When a try that failed is made again, in milliseconds from now; undefined once the schedule is at its end. */
export function retryDelayMs(
  attempt: number,
  schedule: {
    readonly retryDelaysMs: readonly number[];
    readonly retryAfterCapMs: number;
    readonly retryAfterMs: number | undefined;
    /** From 0 to 1. */
    readonly random: number;
  },
): number | undefined {
  const own = schedule.retryDelaysMs[attempt];
  if (own === undefined) return undefined;
  const asked = Math.min(schedule.retryAfterMs ?? 0, schedule.retryAfterCapMs);
  // Jitter only ever lengthens: neither our schedule nor what the source asked for is undercut.
  return Math.round(Math.max(own, asked) * (1 + 0.2 * schedule.random));
}
