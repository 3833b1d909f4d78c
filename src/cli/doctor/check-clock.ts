import type { SourceConfig } from '../../config.ts';
import { ok, warning, type Check } from './check.ts';

const timeLimitMs = 10_000;
// One-time codes are good for half a minute, and events are folded by seconds.
const mostApartMs = 30_000;

/** Compares this machine's clock with the source's, as its `Date` header tells it. Nothing where it tells none. */
export async function checkClock({ name, url }: Pick<SourceConfig, 'name' | 'url'>): Promise<Check[]> {
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
  const about = `${name}: clock`;
  // The header has whole seconds, and the answer took its time.
  const apartMs = Math.max(askedAt - theirs - 1000, theirs - Date.now(), 0);
  if (apartMs <= mostApartMs) return [ok(about, 'The clocks agree.')];
  const text = `Its clock and the one here are ${Math.round(apartMs / 1000)} seconds apart.`;
  return [
    warning(about, text, 'Set the one that is wrong: one-time codes fail, and ages of events are misjudged.'),
  ];
}
