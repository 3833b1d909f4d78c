import { onTestFinished } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/woodwing/settings.ts';
import {
  startWoodWingSimulator,
  type WoodWingSimulator,
} from '../../../../src/local/simulators/woodwing/simulator.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** Undefined where it is no JSON object. */
  readonly json: Record<string, unknown> | undefined;
}

/** Calls a path or an address, as somebody who is logged in. */
export type Client = (path: string, init?: RequestInit) => Promise<Answered>;

/** A simulator that ends with the test. */
export async function startSimulator(settings: Partial<Settings> = {}): Promise<WoodWingSimulator> {
  const simulator = await startWoodWingSimulator({ settings });
  onTestFinished(() => simulator.close());
  return simulator;
}

export async function call(url: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString();
  let json: Record<string, unknown> | undefined;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, bytes, text, json };
}

export async function logIn({ url, settings }: WoodWingSimulator): Promise<Answered> {
  const { username, password } = settings.account;
  const body = new URLSearchParams({ username, password });
  return await call(`${url}/services/apilogin`, { method: 'POST', body });
}

export async function clientOf(simulator: WoodWingSimulator): Promise<Client> {
  const token = String((await logIn(simulator)).json?.['authToken']);
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    return await call(path.startsWith('http') ? path : simulator.url + path, { ...init, headers });
  };
}

export async function setup(settings: Partial<Settings> = {}) {
  const simulator = await startSimulator(settings);
  return { simulator, library: simulator.library, client: await clientOf(simulator) };
}

export interface Hit {
  readonly id: string;
  readonly metadata: Record<string, unknown>;
  readonly thumbnailUrl?: string;
  readonly previewUrl?: string;
  readonly originalUrl: string;
}

/** The names that search finds, and all else it says. */
export async function search(client: Client, q: string, more: Record<string, string> = {}) {
  const answer = await client(`/services/search?${new URLSearchParams({ q, ...more }).toString()}`);
  const hits = (answer.json?.['hits'] ?? []) as Hit[];
  return { ...answer, hits, names: hits.map(({ metadata }) => metadata['filename']) };
}

export const notLoggedIn = { errorcode: 401, message: 'Not logged in' };
