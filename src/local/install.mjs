// Runs under whatever Node the machine has, before anything is installed: so plain JavaScript and nothing but Node.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const installed = join(root, 'node_modules', '.package-lock.json');
const wanted = join(root, 'package-lock.json');

const current = existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
if (!current) {
  console.log('Installing what this project needs (npm ci); this takes a minute or two the first time.');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(
      `The installation failed${error ? `: ${error.message}` : ''}. Is the npm registry reachable? Try "npm ci" to see what it says.`,
    );
    process.exit(1);
  }
}
