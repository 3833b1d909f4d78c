import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import type { EventSummary, HistoryEntry } from '../../src/pipeline/model/ledger.ts';
import type { AssetRecord } from '../../src/pipeline/model/record.ts';
import { startHostProcess, type HostProcess } from './host-process.ts';
import { until } from './until.ts';

/** The app under the small host in a process of its own, on a storage of its own. */
export interface RunningApp {
  readonly azurite: Azurite;
  readonly host: HostProcess;
  /** What the app was started with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Starts the app again after it was killed, on the same storage; with other settings, or at the same port, where given. */
  restart(env?: Readonly<Record<string, string>>, port?: number): Promise<void>;
  get(path: string): Promise<{ status: number; json: unknown; bytes: Buffer; headers: Headers }>;
  events(query?: string): Promise<EventSummary[]>;
  event(id: string): Promise<EventSummary & { history: HistoryEntry[]; data: unknown }>;
  /** Waits until so many events are there and none of them is unfinished. */
  settled(count: number): Promise<EventSummary[]>;
  record(source: string, assetId: string): Promise<AssetRecord | undefined>;
}

/** Starts it with those sources; retries follow each other within seconds, and an idle queue is looked at often. */
export async function startRunningApp(sources: Readonly<Record<string, string>>): Promise<RunningApp> {
  const azurite = await startAzurite({ inMemory: true });
  const folder = await mkdtemp(join(tmpdir(), 'asset-webhooks-'));
  const settings = {
    AzureWebJobsStorage: azurite.connectionString,
    LOCAL_SECRETS_FILE: join(folder, 'local.secrets.json'),
    RETRY_DELAYS_SECONDS: '1,1,1,1,1,1',
    // Many tests let something happen to one asset twice.
    FOLD_MARGIN_SECONDS: '1',
    // A person can wait two seconds for the next look at an idle queue; hundreds of tests cannot.
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:00.100',
    ...sources,
  };
  let host = await startHostProcess({ env: settings });
  afterAll(async () => {
    host.kill('SIGKILL');
    await host.exited;
    await azurite.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const get: RunningApp['get'] = async (path) => {
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
  const events: RunningApp['events'] = async (query = '') => {
    const { status, json } = await get(`/events?limit=200${query}`);
    if (status !== 200) throw new Error(`/events answered ${status}`);
    return (json as { events: EventSummary[] }).events;
  };
  return {
    azurite,
    settings,
    get host() {
      return host;
    },
    async restart(env = {}, port = 0) {
      host.kill('SIGKILL');
      await host.exited;
      host = await startHostProcess({ env: { ...settings, ...env }, port });
    },
    get,
    events,
    async event(id) {
      return (await get(`/events/${id}`)).json as EventSummary & { history: HistoryEntry[]; data: unknown };
    },
    async settled(count) {
      return await until(async () => {
        const all = await events();
        const finished = all.filter(({ finishedAt }) => finishedAt !== null);
        return all.length >= count && finished.length === all.length ? all : undefined;
      });
    },
    async record(source, assetId) {
      const { status, json } = await get(`/assets/${source}/${encodeURIComponent(assetId)}`);
      return status === 200 ? (json as AssetRecord) : undefined;
    },
  };
}
