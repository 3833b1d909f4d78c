#!/usr/bin/env node
// Runs under whatever Node the machine has: so plain JavaScript, and a Node that cannot read TypeScript hands over to
// the one that this project brings.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const own = fileURLToPath(import.meta.url);

if (process.features.typescript) {
  // What was read as TypeScript once need not be again.
  module.enableCompileCache();
  await import('./main.ts');
} else {
  const modules = join(dirname(own), '..', '..', 'node_modules');
  const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(node)) {
    const child = spawn(node, [own, ...process.argv.slice(2)], { stdio: 'inherit' });
    // Ctrl-C reaches both, and only the command knows what it means.
    process.on('SIGINT', () => undefined);
    process.once('SIGTERM', () => child.kill('SIGTERM'));
    const [status] = await once(child, 'close');
    process.exitCode = status ?? 1;
  } else {
    console.error('Not installed yet: run "npm ci" in the folder of this project, then try again.');
    process.exitCode = 1;
  }
}
