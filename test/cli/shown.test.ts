import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import stringWidth from 'string-width';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand, type Ran } from '../support/command.ts';

const terminal = 'xterm-256color';
const now = new Date();
const sources = {
  SOURCES: 'archive',
  SOURCE_ARCHIVE_KIND: 'preservica',
  SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
  SOURCE_ARCHIVE_USERNAME: 'app@example.test',
};

function event(id: string, more: object = {}): object {
  return {
    id: id.padEnd(43, '_'),
    source: 'archive',
    type: 'CHANGED_SECURITY_DESCRIPTOR',
    assetId: '00fcabc7-e417-4193-9169-342f04a02646',
    title: 'A title that goes on for longer than any terminal of eighty columns has room for',
    state: 'done',
    reason: null,
    receivedAt: now.toISOString(),
    attempts: 1,
    ...more,
  };
}

/** The address of an app that answers like this. */
async function standIn(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Given {
  readonly columns?: number;
  readonly env?: Record<string, string>;
}

/** Runs a command against an app whose ledger holds these events; the queries that it was asked come beside. */
async function listing(
  events: readonly unknown[],
  args: readonly string[],
  { env = {}, ...given }: Given = {},
  next: string | null = null,
): Promise<Ran & { asked: URLSearchParams[] }> {
  const asked: URLSearchParams[] = [];
  const url = await standIn((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ events, next }));
  });
  const settings = { ...sources, ASSET_WEBHOOKS_URL: url };
  return { ...(await runCommand(args, { env: { ...settings, ...env }, ...given })), asked };
}

const list = ['events', 'list'];
const linesOf = ({ stdout }: Ran): string[] => (stdout.split('\n\n')[0] ?? '').split('\n');

describe('a table', () => {
  const events = [
    event('aaaaaaaaaaaa'),
    event('bbbbbbbbbbbb', { title: '港の写真と古い地図と船の記録と手紙の束と帳面の写し', state: 'failed' }),
  ];

  it.each([60, 80, 100, 140])(
    'is no wider than a terminal of %i columns, its ids cut to what is enough',
    async (columns) => {
      const ran = await listing(events, list, { columns });
      const lines = linesOf(ran);
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines[1]).toMatch(/^a{10}/);
      expect(lines[1]).toContain('…');
    },
  );

  it('shows the cells of a row below each other where there is no room for columns', async () => {
    const ran = await listing(events, list, { columns: 40 });
    expect(ran.stdout).toMatch(/^id +a{12}_{31}\nreceived +\S+\nsource +archive\n/);
    expect(ran.stdout).toMatch(/\n\nid +b{12}_{31}\n/);
  });

  it('has its columns below each other, whatever its letters', async () => {
    const lines = linesOf(await listing(events, ['events', 'list'], { columns: 500 }));
    const short = await listing([event('c', { title: '港' }), event('d')], ['events', 'list'], {
      columns: 500,
    });
    const widthUntil = (line: string, text: string): number => stringWidth(line.slice(0, line.indexOf(text)));
    for (const [head = '', ...rows] of [lines, linesOf(short)])
      for (const row of rows) expect(widthUntil(row, 'CHANGED')).toBe(widthUntil(head, 'TYPE'));
  });

  it('is whole where nobody looks at it, and as wide as COLUMNS says', async () => {
    const piped = await listing(events, list);
    expect(piped.stdout).toContain('b'.repeat(12) + '_'.repeat(31));
    expect(piped.stdout).toContain('any terminal of eighty columns has room for');
    const told = await listing(events, list, { env: { COLUMNS: '70' } });
    for (const line of linesOf(told)) expect(stringWidth(line)).toBeLessThanOrEqual(70);
  });
});

describe('colours', () => {
  const events = [event('a', { state: 'failed', title: '\u001b[32mgreen\u001b[39m' })];
  const red = '\u001b[31mfailed\u001b[39m';

  it.each<[string, Given, string[], boolean]>([
    ['on a terminal', { columns: 100, env: { TERM: terminal } }, [], true],
    ['in a pipe', { env: { TERM: terminal } }, [], false],
    ['with NO_COLOR', { columns: 100, env: { TERM: terminal, NO_COLOR: '1' } }, [], false],
    ['with --no-color', { columns: 100, env: { TERM: terminal } }, ['--no-color'], false],
    ['on a dumb terminal', { columns: 100, env: { TERM: 'dumb' } }, [], false],
    ['in a pipe with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, [], true],
    ['as JSON', { columns: 100, env: { TERM: terminal } }, ['--json'], false],
  ])('%s: %j', async (_where, given, more, expected) => {
    const { stdout } = await listing(events, [...list, ...more], given);
    expect(stdout.includes(red)).toBe(expected);
    // Nobody else colours anything.
    expect(stdout.replaceAll(red, '')).not.toContain('\u001b');
  });
});

describe('a list that has more', () => {
  const place = `${'1'.repeat(13)}:${'a'.repeat(43)}`;

  it('says so, and goes on from there', async () => {
    const first = await listing([event('a')], [...list, '--limit', '1'], {}, place);
    expect(first.stdout).toContain(`1 of more: --limit 4, --after ${place}`);
    const { asked } = await listing([event('b')], [...list, '--after', place]);
    expect(asked.map((query) => query.get('after'))).toEqual([place]);
  });

  it('shows the others where one cannot be read', async () => {
    const ran = await listing([event('a'), { id: 7 }, 'odd'], [...list, '--json']);
    expect((ran.json() as { events: object[] }).events).toHaveLength(1);
    expect(ran.stderr).toContain('2 events could not be read');
  });
});

describe('times', () => {
  const two = (value: number): string => String(value).padStart(2, '0');
  const dateOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const midnight = (days: number): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);

  it('are short, and of the zone that is named', async () => {
    const old = new Date(2026, 0, 5, 9, 8, 7);
    const ran = await listing([event('a'), event('b', { receivedAt: old.toISOString() })], list);
    expect(ran.stdout).toContain(` ${two(now.getHours())}:${two(now.getMinutes())} `);
    expect(ran.stdout).toContain(' 2026-01-05 09:08 ');
    expect(ran.stdout).toContain(`Times: ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`);
  });

  it.each<[string, string, Date]>([
    ['--from', '2026-01-05', new Date(2026, 0, 5)],
    ['--from', '2026-01-05T09:30', new Date(2026, 0, 5, 9, 30)],
    ['--from', '2026-01-05T09:30:01Z', new Date(Date.UTC(2026, 0, 5, 9, 30, 1))],
    ['--from', '2026-01-05T09:30:01+02:00', new Date(Date.UTC(2026, 0, 5, 7, 30, 1))],
    ['--from', 'today', midnight(0)],
    ['--from', 'Yesterday', midnight(-1)],
    ['--to', 'yesterday', new Date(midnight(0).getTime() - 1)],
    ['--to', '2026-01-05', new Date(new Date(2026, 0, 6).getTime() - 1)],
    ['--to', '2026-01-05T09:30', new Date(2026, 0, 5, 9, 30)],
  ])('%s understands %s', async (option, given, expected) => {
    const { asked } = await listing([], [...list, option, given]);
    expect(asked.map((query) => query.get(option.slice(2)))).toEqual([expected.toISOString()]);
  });

  it.each([
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
    ['now', 0],
  ])('understands %s', async (given, agoMs) => {
    const before = Date.now();
    const { asked } = await listing([], [...list, '--from', given]);
    const from = Date.parse(asked[0]?.get('from') ?? '');
    expect(from).toBeGreaterThanOrEqual(before - agoMs);
    expect(from).toBeLessThanOrEqual(Date.now() - agoMs);
  });

  it.each(['the day before', '2026-02-31', '5 Jan', '2026', '', '3y', '99999h', '2026-01-05T25:00'])(
    'answers %j with examples',
    async (given) => {
      const ran = await listing([], [...list, '--from', given]);
      expect(ran).toMatchObject({ code: 2, stdout: '', asked: [] });
      for (const example of [dateOf(now), 'yesterday', '2h', '3d']) expect(ran.stderr).toContain(example);
    },
  );
});

describe('events show', () => {
  it('shows members as text, however deep and odd they are', async () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 40; level += 1) deep = { [`level ${level}`]: deep };
    const shown = {
      ...event('a', {
        state: 'waiting',
        reason: { code: 'paused', text: 'Wait.', nextAttemptAt: now.toISOString() },
      }),
      assetKind: 'asset',
      deliveryId: 'd',
      occurredAt: now.toISOString(),
      finishedAt: null,
      duplicates: 0,
      history: [{ at: now.toISOString(), attempt: 0, state: 'waiting', code: 'paused', text: 'Wait.' }],
      data: {
        list: [1, 'two\nlines', { three: null }],
        none: {},
        empty: '',
        'a\u001b[31m\nname': true,
        deep,
      },
    };
    const url = await standIn((_request, response) => response.end(JSON.stringify(shown)));
    const ran = await runCommand(['events', 'show', 'whatever'], {
      env: { ...sources, ASSET_WEBHOOKS_URL: url },
    });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain(
      [
        '  list:',
        '    - 1',
        '    - two',
        '      lines',
        '    -',
        '      three: null',
        '  none: none',
        '  empty: ""',
        '  a\ufffd[31m\ufffdname: true',
        '  deep:',
      ].join('\n'),
    );
    expect(ran.stdout).not.toContain('bottom');
    expect(ran.stdout).toMatch(/^next try +\d{4}-/m);
  });

  it('lists what an ambiguous id may be', async () => {
    const candidates = ['abcd-1', 'abcd-2'];
    const url = await standIn((_request, response) =>
      response.writeHead(404).end(JSON.stringify({ error: 'none', candidates })),
    );
    const ran = await runCommand(['events', 'show', 'abcd'], {
      env: { ...sources, ASSET_WEBHOOKS_URL: url },
    });
    expect(ran).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'Several ids begin with abcd:\n  abcd-1\n  abcd-2\n',
    });
  });
});

describe('a picture', () => {
  it('that is not the one of the record is not saved', async () => {
    const record = {
      v: 1,
      source: 'archive',
      assetId: 'a',
      kind: 'asset',
      title: null,
      links: {},
      details: {},
      thumbnail: { contentType: 'image/png', sizeBytes: 3, width: 1, height: 1, sha256: '0'.repeat(64) },
      thumbnailState: 'stored',
      deleted: false,
      fetchedAt: now.toISOString(),
    };
    const url = await standIn((request, response) =>
      response.end(request.url?.endsWith('/thumbnail') === true ? '<svg/>' : JSON.stringify(record)),
    );
    const ran = await runCommand(['assets', 'show', 'archive', 'a', '--save-thumbnail', '/nowhere/x.png'], {
      env: { ...sources, ASSET_WEBHOOKS_URL: url },
    });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('not the picture that the record names');
  });
});
