import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const { engines, scripts, devDependencies } = JSON.parse(read('package.json')) as {
  engines: { node: string };
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};
const workflow = read('.github/workflows/ci.yml');
const commands = [...workflow.matchAll(/^ *- run: (.+)$/gm)].map(([, command = '']) => command);

/** What a command line starts: the name of an npm script, else the files of this project that it names. */
function startedBy(line: string): { script?: string; files: string[] } {
  const [, script] = /^npm (?:run )?([a-z:-]+)/.exec(line) ?? [];
  const files = line.split(' ').filter((word) => /^(?:src|test)\//.test(word));
  return script === undefined ? { files } : { script, files };
}

describe('the Node that is wanted', () => {
  const major = (version: string): number => Number(/\d+/.exec(version)?.[0]);
  const tested = JSON.parse(/node: (\[[\d, ]+\])/.exec(workflow)?.[1] ?? '[]') as number[];

  it('is what package.json says, up to the one that the app runs under: CI has both', () => {
    expect(tested).toEqual([major(engines.node), major(devDependencies['node'] ?? '')]);
  });

  it('is what the bundle is made for', () => {
    expect(read('src/local/build.ts')).toContain(`target: 'node${major(engines.node)}'`);
  });

  it.each(['src/cli/asset-webhooks.mjs', 'src/local/install.mjs'])('is named by no number in %s', (file) => {
    expect(read(file)).not.toMatch(/\bv?\d{2}\.\d+|\bNode(?:\.js)? \d/);
  });
});

describe('the workflow', () => {
  it('calls commands of the README', () => {
    const readme = read('README.md');
    expect(commands.map((line) => startedBy(line).script)).toContain('test');
    for (const line of commands) {
      const { script, files } = startedBy(line);
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
      expect(readme).toContain(script === undefined ? (files[0] ?? line) : line);
      for (const file of files) expect(`${file} ${existsSync(join(root, file))}`).toBe(`${file} true`);
    }
  });

  it('may read, takes actions of one major version each, and ends', () => {
    expect(/^permissions:\n((?: +.+\n)+)/m.exec(workflow)?.[1]).toBe('  contents: read\n');
    const actions = [...workflow.matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action);
    expect(actions.length).toBeGreaterThan(1);
    for (const action of actions) expect(action).toMatch(/^actions\/[a-z-]+@v\d+$/);
    expect(workflow).toMatch(/^concurrency:$/m);
    expect(workflow).toMatch(/timeout-minutes: \d+/);
  });
});

describe("the editor's files", () => {
  const { configurations } = JSON.parse(read('.vscode/launch.json')) as {
    configurations: { name: string; runtimeExecutable: string; runtimeArgs: string[] }[];
  };
  const { tasks } = JSON.parse(read('.vscode/tasks.json')) as {
    tasks: { label: string; script?: string; command?: string }[];
  };

  it.each(configurations.map(({ name, ...rest }) => [name, rest] as const))(
    'debug with what is there: %s',
    (_name, { runtimeExecutable, runtimeArgs }) => {
      const { script, files } = startedBy([runtimeExecutable, ...runtimeArgs].join(' '));
      if (runtimeExecutable === 'npm') expect(Object.keys(scripts)).toContain(script);
      else expect(existsSync(join(root, 'node_modules', '.bin', runtimeArgs[0] ?? ''))).toBe(true);
      for (const file of files) expect(`${file} ${existsSync(join(root, file))}`).toBe(`${file} true`);
    },
  );

  it.each(tasks.map(({ label, ...rest }) => [label, rest] as const))(
    'run what is there: %s',
    (_label, { script, command = '' }) => {
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
      else expect(read('README.md')).toContain(command);
    },
  );

  it('agree with the formatter', async () => {
    const { printWidth } = JSON.parse(read('.prettierrc.json')) as { printWidth: number };
    expect(read('.editorconfig')).toContain(`\nmax_line_length = ${printWidth}\n`);
    for (const file of ['src/index.ts', 'package.json', '.github/workflows/ci.yml']) {
      const path = join(root, file);
      const both = await resolveConfig(path, { editorconfig: true });
      expect(both).toEqual({
        // What the formatter does by itself, and the editor is told.
        endOfLine: 'lf',
        tabWidth: 2,
        useTabs: false,
        ...(await resolveConfig(path, { editorconfig: false })),
      });
    }
  });
});
