import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import { ok, type Check } from './check.ts';
import { findings } from './findings.ts';

const timeLimitMs = 10_000;
// One-time codes are good for half a minute, and events are folded by seconds.
const mostApartMs = 30_000;

/** Compares this machine's clock with the source's, as its `Date` header tells it. Nothing where it tells none. */
export async function checkClock(source: SourceConfig): Promise<Check[]> {
  const { name, url } = source;
  if (url === '') return [];
  const askedAt = Date.now();
  const date = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeLimitMs),
  }).then(
    (response) => response.headers.get('date'),
    // That it cannot be reached is said by the login.
    () => null,
  );
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return [];
  // The header has whole seconds, and the answer took its time.
  const apartMs = Math.max(askedAt - theirs - 1000, theirs - Date.now(), 0);
  if (apartMs <= mostApartMs) return [ok(`${name}: clock`, 'The clocks agree.')];
  return [findings.clocksDiffer({ ...source, seconds: Math.round(apartMs / 1000) })];
}
