import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startAzurite } from '../azurite.ts';
import { buildApp } from '../build.ts';
import { startTeamsSimulator, type TeamsSimulator } from '../simulators/teams/simulator.ts';
import { showProblems } from './app-lines.ts';
import { whatRunsTheApp } from './app-process.ts';
import { startControl, type Wish } from './control.ts';
import { takeFolder } from './one-a-folder.ts';
import { tried, typeCommand } from './own-command.ts';
import { privateFolder, writePrivately } from './private-file.ts';
import { sentenceFor } from './sentence.ts';
import { eventLines, settledEvents } from './show-events.ts';
import { preservica, pywebhooks, woodwing, type System } from './systems.ts';
import { showChannel } from './show-channel.ts';
import { until } from './until.ts';
import { withoutOwnSettings } from './without-own-settings.ts';

// `npm start`: everything on this machine, connected, with a few assets in it.

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, '.local');
const wantedPort = 7071;

const stopping = new AbortController();
const { signal } = stopping;
/** What is to be ended, the last first. */
const running: (() => Promise<void> | void)[] = [];
const systems: System[] = [];
let appUrl: string | undefined;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => void stop(0));

try {
  await start();
} catch (error) {
  await stop(1, sentenceFor(error));
}

async function start(): Promise<void> {
  await privateFolder(folder);
  const control = await begun(await startControl({ appUrl: () => appUrl, simulate }), (each) => each.close());
  const place = await takeFolder(folder, control.address);
  if (place.kind === 'held') {
    const { address, appUrl: at } = place.by;
    throw new Error(
      `An "npm start" runs in this folder already (process ${address.pid}${at === undefined ? ', still starting' : `, the app at ${at}`}). Use it, or end it by Ctrl-C there or by: kill ${address.pid}`,
    );
  }
  await begun(place, async (each) => await each.free());
  const runner = whatRunsTheApp();
  console.log(runner.words);

  await buildApp().catch(() => {
    throw new Error('The app could not be built; what is wrong with it stands above.');
  });
  const azurite = await begun(
    await startAzurite({ folder: join(folder, 'azurite') }),
    async (storage) => await storage.stop(),
  );
  console.log('Storage: Azurite, data in .local/azurite/');
  const secret = randomBytes(24).toString('base64url');
  for (const begin of [async () => await preservica(secret), woodwing, pywebhooks]) {
    const system = await begun(await begin(), async (each) => await each.close());
    systems.push(system);
    console.log(`Simulated: ${system.words}`);
  }

  const team = await begun(await startTeamsSimulator(), async (each) => await each.close());
  console.log(`Simulated: a channel of Teams at ${team.url}/`);

  const port = await freePort(wantedPort);
  if (port !== wantedPort) console.log(`Port ${wantedPort} is in use, so the app takes ${port}.`);
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...withoutOwnSettings(process.env),
    ...(await writtenSettings(azurite.connectionString, url, team)),
  };
  await startApp(runner, { port, url, env });
  appUrl = url;
  console.log(`App: ${url}\n`);
  for (const system of systems) await system.show({ appUrl: url, env, signal });
  await showChannel(team, signal);
  await typeCommand(['sources'], env);
  console.log(`
To try the command against all this, or to let more happen, in another terminal:
  ${tried('doctor')}
  ${tried('simulate --help')}

Everything stays up until Ctrl-C.`);
}

/** Notes how something that runs is ended. Throws where all is being ended already, when it has ended it. */
async function begun<T>(part: T, end: (part: T) => Promise<void> | void): Promise<T> {
  if (signal.aborted) await end(part);
  signal.throwIfAborted();
  running.push(() => end(part));
  return part;
}

/** Writes the settings of the app to where a person can take them from, readable by nobody else. */
async function writtenSettings(
  storage: string,
  url: string,
  team: TeamsSimulator,
): Promise<Record<string, string>> {
  const noSettings = join(folder, 'no.settings.json');
  const secretsFile = join(folder, 'start.secrets.json');
  const settings = {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AzureWebJobsStorage: storage,
    // What a person has set for systems of their own has no place here.
    LOCAL_SETTINGS_FILE: noSettings,
    // The simulators begin anew each time, and so do the secrets that they give out.
    LOCAL_SECRETS_FILE: secretsFile,
    PUBLIC_URL: url,
    SOURCES: systems.map(({ source }) => source).join(','),
    ...Object.assign({}, ...systems.map((system) => system.settings)),
    ACTIONS: 'team',
    ACTION_TEAM_KIND: 'teams',
    ACTION_TEAM_URL: team.flowUrl,
    ACTION_TEAM_ALLOW_HOST: team.host,
    ACTION_TEAM_SECURITY_TAGS: '*',
  };
  await rm(secretsFile, { force: true });
  await writePrivately(noSettings, '{ "Values": {} }\n');
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${String(value)}'\n`);
  await writePrivately(join(folder, 'start.env'), lines.join(''));
  return settings;
}

async function startApp(
  runner: ReturnType<typeof whatRunsTheApp>,
  { port, url, env }: { port: number; url: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const app = runner.start(port, env);
  // However this ends, the app does not stay behind.
  process.once('exit', () => void app.kill('SIGKILL'));
  const gone = once(app, 'exit');
  gone.catch(() => undefined);
  await begun(app, async () => {
    app.kill('SIGTERM');
    if (app.exitCode === null && app.signalCode === null) await gone.catch(() => undefined);
  });
  showProblems(app, (faults) => void stop(1, `The app's settings are faulty:\n${faults.join('\n')}`));
  app.once('error', (error) => void stop(1, `The app could not be started: ${error.message}`));
  app.once('exit', (code, killed) => {
    const how = code === null ? String(killed) : `exit code ${code}`;
    void stop(1, `The app ended by itself (${how}); what it said about that stands above.`);
  });
  await until('the app to answer', async () => (await fetch(`${url}/health`)).status === 200, { signal });
}

async function simulate({ system: name, what }: Wish): Promise<string[]> {
  const system = systems.find(({ source }) => source === name);
  const happen =
    system !== undefined && Object.hasOwn(system.happenings, what) ? system.happenings[what] : undefined;
  if (happen === undefined) throw new Error(`${name} has no "${what}". Try: ${tried('simulate --help')}`);
  if (appUrl === undefined) throw new Error('The app does not answer yet.');
  const since = new Date().toISOString();
  const { said, deliveries } = await happen();
  const events = await settledEvents(appUrl, { source: name, since, deliveries, signal });
  return [`${name}: ${said}`, ...eventLines(appUrl, name, events)];
}

/** Ends everything that runs, once, with a sentence where something is wrong. */
async function stop(code: number, sentence?: string): Promise<void> {
  if (signal.aborted) return;
  stopping.abort(new Error('Everything is being ended.'));
  if (sentence !== undefined) console.error(sentence);
  for (const end of running.toReversed()) await end();
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
