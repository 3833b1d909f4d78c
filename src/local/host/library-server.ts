import { Agent, Server } from 'node:http';
import net from 'node:net';
import type { ProgrammingModel } from './core-types.ts';

/** The HTTP server that the library starts for itself when streaming is on; the host forwards requests to it. */
export interface LibraryServer {
  readonly port: number;
  readonly agent: Agent;
  close(): void;
}

/** Starts the library, and its server where the app has streaming on. */
export async function startLibrary(model: ProgrammingModel): Promise<LibraryServer | undefined> {
  const { address, servers } = await listeningOnLoopback(async () => {
    const capabilities = await model.getCapabilities({});
    return capabilities['HttpUri'];
  });
  if (address === undefined) return undefined;
  for (const server of servers) {
    // Only the host calls it, over connections that it keeps; one closed just as a request goes out would lose that.
    server.keepAliveTimeout = 0;
  }
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  return {
    port: Number(new URL(address).port),
    agent,
    close: () => {
      agent.destroy();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

// The library listens on every interface of the machine, which is right inside the platform's sandbox and nowhere else.
async function listeningOnLoopback<T>(start: () => Promise<T>): Promise<{ address: T; servers: Server[] }> {
  const servers: Server[] = [];
  const { value: listen } = Object.getOwnPropertyDescriptor(net.Server.prototype, 'listen') ?? {};
  Reflect.set(net.Server.prototype, 'listen', function (this: net.Server, ...args: unknown[]) {
    if (this instanceof Server) servers.push(this);
    const port = typeof args[0] === 'number' ? args[0] : 0;
    const whenListening = args.find((arg) => typeof arg === 'function');
    return Reflect.apply(listen, this, [port, '127.0.0.1', whenListening]);
  });
  try {
    return { address: await start(), servers };
  } finally {
    Reflect.set(net.Server.prototype, 'listen', listen);
  }
}
