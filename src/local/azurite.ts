import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface AzuriteOptions {
  /** Where the data is kept. Without it, and without `inMemory`, a temporary folder that `stop` removes. */
  readonly folder?: string;
  readonly inMemory?: boolean;
  /** Free ports where left out. */
  readonly ports?: AzuritePorts;
}

export interface AzuritePorts {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
}

export interface Azurite {
  readonly connectionString: string;
  readonly ports: AzuritePorts;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Takes the storage away, data kept, until `resume`. */
  pause(): Promise<void>;
  /** Brings the storage back on the same ports, with the same data unless it was in memory. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

type Service = keyof AzuritePorts;

const program = join(
  createRequire(import.meta.url).resolve('azurite/package.json'),
  '..',
  'dist',
  'src',
  'azurite.js',
);

// The account and the key that Azurite documents and that every tool knows as development storage.
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

// The channel to us closes however we end, SIGKILL included; Azurite then writes its data and goes.
const endsWithParent = `data:text/javascript,${encodeURIComponent(
  `process.on('disconnect', () => {
    setTimeout(() => process.exit(), 5000).unref();
    process.emit('SIGTERM') || process.exit();
  });`,
)}`;

/** Starts Azurite on loopback and resolves once blobs, queues and tables answer. It ends when this process does. */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const temporary = options.folder === undefined && options.inMemory !== true;
  const folder = temporary ? await mkdtemp(join(tmpdir(), 'azurite-')) : options.folder;
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const where = options.inMemory === true ? ['--inMemoryPersistence'] : ['--location', folder ?? '.'];

  let running = await launch(where, options.ports);
  const { ports } = running;
  const pause = async (): Promise<void> => await end(running.child);
  return {
    connectionString: connectionString(ports),
    ports,
    get pid() {
      return running.child.pid ?? 0;
    },
    pause,
    async resume() {
      await pause();
      running = await launch(where, ports);
    },
    async stop() {
      await pause();
      if (temporary && folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

// Azurite is large: what was compiled once need not be again.
const compileCache = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };

async function launch(
  where: readonly string[],
  wanted: AzuritePorts | undefined,
): Promise<{ child: ChildProcess; ports: AzuritePorts }> {
  const services: Service[] = ['blob', 'queue', 'table'];
  const child = spawn(
    process.execPath,
    [
      '--import',
      endsWithParent,
      program,
      '--silent',
      '--disableTelemetry',
      '--skipApiVersionCheck',
      ...where,
      ...services.flatMap((name) => [
        `--${name}Host`,
        '127.0.0.1',
        `--${name}Port`,
        `${wanted?.[name] ?? 0}`,
      ]),
    ],
    // A group of its own: Ctrl-C in a terminal would otherwise end the storage before the app is done with it.
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true, env: { ...compileCache, ...process.env } },
  );
  const said: string[] = [];
  const found = new Map<string, number>();
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('Azurite was started without its output.');
  stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));

  const lines = createInterface(stdout);
  const listening = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      const match = /^Azurite (\w+) service is successfully listening at \S+:(\d+)$/.exec(line);
      if (match?.[1] !== undefined) found.set(match[1].toLowerCase(), Number(match[2]));
      if (services.every((name) => found.has(name))) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Azurite did not start: ${said.join('\n').slice(-2000)}`)));
  });
  try {
    await listening;
  } catch (error) {
    await end(child);
    throw error;
  }
  const port = (name: Service): number => found.get(name) ?? 0;
  return { child, ports: { blob: port('blob'), queue: port('queue'), table: port('table') } };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), 8000);
  await gone;
  clearTimeout(impatient);
}

function connectionString(ports: AzuritePorts): string {
  const address = (name: Service): string => `http://127.0.0.1:${ports[name]}/${account}`;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${account}`,
    `AccountKey=${key}`,
    `BlobEndpoint=${address('blob')}`,
    `QueueEndpoint=${address('queue')}`,
    `TableEndpoint=${address('table')}`,
    '',
  ].join(';');
}
