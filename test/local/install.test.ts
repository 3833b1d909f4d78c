import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { makeClone } from './start/clone.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

it.each(['start', 'try', 'host', 'storage', 'build', 'bench', 'check', 'format', 'test'])(
  'npm run %s installs first what is missing',
  async (name) => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts[name]).toMatch(/^node src\/local\/install\.mjs\b/);
  },
);

it('a fresh clone is installed once, and then does what was asked', async () => {
  const folder = await makeClone();
  await rm(join(folder, 'node_modules'));
  const programs = join(folder, 'programs');
  await mkdir(programs);
  const npm = join(programs, 'npm');
  await writeFile(npm, `#!/bin/sh\necho "npm $*"\nln -s '${join(root, 'node_modules')}' node_modules\n`);
  await chmod(npm, 0o755);
  const build = async () =>
    await run(process.execPath, ['src/local/install.mjs', 'src/local/build.ts'], {
      cwd: folder,
      env: { PATH: [programs, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) },
    });
  expect((await build()).stdout).toMatch(/^npm ci /m);
  expect((await stat(join(folder, 'dist', 'index.js'))).size).toBeGreaterThan(100_000);
  expect((await build()).stdout).toBe('');
});
