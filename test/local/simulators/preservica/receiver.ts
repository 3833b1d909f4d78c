import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/preservica/settings.ts';
import { clientOf, startSimulator, type Client } from './client.ts';

export const secret = 'my_shared_secret';
export interface Got {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  /** As they came from the connection. */
  readonly pieces: readonly Buffer[];
  readonly body: Buffer;
}

export const codeOf = (target: string): string | null =>
  new URL(target, 'http://x').searchParams.get('challengeCode');
export const rightAnswer = (code: string): string =>
  JSON.stringify({
    challengeCode: code,
    challengeResponse: createHmac('sha256', secret).update(code).digest('hex'),
  });

/** Somebody's receiver: answers handshakes rightly, and says 200 to the rest, unless told otherwise. */
export async function startReceiver(
  reply: (got: Got) => { status?: number; body?: string; type?: string } | 'never' = () => ({}),
) {
  const got: Got[] = [];
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.once('end', () => {
      const target = incoming.url ?? '';
      const each: Got = { target, headers: incoming.headers, pieces, body: Buffer.concat(pieces) };
      got.push(each);
      const given = reply(each);
      if (given === 'never') return;
      const code = codeOf(target);
      response.writeHead(given.status ?? 200, { 'content-type': given.type ?? 'application/json' });
      response.end(given.body ?? (code === null ? '' : rightAnswer(code)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/preservica`;
  return { url, got, events: () => got.filter(({ target }) => codeOf(target) === null) };
}

export const subscribe = async (
  client: Client,
  url: unknown,
  given: object = {},
  path = '/api/webhook/subscriptions',
) =>
  await client(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      url,
      triggerType: 'FULL_TEXT_INDEXED',
      secret,
      includeIdentifiers: 'true',
      ...given,
    }),
  });

export async function setup(settings: Partial<Settings> = {}) {
  const simulator = await startSimulator({ settings });
  return { simulator, client: await clientOf(simulator) };
}
