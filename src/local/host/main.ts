import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { localSettings } from '../../local-settings.ts';
import { hasCode } from '../../pipeline/ports/errors.ts';
import { storageHint } from './storage-hint.ts';

const root = join(import.meta.dirname, '..', '..', '..');

// Whoever starts the host and its storage at one time need not be told.
const storageMayComeMs = 2_000;

interface Options {
  readonly port: number;
  readonly bundle?: string;
}

const command = new Command('host')
  .description('Serves the app on this machine as Azure would, with the settings of the environment.')
  .option('--port <number>', 'port to listen on, 0 for a free one', portNumber, 7071)
  .option('--bundle <file>', 'serve this bundle and not the one built from the sources')
  .action(run);
await command.parseAsync();

async function run({ port, bundle }: Options): Promise<void> {
  // The app reads its settings from the environment; what is set there wins over the file.
  const file = await localSettings(process.env).catch(refuse);
  for (const [name, value] of Object.entries(file.values)) process.env[name] ??= value;
  process.env['LOCAL_SECRETS_FILE'] ??= join(root, 'local.secrets.json');

  const { readConfig } = await import('../../config.ts');
  const checked = readConfig(process.env);
  if (!checked.ok) return refuse(...checked.faults, file.where);

  const app = bundle ?? (await built());
  const { startHost } = await import('./host.ts');
  const hostJson: unknown = JSON.parse(await readFile(join(root, 'host.json'), 'utf8'));
  const host = await startHost({ bundle: app, environment: process.env, port, hostJson }).catch(
    (error: unknown) => {
      const taken = hasCode(error, 'EADDRINUSE');
      return refuse(taken ? `Port ${port} is in use; choose another with --port.` : error);
    },
  );

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    void host.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`Listening on ${host.url}\n`);
  setTimeout(() => void sayWhereStorageIsMissing(), storageMayComeMs).unref();
  // With NODE_COMPILE_CACHE the next start is faster, also where this process will be killed.
  flushCompileCache();
}

async function sayWhereStorageIsMissing(): Promise<void> {
  const hint = await storageHint(process.env['AzureWebJobsStorage']);
  if (hint !== undefined) process.stderr.write(`${hint}\n`);
}

async function built(): Promise<string> {
  const { ensureBuilt } = await import('../build.ts');
  // The bundler has said by then what is wrong, and where.
  return await ensureBuilt().catch(() => refuse('The app could not be built.'));
}

function refuse(...faults: unknown[]): never {
  for (const fault of faults) {
    process.stderr.write(`${fault instanceof Error ? fault.message : String(fault)}\n`);
  }
  process.exit(1);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
  return port;
}
