import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http';

/** What becomes of a request: the storage never sees it, or its answer is lost, or neither where undefined. */
export type Failure =
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'lose-answer' }
  | undefined;

export type Service = 'Blob' | 'Queue' | 'Table';

/** A storage account that fails as `failing` says; requests are signed for a path, not for a port, so they pass. */
export async function startFailingStorage(connectionString: string) {
  const agent = new Agent({ keepAlive: true });
  const servers: Server[] = [];
  const storage = {
    connectionString,
    failing: (_service: Service, _request: IncomingMessage): Failure => undefined,
    async close(): Promise<void> {
      agent.destroy();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  for (const service of ['Blob', 'Queue', 'Table'] as const) {
    const [, target = ''] = new RegExp(`${service}Endpoint=([^;]+)`).exec(connectionString) ?? [];
    const { port: targetPort } = new URL(target);
    const server = createServer((incoming, response) => {
      const failure = storage.failing(service, incoming);
      if (failure?.kind === 'answer') {
        incoming.resume().once('end', () => {
          response.writeHead(failure.status, failure.headers);
          response.end(failure.body);
        });
        return;
      }
      const { method, url, headers } = incoming;
      const onward = request(
        { host: '127.0.0.1', port: targetPort, method, path: url, headers, agent },
        (answer) => {
          if (failure?.kind === 'lose-answer') {
            answer.resume().once('end', () => response.destroy());
            return;
          }
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.once('error', () => response.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    storage.connectionString = storage.connectionString.replace(
      target,
      target.replace(`:${targetPort}`, `:${port}`),
    );
  }
  return storage;
}

/** What a throttled table answers to a transaction: a success, with the failure inside. */
export function busyTransaction(): Failure {
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
