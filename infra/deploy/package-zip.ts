import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import * as z from 'zod';

const Own = z.object({ name: z.string(), version: z.string(), main: z.string() });
const root = join(import.meta.dirname, '..', '..');

/** The package that the platform runs, as a zip: the bundle, and what says how it is run. */
export async function packageZip(): Promise<Uint8Array> {
  const own = Own.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return zipSync({
    'host.json': await readFile(join(root, 'host.json')),
    // Without what is in the bundle already: nothing is installed there.
    'package.json': Buffer.from(`${JSON.stringify({ ...own, private: true }, undefined, 2)}\n`),
    'dist/index.js': await readFile(join(root, 'dist', 'index.js')),
  });
}
