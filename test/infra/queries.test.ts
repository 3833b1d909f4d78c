import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { logLines } from '../../src/pipeline/ports/log.ts';
import { infra } from '../support/bicep.ts';

const Workbook = z.object({
  items: z.array(
    z.looseObject({ name: z.string(), content: z.looseObject({ query: z.string().optional() }) }),
  ),
});

const workbook = Workbook.parse(JSON.parse(readFileSync(join(infra, 'workbook.json'), 'utf8')));
const queries = [
  ...globSync(join(infra, 'queries', '*.kql')).map((file) => ({
    name: basename(file),
    query: readFileSync(file, 'utf8'),
  })),
  ...workbook.items.flatMap(({ name, content: { query } }) =>
    query === undefined ? [] : [{ name: `workbook: ${name}`, query }],
  ),
];

/** The log lines that a query looks at, and the fields of theirs that it uses. */
function usedBy(query: string): { events: string[]; fields: string[] } {
  const named = [...query.matchAll(/\bevent (?:==|in) (?:"([^"]+)"|\(([^)]+)\))/g)];
  const events = named.flatMap(([, one, many]) =>
    one === undefined ? [...(many ?? '').matchAll(/"([^"]+)"/g)].map(([, name = '']) => name) : [one],
  );
  const fields = [...query.matchAll(/\bline\.(\w+)/g)].map(([, field = '']) => field);
  return { events, fields };
}

describe('a query', () => {
  const table: Readonly<Record<string, readonly string[]>> = logLines;

  it('is there for each alert and most of the workbook', () => {
    expect(queries.length).toBeGreaterThan(18);
  });

  const ofLines = queries.filter(({ query }) => query.includes('AppTraces'));

  it.each(queries.filter((each) => !ofLines.includes(each)))(
    '$name looks at what spans of calls to a source have',
    ({ query }) => {
      expect(query).toMatch(/^AppDependencies$/m);
      const code = readFileSync(join(infra, '..', 'src', 'sources', 'http-call.ts'), 'utf8');
      const used = [...query.matchAll(/Properties\["([^"]+)"\]/g)].map(([, name = '']) => name);
      expect(used.length).toBeGreaterThan(0);
      for (const name of used) expect(code).toContain(`'${name}'`);
    },
  );

  it.each(ofLines)('$name looks at lines that the app writes, and at fields that they have', ({ query }) => {
    const { events, fields } = usedBy(query);
    expect(events.length).toBeGreaterThan(0);
    expect(events.filter((event) => !Object.hasOwn(table, event))).toEqual([]);
    const known = new Set(events.flatMap((event) => table[event] ?? []));
    expect(fields.filter((field) => !known.has(field))).toEqual([]);
    // Other ways to say the same would go unseen here.
    expect(query).not.toMatch(/line\[|Properties|bag_unpack/);
    expect(query).toMatch(/^AppTraces$/m);
    expect(query).toContain(`where Message startswith '{"event":'`);
  });

  it('that names another field is found', () => {
    const { events, fields } = usedBy('| where event == "event-ended"\n| extend a = tostring(line.eventID)');
    expect({ events, fields }).toEqual({ events: ['event-ended'], fields: ['eventID'] });
    expect(table['event-ended']).not.toContain('eventID');
  });
});
