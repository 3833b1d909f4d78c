/** What a Retry-After asks for, in milliseconds from now: seconds, or an HTTP date (RFC 9110, 10.2.3). */
export function readRetryAfter(given: string | null, now: number): number | undefined {
  if (given === null) return undefined;
  if (/^\d{1,9}$/.test(given)) return Number(given) * 1000;
  // Date.parse alone takes `-5` and `1.5` for years.
  const at = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/.test(given) ? Date.parse(given) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
