import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startAzurite } from './azurite.ts';
import { buildApp } from './build.ts';
import { whatRunsTheApp } from './start/app-process.ts';
import { typeCommand } from './start/own-command.ts';
import { preservica, pywebhooks, woodwing } from './start/systems.ts';
import { until } from './start/until.ts';

// `npm start`: everything on this machine, connected, with a few assets in it.

const root = join(import.meta.dirname, '..', '..');
const wantedPort = 7071;

const runner = whatRunsTheApp();
console.log(runner.words);

await buildApp();
const azurite = await startAzurite({ folder: join(root, '.azurite') });
console.log('Storage: Azurite, data in .azurite/');
const systems = [
  await preservica(randomBytes(24).toString('base64url')),
  await woodwing(),
  await pywebhooks(),
];
for (const { words } of systems) console.log(`Simulated: ${words}`);

const port = await freePort(wantedPort);
const url = `http://127.0.0.1:${port}`;
const folder = join(root, '.local');
const settings: Record<string, string> = {
  FUNCTIONS_WORKER_RUNTIME: 'node',
  AzureWebJobsStorage: azurite.connectionString,
  // What a person has set for systems of their own has no place here.
  LOCAL_SETTINGS_FILE: join(folder, 'no.settings.json'),
  // The simulators begin anew each time, and so do the secrets that they give out.
  LOCAL_SECRETS_FILE: join(folder, 'start.secrets.json'),
  PUBLIC_URL: url,
  SOURCES: 'archive,photos,scans',
  ...Object.assign({}, ...systems.map((system) => system.settings)),
};
await mkdir(folder, { recursive: true });
await rm(settings['LOCAL_SECRETS_FILE'] ?? '', { force: true });
const settingsFile = join(folder, 'start.env');
await writeFile(
  settingsFile,
  Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`),
  { mode: 0o600 },
);

const env = { ...process.env, ...settings };
const app = runner.start(port, env);
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
for (const system of systems) await system.show({ appUrl: url, env });
await typeCommand(['sources'], env);
console.log(`
To try the command against all this, in another terminal:
  node --env-file=.local/start.env src/cli/asset-webhooks.mjs doctor

Everything stays up until Ctrl-C.`);

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (app.exitCode === null && app.signalCode === null) {
    app.kill('SIGTERM');
    await once(app, 'exit');
  }
  await Promise.all(systems.map(async (system) => await system.close()));
  await azurite.stop();
  process.exit(code);
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
