import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '../src/cli/program.ts';
import { actionSettingNames } from '../src/actions/settings.ts';
import { appSettings, readConfig, sourceSettings } from '../src/config.ts';
import { eventStates } from '../src/pipeline/model/ledger.ts';
import { reasonCodes } from '../src/pipeline/model/reason-codes.ts';
import { placeholders } from '../src/pipeline/ports/setting-values.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');

/** The rows of the table whose head begins with that word: the cells of each. */
function table(firstHead: string): string[][] {
  const lines = readme.split('\n');
  const head = lines.findIndex((line) => new RegExp(`^\\|\\s*${firstHead}\\s*\\|`).test(line));
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The source code of those files as one text. */
const code = (...patterns: string[]): string =>
  globSync(patterns, { cwd: root }).toSorted().map(read).join('\n');

/** The README without its code blocks. */
const prose = readme.replaceAll(/^( *)```.*?^\1```/gms, '').replaceAll(/^ {4,}.*$/gm, '');

/** The words of every command that does something. */
function leaves(command: Command): string[][] {
  if (command.commands.length === 0) return [[]];
  return command.commands.flatMap((each) => leaves(each).map((rest) => [each.name(), ...rest]));
}

const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside);

const byText = (one: string, other: string): number => (one < other ? -1 : 1);

describe('the README', () => {
  it('names every setting that the code knows, and no other', () => {
    const told = table('setting').map(([name = '']) => quoted(name)[0]);
    const known = [
      'AzureWebJobsStorage',
      ...Object.keys(appSettings.shape),
      ...Object.keys(sourceSettings).map((name) => `SOURCE_<NAME>_${name}`),
    ];
    expect(new Set(told)).toEqual(new Set(known));
    expect(told).toHaveLength(known.length);
  });

  it('names every setting of an action, and no other', () => {
    const told = table('action setting').flatMap(([names = '']) => quoted(names));
    expect(told.toSorted(byText)).toEqual(
      actionSettingNames.map((name) => `ACTION_<NAME>_${name}`).toSorted(byText),
    );
  });

  it('tells the defaults that the code has', () => {
    const defaults = new Map(
      table('setting').map(([name = '', value = '']) => [quoted(name)[0] ?? '', value]),
    );
    for (const [name, schema] of Object.entries(appSettings.shape)) {
      const found = schema.safeParse(undefined).data as string | number | number[] | undefined;
      const expected = found === undefined ? (name === 'SOURCES' ? '–' : 'none') : String(found);
      expect(`${name} ${defaults.get(name)}`).toBe(`${name} ${expected}`);
    }
    expect(defaults.get('SOURCE_<NAME>_HANDSHAKE')).toBe(sourceSettings['HANDSHAKE']?.parse(undefined));
  });

  it('names every parameter of the deployment, with its default', () => {
    const parameters = [
      ...read('infra/main.bicep').matchAll(/^param (\w+) (?:\w+(?:\[\])?\??|\([^)]*\))(?: = (.+))?$/gm),
    ];
    const told = table('parameter').flatMap(([names = '', defaults = '']) => {
      const values = defaults.split(', ');
      return quoted(names).map((name, index) => [name, values[index] ?? ''] as const);
    });
    expect(new Set(told.map(([name]) => name))).toEqual(new Set(parameters.map(([, name]) => name)));
    for (const [, name, value] of parameters) {
      const said = new Map(told).get(name ?? '');
      if (value !== undefined && /^['\d]/.test(value))
        expect(`${name} ${said}`).toBe(`${name} ${value.replaceAll("'", '')}`);
    }
  });

  it('names every door, with its methods and whose key opens it', async () => {
    // The table of doors loads the platform's library, which only its own loader may; its text is what counts here.
    const doors = [
      ...read('src/functions/http-routes.ts').matchAll(
        /route: '([^']+)',\s*methods: \[([^\]]+)\],\s*authLevel: '(\w+)'/g,
      ),
    ].map(([, route = '', methods = '', level = '']) => `${methods.replaceAll("'", '')} /${route} ${level}`);
    const told = table('route').map(([route = '', who = '']) => {
      const level = who.includes('function key') ? 'function' : 'anonymous';
      return `${quoted(route)[0]} ${level}`;
    });
    expect(new Set(told)).toEqual(new Set(doors));
  });

  it('names every state of an event', () => {
    expect(table('state').map(([state = '']) => quoted(state)[0])).toEqual([...eventStates]);
  });

  it('says of every reason beside which states it stands, and names no other', () => {
    const told = table('reason').map(([reason = '', states = '']) => [quoted(reason)[0], quoted(states)]);
    const codes = new Set(eventStates.flatMap((state): string[] => [...reasonCodes[state]]));
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(
        [...codes].map((reason) => [
          reason,
          eventStates.filter((state) => [...reasonCodes[state]].some((each) => each === reason)),
        ]),
      ),
    );
    expect(told).toHaveLength(codes.size);
  });

  it('names every reason for which a call is refused, and no other', () => {
    const judging = code(
      'src/pipeline/ports/receiver.ts',
      'src/pipeline/accept/verify-call.ts',
      'src/sources/*/receiver.ts',
    );
    const whys = [...judging.matchAll(/why: ((?:'[a-z-]+'(?: \| )?)+)/g)].flatMap(([, list = '']) =>
      list.split(' | ').map((each) => each.replaceAll("'", '')),
    );
    const door = read('src/functions/webhooks.ts');
    const own = [...door.matchAll(/refused\([^;]*?, '([a-z-]+)'\)/g)].map(([, why = '']) => why);
    const told = table('answer').flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z-]+)`(\*?)/g)]);
    const unmarked = told.filter(([, , mark]) => mark === '').map(([, why]) => why);
    expect(new Set(unmarked)).toEqual(new Set([...whys, ...own]));
  });

  it('names every line that the log has as a warning or an error', () => {
    const app = code('src/index.ts', 'src/{functions,pipeline,sources,secrets,azure}/**/*.ts');
    const lines = [...app.matchAll(/[lL]og(?:Of\(context\))?\(\s*'(?:warn|error)',\s*'([a-z-]+)'/g)].map(
      ([, name = '']) => name,
    );
    const refusals = [...read('src/functions/webhooks.ts').matchAll(/name: '([a-z-]+)'/g)].map(
      ([, name = '']) => name,
    );
    const atInfo = ['delivery-kept', 'secret-kept', 'handshake-answered'];
    expect(lines.length).toBeGreaterThan(10);
    for (const name of [...lines, ...refusals].filter((each) => !atInfo.includes(each)))
      expect(quoted(prose)).toContain(name);
    const told = table('line').flatMap(([names = '']) => quoted(names));
    for (const name of told) expect(app).toContain(`'${name}'`);
  });

  it('names every metric, and no other', () => {
    const instruments = [
      ...read('src/functions/measure-line.ts').matchAll(
        /(?:counter\(|asset_webhooks\.)[`']?([a-z_.]{4,})['`]/g,
      ),
      ...read('src/pipeline/ports/telemetry.ts').matchAll(/'asset_webhooks\.([a-z_.]+)', \{ desc/g),
    ].map(([, name]) => name);
    expect(instruments.length).toBeGreaterThan(10);
    const told = new Set([...readme.matchAll(/`asset_webhooks\.([a-z_.]+)`/g)].map(([, name]) => name));
    expect(told).toEqual(new Set(instruments));
  });

  it('names every command of asset-webhooks, and no other', () => {
    const told = table('command').flatMap(([commands = '']) =>
      quoted(commands).map((each) => each.replaceAll(/ (?:[A-Z-].*)$/g, '')),
    );
    const known = leaves(program()).map((names) => names.join(' '));
    expect(new Set(told)).toEqual(new Set(known));
    const examples = [...readme.matchAll(/node src\/cli ([^`\n]+)/g)].map(([, words = '']) => words);
    for (const words of examples.filter((each) => each !== '…'))
      expect(
        known.some((name) => words.replaceAll(/ --(?:username [A-Z]+|password-stdin)/g, '').startsWith(name)),
      ).toBe(true);
  });

  it('names only npm commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run ([a-z:-]+)|(start|test)\b)/g)].map(
      ([, run, own]) => run ?? own ?? '',
    );
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('names only files that are there', () => {
    const paths = [...readme.matchAll(/(?<![\w/.-])(?:src|test)\/[\w./-]*/g)].map(([path]) => path);
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) expect(`${path} ${existsSync(join(root, path))}`).toBe(`${path} true`);
  });

  it('lists its chapters at the top, and links only to headings', () => {
    const headings = [...readme.matchAll(/^(#{2,3}) (.+)$/gm)].map(([, level = '', title = '']) => ({
      chapter: level === '##',
      title,
      // As GitHub makes them.
      anchor: `#${title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
    }));
    const contents = /^## Contents\n\n((?:- .+\n)+)/m.exec(readme)?.[1] ?? '';
    const chapters = headings.filter(({ chapter, title }) => chapter && title !== 'Contents');
    expect(contents).toBe(chapters.map(({ title, anchor }) => `- [${title}](${anchor})\n`).join(''));
    const links = [...readme.matchAll(/\]\((#[^)]+)\)/g)].map(([, link = '']) => link);
    for (const link of links) expect(headings.map(({ anchor }) => anchor)).toContain(link);
    expect(new Set(headings.map(({ anchor }) => anchor)).size).toBe(headings.length);
  });

  it.each(['source', 'delivery', 'event', 'record', 'ledger', 'handshake', 'window', 'lease', 'folded'])(
    'explains %s where the word first stands',
    (word) => {
      const [first] = new RegExp(`\\**\\b${word}\\b\\**`, 'i').exec(prose) ?? [];
      expect(first).toBe(`**${word}**`);
    },
  );

  it('fills no table with blanks', () => {
    for (const line of readme.split('\n').filter((each) => each.startsWith('|')))
      expect(line).not.toMatch(/ {2}|-{4}/);
    expect(read('.prettierignore').split('\n')).toContain('README.md');
  });

  it('wants the Node that package.json wants, and names no other', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const told = [...readme.matchAll(/Node(?:\.js)? v?(\d[\d.]*)/g)].map(([, version]) => version);
    expect(told.map((version) => `>=${version}`)).toEqual([engines.node]);
  });
});

describe('the example settings', () => {
  it('are settings that the app takes', () => {
    const { Values } = JSON.parse(read('local.settings.json.example')) as { Values: Record<string, string> };
    const chosen = Object.entries(Values).map(([name, value]) => [
      name,
      placeholders.includes(value) ? 'of our own choice' : value,
    ]);
    expect(readConfig(Object.fromEntries(chosen))).toMatchObject({ ok: true, warnings: [] });
    const known = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage', ...Object.keys(appSettings.shape)];
    const own = Object.keys(sourceSettings).map((name) => `SOURCE_ARCHIVE_${name}`);
    for (const name of Object.keys(Values)) expect([...known, ...own]).toContain(name);
  });

  it('are faulty until a secret and a password are chosen', () => {
    const { Values } = JSON.parse(read('local.settings.json.example')) as { Values: Record<string, string> };
    const settings = readConfig(Values);
    const named = settings.ok ? [] : settings.faults.map((fault) => fault.split(':')[0]);
    expect(named).toEqual(['SOURCE_ARCHIVE_SECRET', 'SOURCE_ARCHIVE_PASSWORD']);
  });
});

describe('what is committed', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

  it('has nothing at the top that does not belong there', () => {
    const top = new Set(
      files.map((file) => file.split('/')[0] ?? '').filter((name) => !name.startsWith('.')),
    );
    const allowed = [
      'LICENSE',
      'README.md',
      'host.json',
      'infra',
      'local.settings.json.example',
      'package-lock.json',
      'package.json',
      'src',
      'test',
      'tsconfig.json',
    ];
    expect([...top].filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it('is not disturbed by what storage leaves in the folder where it was started', () => {
    const left = ['__azurite_db_blob__.json', '__blobstorage__/x', '__queuestorage__/x', 'AzuriteConfig'];
    const ignored = execFileSync('git', ['check-ignore', ...left], { cwd: root, encoding: 'utf8' });
    expect(ignored.trim().split('\n')).toEqual(left);
  });

  it('names no package registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
    expect(read('.npmrc')).not.toMatch(/registry\s*=/);
  });

  it('reads the environment in one place only, of the app and of the command', () => {
    const readers = files.filter(
      (name) => /^src\/(?!local\/).*\.ts$/.test(name) && /process\.env|terminal\(\)\.env/.test(read(name)),
    );
    expect(readers).toEqual(['src/cli/setup.ts', 'src/index.ts']);
  });
});
