import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';

export type StorageService = 'Blob' | 'Queue' | 'Table';

/** A request to the storage, read whole. */
export interface StorageRequest {
  readonly service: StorageService;
  readonly method: string;
  /** Path and query, with the account's name in front. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface StorageAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What becomes of a request: the storage never sees it, or sees it late, or its answer is lost, or it is not there at all; or none of these. */
export type StorageFailure =
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'delay'; ms: number }
  | { kind: 'lose-answer' }
  | { kind: 'refuse' }
  | undefined;

export interface StorageProxy {
  readonly connectionString: string;
  /** Decides on each request; may be replaced at any time. */
  failing: (request: StorageRequest) => StorageFailure;
  /** Sees each request that the storage answered, before the caller does; undefined where it is unknown what became of it. Answering `lose-answer` keeps it from the caller. */
  passed: (request: StorageRequest, answer: StorageAnswer | undefined) => 'lose-answer' | undefined;
  close(): Promise<void>;
}

/** A storage account that fails as it is told to; requests are signed for a path, not for a port, so they pass. */
export async function startStorageProxy(connectionString: string): Promise<StorageProxy> {
  const agent = new Agent({ keepAlive: true });
  const servers: Server[] = [];
  let through = connectionString;
  for (const service of ['Blob', 'Queue', 'Table'] as const) {
    const [, target = ''] = new RegExp(`${service}Endpoint=([^;]+)`).exec(connectionString) ?? [];
    const { port: targetPort } = new URL(target);
    const server = createServer((incoming, response) => {
      respond(service, targetPort, incoming, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    through = through.replace(target, target.replace(`:${targetPort}`, `:${port}`));
  }

  const proxy: StorageProxy = {
    connectionString: through,
    failing: () => undefined,
    passed: () => undefined,
    async close() {
      agent.destroy();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };

  async function respond(
    service: StorageService,
    port: string,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = '', url = '', headers } = incoming;
    const request: StorageRequest = { service, method, url, headers, body: await buffer(incoming) };
    const failure = proxy.failing(request);
    if (failure?.kind === 'answer') {
      response.writeHead(failure.status, failure.headers).end(failure.body);
      return;
    }
    if (failure?.kind === 'refuse') {
      response.destroy();
      return;
    }
    if (failure?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, failure.ms));
    // Whoever is gone meanwhile has sent it all the same.
    const answer = await forward(request, port, agent).catch(() => undefined);
    const lost = proxy.passed(request, answer) ?? failure?.kind;
    if (answer === undefined || lost === 'lose-answer') {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
  return proxy;
}

async function forward(
  { method, url, headers, body }: StorageRequest,
  port: string,
  agent: Agent,
): Promise<StorageAnswer> {
  return await new Promise((resolve, reject) => {
    const onward = httpRequest({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
      buffer(answer).then((bytes) => {
        resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes });
      }, reject);
    });
    onward.once('error', reject);
    onward.end(body);
  });
}

/** What a throttled storage answers. */
export function busyServer(): StorageFailure {
  return {
    kind: 'answer',
    status: 503,
    headers: { 'content-type': 'application/xml', 'x-ms-error-code': 'ServerBusy' },
    body: '<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>',
  };
}

/** What a throttled table answers to a transaction: a success, with the failure inside. */
export function busyTransaction(): StorageFailure {
  const inner = [
    '--batchresponse_1',
    'Content-Type: multipart/mixed; boundary=changesetresponse_1',
    '',
    '--changesetresponse_1',
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    '',
    'HTTP/1.1 503 Service Unavailable',
    'DataServiceVersion: 3.0;',
    'Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8',
    '',
    '{"odata.error":{"code":"ServerBusy","message":{"lang":"en-US","value":"0:The server is busy."}}}',
    '--changesetresponse_1--',
    '--batchresponse_1--',
    '',
  ].join('\r\n');
  return {
    kind: 'answer',
    status: 202,
    headers: { 'content-type': 'multipart/mixed; boundary=batchresponse_1' },
    body: inner,
  };
}
