import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/pywebhooks/settings.ts';
import {
  startPyWebhooksSimulator,
  type Keys,
} from '../../../../src/local/simulators/pywebhooks/simulator.ts';
import { startEndpoint } from './endpoint.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
}

export interface Asked {
  /** Whose headers to send. */
  readonly as?: Pick<Keys, 'username' | 'apiKey'>;
  /** Overrides; undefined leaves one out. */
  readonly headers?: Record<string, string | undefined>;
  readonly json?: unknown;
  readonly raw?: string;
}

export type Client = (call: string, asked?: Asked) => Promise<Answered>;

/** Calls as a client does, `GET /v1/…`, but with every header as it is told: fetch would add a type of its own. */
export function clientOf(url: string): Client {
  return async (call, { as, headers, json, raw } = {}) => {
    const [method = '', target = ''] = call.split(' ');
    const all = {
      'content-type': 'application/json',
      ...(as === undefined ? {} : { username: as.username, 'api-key': as.apiKey }),
      ...headers,
    };
    const body = raw ?? (json === undefined ? '' : JSON.stringify(json));
    return await new Promise((resolve, reject) => {
      const sent = request(url + target, {
        method,
        agent: false,
        headers: Object.fromEntries(
          Object.entries({ ...all, 'content-length': String(Buffer.byteLength(body)) }).filter(
            (header): header is [string, string] => header[1] !== undefined,
          ),
        ),
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
        });
      });
      sent.end(body);
    });
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A simulator with admin, joe, jane and sam, an endpoint that is theirs, and short forms for what tests do most. */
export async function setup(settings: Partial<Settings> = {}) {
  const simulator = await startPyWebhooksSimulator({ settings });
  onTestFinished(() => simulator.close());
  const endpoint = await startEndpoint();
  const call = clientOf(simulator.url);
  const people = ['joe', 'jane', 'sam'].map((username) =>
    simulator.addAccount({ username, endpoint: endpoint.ok }),
  );
  const [joe, jane, sam] = people as [Keys, Keys, Keys];
  const register = (owner: Keys = joe, event_data: unknown = { message: 'stock low' }): string =>
    simulator.addRegistration(owner.id, { event: 'stock.low', description: 'd', event_data }).id;
  const subscribe = async (as: Keys, registration: string): Promise<string> => {
    const { body } = await call(`POST /v1/webhook/subscription/${registration}`, { as });
    return (body as { id: string }).id;
  };
  return { simulator, endpoint, call, admin: simulator.admin, joe, jane, sam, register, subscribe };
}

/** The six counters, these differing from zero. */
export const counters = (count: Record<string, number>) => ({
  deleted: 0,
  errors: 0,
  inserted: 0,
  replaced: 0,
  skipped: 0,
  unchanged: 0,
  ...count,
});
