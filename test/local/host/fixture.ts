import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import { spawnHost, startHostProcess, type HostProcess } from '../../support/host-process.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The fixture app as one bundle, made as the real one is. */
async function bundleFixture(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'host-fixture-'));
  folders.push(folder);
  const outfile = join(folder, 'app.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '..', '..', 'fixtures', 'host-app.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['@azure/functions-core'],
  });
  return outfile;
}

let bundle: Promise<string> | undefined;

const settings = {
  SOURCES: 'archive',
  SOURCE_ARCHIVE_KIND: 'preservica',
  SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

/** A host that serves the fixture app. */
export async function startFixture(env: Readonly<Record<string, string>> = {}): Promise<HostProcess> {
  bundle ??= bundleFixture();
  return await startHostProcess({ env: { ...settings, ...env }, bundle: await bundle });
}

export async function spawnFixture(
  env: Readonly<Record<string, string>>,
  port?: number,
): Promise<HostProcess> {
  bundle ??= bundleFixture();
  const given = port === undefined ? {} : { port };
  return spawnHost({ env: { ...settings, ...env }, bundle: await bundle, ...given });
}
