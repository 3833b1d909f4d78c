import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export interface Got {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Reply {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}

const echoed = ({ query }: Got): string => JSON.stringify({ echo: query.get('echo') });

type Told = Reply | 'never' | undefined;
type Behaviour = (got: Got) => Told | Promise<Told>;

/** What the paths of an endpoint do. */
const replies: Readonly<Record<string, (got: Got) => Reply | 'never'>> = {
  '/ok': (got) => ({ body: got.query.has('echo') ? echoed(got) : '{}' }),
  '/more': ({ query }) => ({ body: JSON.stringify({ echo: query.get('echo'), more: [1] }) }),
  '/wrong': () => ({ body: '{"echo":"0"}' }),
  '/bare': ({ query }) => ({ body: JSON.stringify(query.get('echo')) }),
  '/s201': (got) => ({ status: 201, body: echoed(got) }),
  '/s204': () => ({ status: 204 }),
  '/s500': (got) => ({ status: 500, body: echoed(got) }),
  '/empty': () => ({ body: '' }),
  '/text': () => ({ body: 'OK' }),
  '/slow': () => 'never',
  '/redirect': ({ query }) => ({ status: 302, headers: { location: `/ok?${query.toString()}` } }),
  '/repeat': ({ query }) => ({ status: 307, headers: { location: `/ok?${query.toString()}` } }),
  '/loop': () => ({ status: 302, headers: { location: '/loop' } }),
  '/packed': (got) => ({ body: gzipSync(echoed(got)), headers: { 'content-encoding': 'gzip' } }),
};

/** Somebody's endpoint on loopback; `behave` may say otherwise for a while. */
export async function startEndpoint() {
  const got: Got[] = [];
  let changed: Behaviour | undefined;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    const respond = async (): Promise<void> => {
      const target = incoming.url ?? '';
      const { pathname: path, searchParams: query } = new URL(target, 'http://endpoint');
      const { method = '', headers } = incoming;
      const each: Got = { method, path, query, target, headers, body: Buffer.concat(chunks) };
      got.push(each);
      const reply = (await changed?.(each)) ?? replies[path]?.(each) ?? { status: 404 };
      if (reply === 'never') return;
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.body);
    };
    incoming.once('end', () => void respond());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    base,
    ok: `${base}/ok`,
    got,
    events: () => got.filter(({ method }) => method === 'POST'),
    behave: (reply: Behaviour) => void (changed = reply),
  };
}

export type Endpoint = Awaited<ReturnType<typeof startEndpoint>>;

/** An address where nobody answers. */
export async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}
