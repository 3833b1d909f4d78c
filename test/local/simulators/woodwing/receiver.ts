import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/woodwing/settings.ts';
import type { Webhook } from '../../../../src/local/simulators/woodwing/webhook-api.ts';
import { setup, type Answered, type Client } from './client.ts';

export interface Got {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  /** As they came from the connection. */
  readonly pieces: readonly Buffer[];
  readonly body: Buffer;
}

interface Reply {
  readonly status?: number;
  readonly body?: string;
  readonly location?: string;
}

/** Somebody's receiver: says 200, unless told otherwise. */
export async function startReceiver(
  reply: (got: Got, count: number) => Reply | 'never' | Promise<Reply> = () => ({}),
) {
  const got: Got[] = [];
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.once('end', () => {
      const { method = '', url: target = '', headers } = incoming;
      const each: Got = { method, target, headers, pieces, body: Buffer.concat(pieces) };
      got.push(each);
      const answer = async (): Promise<void> => {
        const given = await reply(each, got.length);
        if (given === 'never') return;
        const { status = 200, body = '', location } = given;
        response.writeHead(status, location === undefined ? {} : { location }).end(body);
      };
      answer().catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/assets`;
  /** The events that came, read. */
  const events = () => got.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
  return { url, got, events };
}

export const sendJson = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export const register = (
  client: Client,
  given: object,
  path = '/services/admin/webhook',
): Promise<Answered> =>
  client(
    path,
    sendJson('POST', {
      name: 'Print room',
      url: 'http://127.0.0.1:9/api/assets',
      eventTypes: ['asset_update_metadata'],
      ...given,
    }),
  );

export async function registered(client: Client, given: object): Promise<Webhook> {
  return (await register(client, given)).json as unknown as Webhook;
}

/** A simulator with one webhook, and the receiver behind it. */
export async function hooked(
  settings: Partial<Settings> = {},
  given: object = {},
  reply?: Parameters<typeof startReceiver>[0],
) {
  const receiver = await startReceiver(reply);
  const all = await setup(settings);
  const webhook = await registered(all.client, { url: receiver.url, ...given });
  const asset = all.library.add({ filename: 'Café 東京.jpg', status: 'Production' });
  /** A change of metadata of that asset, as an event. */
  const change = (changedMetadata = { status: { oldValue: 'Production', newValue: 'Final' } }) =>
    all.simulator.happen({ type: 'asset_update_metadata', assetId: asset.id, changedMetadata });
  return { ...all, receiver, webhook, asset, change };
}
