import { afterAll } from 'vitest';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
} from '../../src/local/simulators/preservica/simulator.ts';
import type { AssetRecord } from '../../src/pipeline/model/record.ts';
import { startRunningApp, type RunningApp } from './running-app.ts';

export { until } from './until.ts';

export const webhookSecret = 'my_shared_secret';

/** Everything an archive would have: storage, a Preservica, and the app, each in its own process or port. */
export interface AppUnderTest extends Omit<RunningApp, 'record'> {
  readonly preservica: PreservicaSimulator;
  /** Subscribes the app at the simulator by its real API, and answers with the status. */
  subscribe(trigger?: string): Promise<number>;
  record(assetId: string): Promise<AssetRecord | undefined>;
}

export async function startAppUnderTest(given: Readonly<Record<string, string>> = {}): Promise<AppUnderTest> {
  const preservica = await startPreservicaSimulator();
  afterAll(async () => await preservica.close());
  const { username, password } = preservica.settings.account;
  const app = await startRunningApp({
    SOURCES: 'archive',
    SOURCE_ARCHIVE_KIND: 'preservica',
    SOURCE_ARCHIVE_URL: preservica.url,
    SOURCE_ARCHIVE_USERNAME: username,
    SOURCE_ARCHIVE_PASSWORD: password,
    SOURCE_ARCHIVE_SECRET: webhookSecret,
    ...given,
  });
  return {
    ...app,
    get host() {
      return app.host;
    },
    preservica,
    async subscribe(triggerType = 'FULL_TEXT_INDEXED') {
      const login = await fetch(`${preservica.url}/api/accesstoken/login`, {
        method: 'POST',
        body: new URLSearchParams({ username, password }),
      });
      const { token } = (await login.json()) as { token: string };
      const created = await fetch(`${preservica.url}/api/webhook/subscriptions`, {
        method: 'POST',
        headers: { 'Preservica-Access-Token': token, 'content-type': 'application/json' },
        body: JSON.stringify({
          url: `${app.host.url}/webhooks/archive`,
          triggerType,
          secret: webhookSecret,
          includeIdentifiers: 'true',
        }),
      });
      await created.text();
      return created.status;
    },
    record: async (assetId) => await app.record('archive', assetId),
  };
}
