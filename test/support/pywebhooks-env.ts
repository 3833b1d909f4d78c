import { afterAll } from 'vitest';
import {
  startPyWebhooksSimulator,
  type Keys,
  type PyWebhooksSimulator,
} from '../../src/local/simulators/pywebhooks/simulator.ts';
import { clientOf, type Client } from '../local/simulators/pywebhooks/client.ts';
import { operatorOf, type Operator } from './operator.ts';
import { startRunningApp, type RunningApp } from './running-app.ts';

/** What a digitisation workshop would have: storage, a PyWebhooks service, and the app, each in its own process or port. */
export interface PyWebhooksEnv {
  readonly app: RunningApp;
  readonly service: PyWebhooksSimulator;
  readonly operator: Operator;
  /** A caller of the service's own API. */
  readonly call: Client;
  /** The address of a source, as the service calls it. */
  addressOf(source: string): string;
  /** Makes an account whose endpoint is that source, by the API, and keeps its keys as an operator would. */
  enrol(source: string): Promise<Keys>;
  /** Registers an event and subscribes the account to it; returns the registration's id. */
  subscribed(keys: Keys, event: string | null, payload: unknown): Promise<string>;
}

/** Starts it with one source, `scans`, that has no secret yet. */
export async function startPyWebhooksEnv(
  given: Readonly<Record<string, string>> = {},
): Promise<PyWebhooksEnv> {
  const service = await startPyWebhooksSimulator();
  afterAll(async () => await service.close());
  const app = await startRunningApp({
    SOURCES: 'scans',
    SOURCE_SCANS_KIND: 'pywebhooks',
    SOURCE_SCANS_URL: service.url,
    SOURCE_SCANS_ASSET_ID_POINTER: '/asset/id',
    SOURCE_SCANS_TITLE_POINTER: '/asset/title',
    SOURCE_SCANS_LINK_POINTER: '/asset/link',
    ...given,
  });
  const call = clientOf(service.url);
  const operator = operatorOf(app);
  const addressOf = (source: string): string => `${app.host.url}/webhooks/${source}`;
  return {
    app,
    service,
    operator,
    call,
    addressOf,
    async enrol(source) {
      const username = `desk-of-${source}`;
      const json = { username, endpoint: addressOf(source) };
      const { status, body } = await call('POST /v1/account', { json });
      if (status !== 201) throw new Error(`the account was answered ${status}`);
      const account = body as { id: string; api_key: string; secret_key: string };
      await operator.secrets.keep(source, 'secret', account.secret_key);
      await operator.secrets.keep(source, 'api-key', account.api_key);
      return { id: account.id, username, apiKey: account.api_key, secretKey: account.secret_key };
    },
    async subscribed(keys, event, payload) {
      const registration = { event, description: 'd', event_data: payload };
      const { id } = service.addRegistration(keys.id, registration);
      const { status } = await call(`POST /v1/webhook/subscription/${id}`, { as: keys });
      if (status !== 201) throw new Error(`the subscription was answered ${status}`);
      return id;
    },
  };
}
