import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { appLog } from '../../src/functions/log.ts';

const levels = ['info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];
afterEach(() => vi.restoreAllMocks());

/** What the platform makes of a line on stderr that belongs to no invocation. */
function levelByWords(line: string): Level[] {
  const words = { error: /error|fail|severe/i, warn: /warn/i };
  const found = (['error', 'warn'] as const).filter((level) => words[level].test(line));
  return found.length === 0 ? ['info'] : found;
}

function logged(...[level, name, fields]: Parameters<typeof appLog>): string {
  const print = vi.spyOn(console, level).mockImplementation(() => undefined);
  appLog(level, name, fields);
  const [line] = print.mock.calls.at(-1) ?? [];
  return String(line);
}

it('says that the settings are faulty in words that make an error of it', () => {
  const line = logged('error', 'settings-faulty', { faults: 'SOURCES: must name the sources' });
  expect(levelByWords(line)).toEqual(['error']);
});

it('has in every line the words of its level and of no other, and loses nothing', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'error',
      'FAILED',
      'a warning',
      'Severe',
      'login-refused: wArN',
      '\\u0065rror',
      '\fail',
      '\u000error',
      '\udbfail',
    ),
  );
  const name = fc.constantFrom('settings-warning', 'staff-endpoint-failed', 'settings-faulty', 'event-ended');
  fc.assert(
    fc.property(fc.constantFrom(...levels), name, fc.dictionary(text, text), (level, event, fields) => {
      const line = logged(level, event, fields);
      expect(levelByWords(line)).toEqual([level]);
      expect(JSON.parse(line)).toEqual({ event, ...fields, level });
    }),
  );
});
