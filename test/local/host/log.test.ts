import { expect, it } from 'vitest';
import { hostLog, inWords } from '../../../src/local/host/log.ts';

it('a line of the app is told in words to a person, and as it is to a program', () => {
  const line =
    '{"event":"event-ended","source":"archive","code":null,"lagMs":96,"error":"the table is away"}';
  const words = 'event-ended source=archive lagMs=96 error="the table is away"';
  for (const [forPeople, expected] of [
    [true, words],
    [false, line],
  ] as const) {
    let said = '';
    const log = hostLog(
      { lines: (text) => (said += text), problems: (text) => (said += text) },
      { forPeople },
    );
    log.app('information', line);
    log.flush();
    expect(said).toBe(`${expected}\n`);
  }
});

it.each(['{"event":', '{"event":1}', 'Listening on http://127.0.0.1:7071', '[]'])(
  '%s is told as it is',
  (line) => {
    expect(inWords(line)).toBe(line);
  },
);
