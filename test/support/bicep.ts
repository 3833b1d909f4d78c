import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');
export const infra = join(root, 'infra');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(file: string, args: readonly string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile(file, [...args], { maxBuffer: 67_108_864 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });
}

/** The Bicep compiler of this machine, or the one that NuGet has; undefined where there is neither. */
export async function bicepCompiler(): Promise<((args: readonly string[]) => Promise<Ran>) | undefined> {
  if ((await run('bicep', ['--version'])).code === 0) return async (args) => await run('bicep', args);
  const packages = join(root, '.local', 'bicep');
  const restored = await run('dotnet', ['restore', join(infra, 'bicep.csproj'), '--packages', packages]);
  await rm(join(infra, 'obj'), { recursive: true, force: true });
  if (restored.code === 0) {
    const versions = join(packages, 'azure.bicep.commandline.linux-x64');
    const [version = ''] = await readdir(versions);
    const file = join(versions, version, 'tools', 'bicep');
    await chmod(file, 0o755);
    return async (args) => await run(file, args);
  }
  if ((await run('az', ['bicep', 'version'])).code === 0)
    return async ([command = '', ...args]) => await run('az', ['bicep', command, ...args]);
  if (process.env['CI'] === 'true') throw new Error(`There is no Bicep compiler: ${restored.stderr}`);
  console.warn('THE TEMPLATES ARE NOT TESTED: there is no bicep, no dotnet that reaches NuGet, and no az.');
  return undefined;
}

const Resource = z.looseObject({
  type: z.string(),
  name: z.string(),
  id: z.string().optional(),
  scope: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof Resource>;
const Snapshot = z.object({ predictedResources: z.array(Resource), diagnostics: z.array(z.unknown()) });

/** The resources that a deployment of the template with these parameters would make, in Bicep's own notation. */
export async function predicted(
  bicep: NonNullable<Awaited<ReturnType<typeof bicepCompiler>>>,
  parameters: string,
): Promise<Resource[]> {
  // Bicep takes no absolute path, so it must be on the same disk.
  await mkdir(join(root, '.local'), { recursive: true });
  const folder = await mkdtemp(join(root, '.local', 'parameters-'));
  try {
    const file = join(folder, 'given.bicepparam');
    await writeFile(file, `using '../../infra/main.bicep'\n${parameters}\n`);
    const place = ['--subscription-id', '00000000-0000-0000-0000-000000000001', '--resource-group', 'rg'];
    const ran = await bicep(['snapshot', file, ...place, '--location', 'westeurope']);
    if (ran.code !== 0) throw new Error(ran.stderr);
    const snapshot = Snapshot.parse(JSON.parse(await readFile(join(folder, 'given.snapshot.json'), 'utf8')));
    if (snapshot.diagnostics.length > 0) throw new Error(JSON.stringify(snapshot.diagnostics));
    return snapshot.predictedResources;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
