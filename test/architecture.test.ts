import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((name) => /\.m?ts$|\.mjs$/.test(name) && existsSync(join(root, name)));

/** Which rooms a room may import beside itself. A room of `pipeline/` stands with its path. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'pipeline/model': [],
  'pipeline/ports': ['pipeline/model'],
  'pipeline/accept': ['pipeline'],
  'pipeline/process': ['pipeline'],
  'pipeline/dead-letter': ['pipeline'],
  'pipeline/concurrency': ['pipeline'],
  functions: ['pipeline'],
  sources: ['pipeline'],
  actions: ['pipeline'],
  publishing: ['pipeline'],
  secrets: ['pipeline'],
  azure: ['pipeline'],
  cli: ['sources', 'secrets', 'pipeline'],
  'index.ts': ['config.ts', 'functions', 'pipeline', 'sources', 'actions', 'publishing', 'secrets', 'azure'],
  'config.ts': ['pipeline', 'sources', 'actions', 'unknown-settings.ts'],
  'unknown-settings.ts': [],
  'local-settings.ts': ['pipeline'],
};

/** Imports that go beside the arrows, and why each one may. */
const exceptions: Readonly<Record<string, string>> = {
  'cli -> config.ts': 'the command reads the same settings as the app',
  'cli -> local-settings.ts': 'it reads them from the same file as the app does on this machine',
  'cli -> azure/credential.ts': 'where staff sign in, it asks as whoever is signed in on this machine',
  'cli -> azure/key-vault.ts': 'it keeps and reads secrets in the same vault as the app',
  'config.ts -> azure/storage-clients.ts': 'the form of the storage settings, as a type',
};

/** The room that a file of `src/` is in. */
function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/').slice(1);
  return first === 'pipeline' ? `${first}/${second}` : first;
}

/** Every import of a file that leads to another one here: static ones, dynamic ones, and those of types. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+)['"](\.{1,2}\/[^'"]+)['"]/gm);
  return [...found]
    .map(([, path = '']) => join(dirname(file), path))
    .filter((path) => path.startsWith('src/'));
}

function isAllowed(from: string, to: string): boolean {
  return from === to || (arrows[from] ?? []).some((room) => to === room || to.startsWith(`${room}/`));
}

const besideArrows = files
  .filter((file) => roomOf(file) !== 'local')
  .flatMap((file) =>
    importsOf(file)
      .filter((path) => !isAllowed(roomOf(file), roomOf(path)))
      .map((path) => ({
        arrow: `${roomOf(file)} -> ${path.slice('src/'.length)}`,
        at: `${file} imports ${path}`,
      })),
  );

describe('the rooms of src/', () => {
  it('are those that have arrows, and local/', () => {
    const rooms = new Set(files.map(roomOf).filter((room) => room !== 'local'));
    expect([...rooms].filter((room) => !(room in arrows))).toEqual([]);
  });

  it('import along the arrows only, or by an exception that has a reason', () => {
    expect(besideArrows.filter(({ arrow }) => !(arrow in exceptions)).map(({ at }) => at)).toEqual([]);
  });

  it('need every exception that is listed', () => {
    const used = new Set(besideArrows.map(({ arrow }) => arrow));
    expect(Object.keys(exceptions).filter((arrow) => !used.has(arrow))).toEqual([]);
  });

  it('are read whole: imports of values, of types, and those made later', () => {
    expect(importsOf('src/index.ts')).toContain('src/config.ts');
    expect(importsOf('src/sources/preservica/index.ts')).toEqual(
      expect.arrayContaining([
        'src/pipeline/ports/source-kind.ts',
        'src/sources/preservica/client.ts',
        'src/sources/preservica/receiver.ts',
      ]),
    );
  });
});

it('no comment cites a document that the repository does not hold', () => {
  const cited =
    /\b[Ss]ections? \d|\b[Pp]romises? \d|\b[Ff]acts? \d|\breference\/|\bdesign\.md|functions-host/;
  const lines = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((line, index) => ({ line, at: `${file}:${index + 1}` })),
  );
  expect(lines.filter(({ line }) => cited.test(line)).map(({ at }) => at)).toEqual([]);
});
