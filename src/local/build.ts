import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { patchLibrary } from './patch-library.ts';

const root = join(import.meta.dirname, '..', '..');
const bundle = join(root, 'dist', 'index.js');

/**
 * Makes `dist/index.js`: one CommonJS file with everything in it but `@azure/functions-core`, which the platform
 * gives only to its own `require`. The file appears whole or not at all, also when several builds run at once. Another
 * `outfile` and further `plugins` make another app of the same sources.
 */
export async function buildApp({
  outfile = bundle,
  plugins = [],
}: { outfile?: string; plugins?: Plugin[] } = {}): Promise<string> {
  const unfinished = `.${process.pid}.tmp`;
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src', 'index.ts')],
    outfile,
    write: false,
    bundle: true,
    minify: true,
    // Only a debugger reads it: the files that it names are on this machine.
    sourcemap: 'linked',
    sourcesContent: false,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['@azure/functions-core'],
    plugins: [patchLibrary, ...plugins],
    // One of the SDKs asks for its own address, which CommonJS does not have.
    banner: { js: "const importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'importMetaUrl' },
    logLevel: 'warning',
    absWorkingDir: root,
  });
  await mkdir(dirname(outfile), { recursive: true });
  // The bundle last: with it, all is there.
  const files = outputFiles.toSorted((a, b) => Number(a.path === outfile) - Number(b.path === outfile));
  for (const { path, contents } of files) {
    try {
      await writeFile(path + unfinished, contents);
      await rename(path + unfinished, path);
    } finally {
      await rm(path + unfinished, { force: true });
    }
  }
  return outfile;
}

/** The bundle's path; builds it first where it is missing or older than the sources. */
export async function ensureBuilt(): Promise<string> {
  const built = await stat(bundle).then(
    (found) => found.mtimeMs,
    () => 0,
  );
  const newest = await newestChange(join(root, 'src'));
  const lock = await stat(join(root, 'package-lock.json')).then(
    (found) => found.mtimeMs,
    () => 0,
  );
  return built > Math.max(newest, lock) ? bundle : await buildApp();
}

async function newestChange(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const times = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(join(file.parentPath, file.name))).mtimeMs),
  );
  return Math.max(0, ...times);
}

// Also where `install.mjs` has put this file in its own place.
if (process.argv[1] === import.meta.filename) await buildApp();
