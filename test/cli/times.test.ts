import { describe, expect, it } from 'vitest';
import { shortTime, timeMeant, wholeTime } from '../../src/cli/times.ts';

describe('a time that a table shows', () => {
  const at = '2026-01-05T09:08:07.000Z';

  it.each([
    ['to the second', wholeTime(at), at],
    ['to the minute', shortTime(at, new Date()), '2026-01-05T09:08:00.000Z'],
  ])('can be typed as it stands there: %s', (_name, shown, meant) => {
    expect(timeMeant('--from', shown, 'from its beginning')).toBe(meant);
  });

  it('can be typed where it is of today', () => {
    const now = new Date();
    now.setSeconds(0, 0);
    expect(timeMeant('--from', shortTime(now.toISOString(), now), 'from its beginning')).toBe(
      now.toISOString(),
    );
  });

  it.each([['25:00'], ['09:8'], ['2026-13-05 09:08'], ['tomorrow']])('is not %s', (text) => {
    expect(() => timeMeant('--from', text, 'from its beginning')).toThrow(/Examples: .*yesterday/);
  });
});
