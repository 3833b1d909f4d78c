import { afterAll } from 'vitest';
import {
  startWoodWingSimulator,
  type WoodWingSimulator,
} from '../../src/local/simulators/woodwing/simulator.ts';
import { eventTypes } from '../../src/local/simulators/woodwing/webhook-api.ts';
import { startRunningApp, type RunningApp } from './running-app.ts';

/** What a picture desk would have: storage, a WoodWing Assets, and the app, each in its own process or port. */
export interface WoodWingEnv {
  readonly app: RunningApp;
  readonly assets: WoodWingSimulator;
  /** A caller of Assets' own API, logged in. */
  call(method: string, path: string, body?: object): Promise<{ status: number; json: unknown }>;
  /** Registers a webhook for these events and hands its token to the app, as settings. */
  register(more?: object): Promise<{ id: string; secretToken: string }>;
}

type Settings = Readonly<Record<string, string>>;

/** Starts it with one source, `photos`, and what is given beside or in place of its settings. */
export async function startWoodWingEnv(
  given: Settings | ((assets: WoodWingSimulator) => Settings) = {},
): Promise<WoodWingEnv> {
  const assets = await startWoodWingSimulator();
  afterAll(async () => await assets.close());
  const { username, password } = assets.settings.account;
  const app = await startRunningApp({
    SOURCES: 'photos',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: assets.url,
    SOURCE_PHOTOS_USERNAME: username,
    SOURCE_PHOTOS_PASSWORD: password,
    ...(typeof given === 'function' ? given(assets) : given),
  });
  const call: WoodWingEnv['call'] = async (method, path, body) => {
    const login = await fetch(`${assets.url}/services/apilogin`, {
      method: 'POST',
      body: new URLSearchParams({ username, password }),
    });
    const { authToken } = (await login.json()) as { authToken: string };
    const answer = await fetch(assets.url + path, {
      method,
      headers: { authorization: `Bearer ${authToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    app,
    assets,
    call,
    async register(more = {}) {
      const { port } = new URL(app.host.url);
      const { status, json } = await call('POST', '/services/admin/webhook', {
        name: 'Asset Webhooks',
        url: `${app.host.url}/webhooks/photos`,
        eventTypes,
        metadataToReturn: ['filename', 'assetPath'],
        ...more,
      });
      if (status !== 201) throw new Error(`the webhook was not registered: ${status}`);
      const webhook = json as { id: string; secretToken: string };
      await app.restart({ SOURCE_PHOTOS_SECRET: webhook.secretToken }, Number(port));
      return webhook;
    },
  };
}
