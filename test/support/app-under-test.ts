import { afterAll } from 'vitest';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import { startPreservicaSimulator, type PreservicaSimulator } from '../../src/local/preservica/simulator.ts';
import type { EventSummary, HistoryEntry } from '../../src/pipeline/ledger.ts';
import type { AssetRecord } from '../../src/pipeline/record.ts';
import { settingsFor } from './config.ts';
import { startHostProcess, type HostProcess } from './host-process.ts';

export const webhookSecret = 'my_shared_secret';

/** Everything a person would have: storage, a Preservica, and the app under the small host, each in its own process or port. */
export interface AppUnderTest {
  readonly azurite: Azurite;
  readonly preservica: PreservicaSimulator;
  host: HostProcess;
  /** Starts the app again after it was killed, on the same storage; with other settings, or at the same port, where given. */
  restart(env?: Readonly<Record<string, string>>, port?: number): Promise<void>;
  /** Subscribes the app at the simulator by its real API, and answers with the status. */
  subscribe(trigger?: string): Promise<number>;
  get(path: string): Promise<{ status: number; json: unknown; bytes: Buffer; headers: Headers }>;
  events(query?: string): Promise<EventSummary[]>;
  event(id: string): Promise<EventSummary & { history: HistoryEntry[] }>;
  /** Waits until so many events are there and none of them is unfinished. */
  settled(count: number): Promise<EventSummary[]>;
  record(assetId: string): Promise<AssetRecord | undefined>;
}

export async function startAppUnderTest(given: Readonly<Record<string, string>> = {}): Promise<AppUnderTest> {
  const azurite = await startAzurite({ inMemory: true });
  const preservica = await startPreservicaSimulator();
  const settings = {
    ...settingsFor(azurite.connectionString, {
      SOURCE_ARCHIVE_URL: preservica.url,
      SOURCE_ARCHIVE_USERNAME: preservica.settings.account.username,
      SOURCE_ARCHIVE_PASSWORD: preservica.settings.account.password,
      SOURCE_ARCHIVE_SECRET: webhookSecret,
      RETRY_DELAYS_SECONDS: '1,1,1,1,1,1',
      // A person can wait two seconds for the next look at an idle queue; hundreds of tests cannot.
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:00.100',
    }),
    ...given,
  };
  let host = await startHostProcess({ env: settings });
  afterAll(async () => {
    host.kill('SIGKILL');
    await host.exited;
    await preservica.close();
    await azurite.stop();
  });

  const get: AppUnderTest['get'] = async (path) => {
    const response = await fetch(host.url + path);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      json: isJson ? JSON.parse(bytes.toString()) : undefined,
    };
  };
  const events: AppUnderTest['events'] = async (query = '') => {
    const { status, json } = await get(`/events?limit=200${query}`);
    if (status !== 200) throw new Error(`/events answered ${status}`);
    return (json as { events: EventSummary[] }).events;
  };
  return {
    azurite,
    preservica,
    get host() {
      return host;
    },
    async restart(env = {}, port = 0) {
      host.kill('SIGKILL');
      await host.exited;
      host = await startHostProcess({ env: { ...settings, ...env }, port });
    },
    async subscribe(triggerType = 'FULL_TEXT_INDEXED') {
      const { username, password } = preservica.settings.account;
      const login = await fetch(`${preservica.url}/api/accesstoken/login`, {
        method: 'POST',
        body: new URLSearchParams({ username, password }),
      });
      const { token } = (await login.json()) as { token: string };
      const created = await fetch(`${preservica.url}/api/webhook/subscriptions`, {
        method: 'POST',
        headers: { 'Preservica-Access-Token': token, 'content-type': 'application/json' },
        body: JSON.stringify({
          url: `${host.url}/webhooks/archive`,
          triggerType,
          secret: webhookSecret,
          includeIdentifiers: 'true',
        }),
      });
      await created.text();
      return created.status;
    },
    get,
    events,
    async event(id) {
      return (await get(`/events/${id}`)).json as EventSummary & { history: HistoryEntry[] };
    },
    async settled(count) {
      return await until(async () => {
        const all = await events();
        const finished = all.filter(({ finishedAt }) => finishedAt !== null);
        return all.length >= count && finished.length === all.length ? all : undefined;
      });
    },
    async record(assetId) {
      const { status, json } = await get(`/assets/archive/${assetId}`);
      return status === 200 ? (json as AssetRecord) : undefined;
    },
  };
}

/** Asks again and again until there is an answer; the test's own time limit ends it. An error counts as no answer yet. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
