// Runs under whatever Node the machine has, before anything is installed: so plain JavaScript and nothing but Node. Installs
// what is missing, and then runs the file that it is given, under a Node that reads TypeScript.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const modules = join(root, 'node_modules');
const installed = join(modules, '.package-lock.json');
const wanted = join(root, 'package-lock.json');
const windows = process.platform === 'win32';

// Who ended npm, or the shell between it and us, meant us too; not every shell passes that on.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, 500).unref();

const current = existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
if (!current) {
  console.log('Installing what this project needs (npm ci); this takes a minute or two the first time.');
  const ci = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, error } = await ended(windows ? 'npm.cmd' : 'npm', ci, { shell: windows });
  if (code !== 0) {
    console.error(
      `The installation failed${error ? `: ${error.message}` : ''}. Is the npm registry reachable? Try "npm ci" to see what it says.`,
    );
    process.exit(1);
  }
}

const [file, ...given] = process.argv.slice(2);
if (file !== undefined) {
  const path = resolve(root, file);
  if (process.features.typescript) {
    process.argv = [process.execPath, path, ...given];
    await import(pathToFileURL(path).href);
  } else {
    const node = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');
    const { code } = await ended(node, [path, ...given]);
    process.exit(code ?? 1);
  }
}

/** Runs a program to its end, and ends it where we are to end; Ctrl-C reaches it by itself. */
async function ended(program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options });
  const pass = () => child.kill('SIGTERM');
  const wait = () => undefined;
  process.on('SIGTERM', pass).on('SIGINT', wait);
  try {
    return await new Promise((settle) => {
      child.once('error', (error) => settle({ code: 1, error }));
      child.once('exit', (code) => settle({ code }));
    });
  } finally {
    process.off('SIGTERM', pass).off('SIGINT', wait);
  }
}
