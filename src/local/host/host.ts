import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { armFaultPoint, readFaultPoint } from './fault-points.ts';
import { hostSettings, type HostSettings } from './host-json.ts';
import { httpFront } from './http-front.ts';
import { invocations } from './invocations.ts';
import { startLibrary } from './library-server.ts';
import { loadBundle } from './load-bundle.ts';
import { hostLog, type HostLog } from './log.ts';
import type { Listener } from './queue-trigger.ts';
import { routeTable } from './routes.ts';
import { startTriggers } from './triggers.ts';

export interface HostOptions {
  /** The app: one CommonJS file. */
  readonly bundle: string;
  /** What the host itself reads; the app reads `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** 0 takes a free one. */
  readonly port: number;
  /** The parsed `host.json`. */
  readonly hostJson: unknown;
}

export interface Host {
  readonly url: string;
  /** Takes nothing new, lets what runs finish for at most 13 seconds, and ends. */
  close(): Promise<void>;
}

// The platform's: what runs longer after it was told to stop is abandoned.
const graceMs = 13_000;
const platformLeaseSeconds = 600;
const largestBody = 104_857_600;
// The library's own server takes Node's 16 kB, which is where the platform's "no answer" to more comes from.
const largestHead = 32_768;
// Loading the queue's SDK takes longer than loading everything else; the first request goes before it.
const headStartMs = 300;
const longestHeadStartMs = 2000;

/** Serves the app as the platform would. Resolves once its routes answer. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { environment } = options;
  const settings = hostSettings(options.hostJson, environment);
  const log = hostLog(
    {
      lines: (text) => process.stdout.write(text),
      problems: (text) => process.stderr.write(text),
    },
    { forPeople: process.stdout.isTTY },
  );
  armFault(environment['LOCAL_FAULT_POINT']);
  const app = await startApp(options.bundle, settings, environment, log);
  const server = createServer({ maxHeaderSize: largestHead, keepAliveTimeout: 130_000 }, app.listener);
  // Like the platform: who sends no more after a request still gets the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  await listen(server, options.port);

  log.flush();
  const closing = new AbortController();
  const triggers = startLater(server, closing.signal, app.startTriggers);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async close() {
      closing.abort();
      const stopTriggers = triggers.then(async (listener) => await listener?.stop());
      await atMost(graceMs, Promise.all([closeGently(server), stopTriggers, app.idle()]));
      server.closeAllConnections();
      app.close();
      log.flush();
    },
  };
}

function armFault(setting = ''): void {
  if (setting === '') return;
  const point = readFaultPoint(setting);
  if (point === undefined) throw new Error('LOCAL_FAULT_POINT: must name a storage write');
  armFaultPoint(point);
}

function leaseSeconds(setting = ''): number {
  if (setting === '') return platformLeaseSeconds;
  if (!/^[1-9]\d{0,5}$/.test(setting)) {
    throw new Error('LOCAL_QUEUE_LEASE_SECONDS: must be a whole number of seconds');
  }
  return Number(setting);
}

interface RunningApp {
  readonly listener: RequestListener;
  readonly startTriggers: () => Promise<Listener>;
  /** Resolves when no function runs. */
  readonly idle: () => Promise<void>;
  readonly close: () => void;
}

async function startApp(
  bundle: string,
  settings: HostSettings,
  environment: HostOptions['environment'],
  log: HostLog,
): Promise<RunningApp> {
  const { functions: loaded, model } = loadBundle(bundle, log);
  const functions = loaded.filter(({ metadata }) => !isDisabled(metadata.name ?? '', environment));
  const library = model === undefined ? undefined : await startLibrary(model);
  if (model === undefined || library === undefined) {
    if (model !== undefined) log.problem('The app has HTTP streaming off, which this host cannot serve.');
    return {
      listener: (_incoming, response) => response.writeHead(404, { 'content-length': 0 }).end(),
      startTriggers: () => Promise.resolve({ stop: () => Promise.resolve() }),
      idle: () => Promise.resolve(),
      close: () => undefined,
    };
  }
  const queueLeaseSeconds = leaseSeconds(environment['LOCAL_QUEUE_LEASE_SECONDS']);
  const running = invocations({ model, timeoutMs: settings.functionTimeoutMs, log });
  return {
    listener: httpFront({
      findRoute: routeTable(functions, settings.routePrefix),
      invocations: running,
      library,
      functionTimeoutMs: settings.functionTimeoutMs,
      maxBodyBytes: Number(environment['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? largestBody),
      log,
    }),
    startTriggers: () =>
      startTriggers({ functions, settings, environment, queueLeaseSeconds, invocations: running, log }),
    idle: async () => await running.idle(),
    close: () => library.close(),
  };
}

/** The platform's own setting, by which a function is not started. */
function isDisabled(name: string, environment: HostOptions['environment']): boolean {
  // A shell passes on no variable whose name holds a dot or a hyphen.
  const names = [name, name.replaceAll('-', '_')];
  return ['.', '_', '__'].some((between) =>
    names.some((each) => {
      const setting = ['AzureWebJobs', each, 'Disabled'].join(between);
      return /^(?:true|1)$/i.test(environment[setting] ?? '');
    }),
  );
}

/** Starts what runs by itself after the first answer, or soon; never once the host is closing. */
async function startLater<T>(
  server: Server,
  closing: AbortSignal,
  start: () => Promise<T>,
): Promise<T | undefined> {
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, headStartMs);
    closing.addEventListener('abort', () => resolve());
    server.once('request', (_incoming, response: ServerResponse) => {
      clearTimeout(timer);
      timer = setTimeout(resolve, longestHeadStartMs);
      response.once('close', resolve);
    });
  });
  return closing.aborted ? undefined : await start();
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

/** Ends each connection as soon as it has its answer. */
async function closeGently(server: Server): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(sweep);
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
