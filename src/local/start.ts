import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { startAzurite } from './azurite.ts';
import { buildApp } from './build.ts';
import { addSampleLibrary } from './preservica/sample-library.ts';
import { startPreservicaSimulator, type PreservicaSimulator } from './preservica/simulator.ts';

// `npm start`: everything on this machine, connected, with a few assets in it.

const root = join(import.meta.dirname, '..', '..');
const wantedPort = 7071;
const secret = randomBytes(24).toString('base64url');

const func = programOnPath('func');
console.log(
  func === undefined
    ? 'The app runs under the small host of this project, because Azure Functions Core Tools (func) are not on the PATH.'
    : 'The app runs under Azure Functions Core Tools (func start).',
);

await buildApp();
const azurite = await startAzurite({ folder: join(root, '.azurite') });
console.log('Storage: Azurite, data in .azurite/');
const preservica = await startPreservicaSimulator();
console.log(`Preservica: a simulator at ${preservica.url}`);

const port = await freePort(wantedPort);
const url = `http://127.0.0.1:${port}`;
const app = startApp(port);
let stopping = false;
// However this ends, the app does not stay behind.
process.once('exit', () => void app.kill('SIGKILL'));
app.once('exit', (code) => {
  if (stopping) return;
  console.error(`The app ended by itself (${code ?? 'killed'}).`);
  void stop(1);
});
process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));

await until('the app to answer', async () => (await fetch(`${url}/health`)).status === 200);
console.log(`App: ${url}\n`);
await showPreservica(preservica);
console.log('\nEverything stays up until Ctrl-C.');

function startApp(atPort: number): ChildProcess {
  const env = {
    ...process.env,
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AzureWebJobsStorage: azurite.connectionString,
    SOURCES: 'archive',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: preservica.url,
    SOURCE_ARCHIVE_USERNAME: preservica.settings.account.username,
    SOURCE_ARCHIVE_PASSWORD: preservica.settings.account.password,
    SOURCE_ARCHIVE_SECRET: secret,
    PUBLIC_URL: url,
  };
  const stdio: ['ignore', 'ignore' | 'inherit', 'inherit'] = ['ignore', 'ignore', 'inherit'];
  if (func !== undefined) {
    return spawn(func, ['start', '--port', String(atPort)], {
      cwd: root,
      env,
      stdio,
      shell: process.platform === 'win32',
    });
  }
  const main = join(import.meta.dirname, 'host', 'main.ts');
  return spawn(process.execPath, [main, '--port', String(atPort)], { cwd: root, env, stdio });
}

/** Subscribes the app, lets sample assets be ingested, and shows what came of it. */
async function showPreservica(simulator: PreservicaSimulator): Promise<void> {
  const { username, password } = simulator.settings.account;
  const login = await fetch(`${simulator.url}/api/accesstoken/login`, {
    method: 'POST',
    body: new URLSearchParams({ username, password }),
  });
  const token = String(new Map(Object.entries(await readObject(login))).get('token'));
  for (const triggerType of ['FULL_TEXT_INDEXED', 'MOVED', 'CHANGED_SECURITY_DESCRIPTOR']) {
    const created = await fetch(`${simulator.url}/api/webhook/subscriptions`, {
      method: 'POST',
      headers: { 'Preservica-Access-Token': token, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        url: `${url}/webhooks/archive`,
        triggerType,
        secret,
        includeIdentifiers: 'true',
      }),
    });
    if (created.status !== 200)
      throw new Error(`Preservica refused the subscription: ${await created.text()}`);
    await created.body?.cancel();
  }
  const handshakes = simulator.sent.filter(({ kind, status }) => kind === 'challenge' && status === 200);
  console.log(
    `archive (Preservica): ${handshakes.length} subscriptions, each with a handshake that the app answered`,
  );

  const samples = addSampleLibrary(simulator.library);
  const beganAt = new Date().toISOString();
  await simulator.happen('FULL_TEXT_INDEXED', samples);
  console.log(`archive: ${samples.length} assets and folders ingested; waiting for their records`);
  const history = `${url}/events?source=archive&from=${beganAt}`;
  const events = await until('the records', async () => {
    const found = new Map(Object.entries(await readObject(await fetch(history)))).get('events');
    const list: unknown[] = Array.isArray(found) ? found : [];
    const finished = list.filter((event) => new Map(Object.entries(event ?? {})).get('finishedAt') !== null);
    return finished.length >= samples.length ? finished : undefined;
  });
  for (const event of events) {
    const { state, title, assetId } = Object.fromEntries(Object.entries(event ?? {}));
    console.log(
      `  ${String(state).padEnd(8)} ${String(title).padEnd(36)} ${url}/assets/archive/${String(assetId)}`,
    );
  }
  console.log(`archive: history    ${url}/events?source=archive`);
  console.log(`archive: thumbnail  ${url}/assets/archive/${samples[1]?.ref ?? ''}/thumbnail`);
}

async function readObject(response: Response): Promise<object> {
  const read: unknown = await response.json();
  return typeof read === 'object' && read !== null ? read : {};
}

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (app.exitCode === null && app.signalCode === null) {
    app.kill('SIGTERM');
    await once(app, 'exit');
  }
  await preservica.close();
  await azurite.stop();
  process.exit(code);
}

async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const endsAt = Date.now() + 120_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > endsAt) throw new Error(`Waited two minutes for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** That port, or a free one where it is taken. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const taken = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(true));
    server.listen(wanted, '127.0.0.1', () => resolve(false));
  });
  if (taken) return await freePort(0);
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

function programOnPath(name: string): string | undefined {
  const names = process.platform === 'win32' ? [`${name}.cmd`, `${name}.exe`] : [name];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((each) => join(folder, each)))
    .find((file) => existsSync(file));
}
