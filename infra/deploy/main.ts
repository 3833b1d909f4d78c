import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { buildApp } from '../../src/local/build.ts';
import { Az, DeployError } from './az.ts';
import { changesOf } from './changes.ts';
import { nextSteps, type Deployed } from './next-steps.ts';
import { packageZip } from './package-zip.ts';
import { preflight, recoverVault, type Found, type Target } from './preflight.ts';

const infra = join(import.meta.dirname, '..');
const template = join(infra, 'main.bicep');
const usualParameters = join(infra, 'main.bicepparam');

// The command goes on to ask the app for its state, which it may not reach; the package is there by then.
const packageLimitMs = 600_000;
// Tests wait for less.
const roleWaitMs = Number(process.env['DEPLOY_ROLE_WAIT_MS'] ?? 30_000);
const mostPackageTries = 10;
const healthWithinMs = 300_000;

interface Options {
  readonly resourceGroup: string;
  readonly name: string;
  readonly location?: string;
  readonly parameters?: string;
  readonly yes?: true;
  readonly dryRun?: true;
}

async function deploy(options: Options): Promise<void> {
  const { dryRun } = options;
  const say = (line: string): void => console.log(line);
  const az = new Az({ say, dryRun: dryRun === true });
  const parameters = options.parameters ?? usualParameters;
  if (!existsSync(parameters))
    throw new DeployError(
      `There is no file ${parameters}. Copy infra/example.bicepparam to infra/main.bicepparam, and write your sources into it.`,
    );
  const target = await targetOf(options, parameters, az);
  const found = await preflight(target, az);
  for (const warning of found.warnings) say(`Note: ${warning}`);
  say(`Into the subscription ${found.subscription.name} (${found.subscription.id}), ${found.location}.`);

  await buildApp();
  if (!found.groupExists) await makeGroup(target, found, options, az);
  const what = templateArguments(target, parameters);
  if (found.groupExists || dryRun !== true) {
    const { vaultsToMake } = await showChanges(what, options, az);
    for (const vault of vaultsToMake) await recoverVault(vault, target, az);
  }
  const created = await az.change(
    ['deployment', 'group', 'create', ...what],
    'The resources could not be made',
  );
  if (dryRun === true) {
    await az.change(zipArguments(target, 'app.zip'), '');
    return;
  }
  const deployed = Outputs.parse(JSON.parse(created.stdout)).properties.outputs;
  await deployPackage(target, az, say);
  const app: Deployed = {
    url: deployed.appUrl.value,
    vault: deployed.vaultName.value,
    sources: deployed.sources.value,
  };
  await untilHealthy(app.url, say);
  for (const line of nextSteps(app)) say(line);
}

const text = z.object({ value: z.string() });
const Outputs = z.object({
  properties: z.object({
    outputs: z.object({
      appUrl: text,
      vaultName: text,
      sources: z.object({ value: z.array(z.object({ name: z.string(), kind: z.string() })) }),
    }),
  }),
});

async function targetOf(options: Options, parameters: string, az: Az): Promise<Target> {
  const { resourceGroup, name, location } = options;
  if (!/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/.test(name) || name.includes('--'))
    throw new DeployError(
      '--name must be 2 to 40 lower case letters, digits and hyphens, and begin with a letter: it becomes a part of the address.',
    );
  const given = await parametersIn(parameters, az);
  return {
    resourceGroup,
    name,
    location,
    nodeVersion: typeof given['nodeVersion'] === 'string' ? given['nodeVersion'] : '24',
    wantsNetwork: given['privateNetwork'] != null,
  };
}

/** The values in a file of parameters. Throws a DeployError where it is none. */
async function parametersIn(file: string, az: Az): Promise<Record<string, unknown>> {
  const json = file.endsWith('.bicepparam')
    ? BuiltParameters.parse(await az.read(['bicep', 'build-params', '--file', file, '--stdout'], file))
        .parametersJson
    : await readFile(file, 'utf8');
  const read = ParametersFile.safeParse(JSON.parse(json));
  if (!read.success) throw new DeployError(`${file} is no file of parameters.`);
  return Object.fromEntries(Object.entries(read.data.parameters).map(([name, { value }]) => [name, value]));
}

const BuiltParameters = z.object({ parametersJson: z.string() });
const ParametersFile = z.object({ parameters: z.record(z.string(), z.object({ value: z.unknown() })) });

function templateArguments({ resourceGroup, name }: Target, parameters: string): string[] {
  return ['-g', resourceGroup, '-n', name, '-f', template, '-p', parameters, '-p', `name=${name}`];
}

async function makeGroup(target: Target, { location }: Found, options: Options, az: Az): Promise<void> {
  await mustBeMeant(`Make the resource group ${target.resourceGroup} in ${location}?`, options);
  await az.change(
    ['group', 'create', '-n', target.resourceGroup, '-l', location],
    `The resource group ${target.resourceGroup} could not be made`,
  );
}

async function showChanges(
  what: readonly string[],
  options: Options,
  az: Az,
): Promise<{ vaultsToMake: string[] }> {
  const whatIf = await az.read(
    ['deployment', 'group', 'what-if', ...what, '--no-pretty-print'],
    'Azure would not take these resources',
  );
  const { lines, noise, vaultsToMake } = changesOf(whatIf);
  for (const line of lines) console.log(line);
  if (noise > 0)
    console.log(
      `(Azure calls the app and its settings changed at every look, whatever is in them: ${noise} not shown.)`,
    );
  if (lines.length === 0) console.log('Nothing else changes.');
  await mustBeMeant('Deploy?', options);
  return { vaultsToMake };
}

async function mustBeMeant(question: string, { yes, dryRun }: Options): Promise<void> {
  if (yes === true || dryRun === true) return;
  if (!process.stdin.isTTY)
    throw new DeployError(`${question} Nobody can answer here: say --yes if you mean it.`);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new DeployError('Nothing was changed.');
}

function zipArguments({ resourceGroup, name }: Target, file: string): string[] {
  const where = ['-g', resourceGroup, '-n', name];
  return [
    'functionapp',
    'deployment',
    'source',
    'config-zip',
    ...where,
    '--src',
    file,
    '--build-remote',
    'false',
  ];
}

/** Brings the package there. A role that was given just now takes some minutes to work: until then it is refused. */
async function deployPackage(target: Target, az: Az, say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
  try {
    const file = join(folder, 'app.zip');
    await writeFile(file, await packageZip());
    for (let tries = 1; ; tries += 1) {
      try {
        await az.change(zipArguments(target, file), 'The package could not be brought there', packageLimitMs);
        return;
      } catch (error) {
        if (!(error instanceof DeployError)) throw error;
        // What follows the package asks the app itself, which an address list may forbid: its health decides.
        if (/admin\/host\/status|Ip Forbidden/i.test(error.message)) return;
        if (
          tries === mostPackageTries ||
          !/BlobUploadFailed|\b403\b|AuthorizationPermissionMismatch/.test(error.message)
        )
          throw error;
        say('The app may not write its package yet: its role is new. Trying again in half a minute.');
        await delay(roleWaitMs);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilHealthy(url: string, say: (line: string) => void): Promise<void> {
  const endsAt = Date.now() + healthWithinMs;
  say(`Waiting for ${url}/health`);
  for (;;) {
    const status = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) }).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (status === 200) return;
    if (Date.now() > endsAt)
      throw new DeployError(
        `${url}/health does not answer 200 (${status ?? 'no answer'}). The log stream says more: az webapp log tail. If an address list keeps this machine out, look from one that it lets in.`,
      );
    await delay(3_000);
  }
}

await new Command('deploy')
  .description('Puts Asset Webhooks into an Azure resource group, or brings it up to date there.')
  .requiredOption('--resource-group <name>', 'where it goes; made if it is not there')
  .requiredOption('--name <name>', 'the name of the app, the first part of its address')
  .option('--location <region>', 'of a resource group that is not there yet')
  .option('--parameters <file>', 'a .bicepparam or JSON file; infra/main.bicepparam if left out')
  .option('--yes', 'do not ask')
  .option('--dry-run', 'print every call of az, and change nothing')
  .action(async (options: Options) => {
    try {
      await deploy(options);
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      console.error(error.message);
      process.exitCode = 1;
    }
  })
  .parseAsync();
