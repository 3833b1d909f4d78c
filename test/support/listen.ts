import type { Server } from 'node:http';
import { afterAll } from 'vitest';

/** Lets a server of a test listen on loopback until the tests of its file have ended; gives its port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
