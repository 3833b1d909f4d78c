import { Agent, createServer, request, type Server } from 'node:http';

/** Stands before Azurite and counts what passes. */
export interface CountingStorage {
  readonly connectionString: string;
  /** Requests so far, by service and method. */
  readonly counts: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** The same storage through a proxy for each service; requests are signed for a path, not for a port, so they pass. */
export async function countStorage(connectionString: string): Promise<CountingStorage> {
  const counts = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  const servers: Server[] = [];
  let counted = connectionString;
  for (const service of ['Blob', 'Queue', 'Table']) {
    const [, target = ''] = new RegExp(`${service}Endpoint=([^;]+)`).exec(connectionString) ?? [];
    const { port: targetPort } = new URL(target);
    const server = createServer((incoming, response) => {
      const name = `${service} ${incoming.method}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const { method, url, headers } = incoming;
      const onward = request(
        { host: '127.0.0.1', port: targetPort, method, path: url, headers, agent },
        (answer) => {
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
    counted = counted.replace(target, target.replace(`:${targetPort}`, `:${port}`));
  }
  return {
    connectionString: counted,
    counts,
    async close() {
      agent.destroy();
      await Promise.all(
        servers.map(async (server) => {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}
