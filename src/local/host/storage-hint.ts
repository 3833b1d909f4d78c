import { connect } from 'node:net';

/** What to do where the storage should be on this machine, and nothing listens there. */
export async function storageHint(connectionString = ''): Promise<string | undefined> {
  const endpoint = /(?:^|;)\s*UseDevelopmentStorage\s*=\s*true/i.test(connectionString)
    ? 'http://127.0.0.1:10001'
    : /(?:^|;)\s*QueueEndpoint\s*=\s*([^;]+)/i.exec(connectionString)?.[1];
  if (endpoint === undefined || !URL.canParse(endpoint)) return undefined;
  const { hostname, port } = new URL(endpoint);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || port === '') return undefined;
  if (await listens(hostname, Number(port))) return undefined;
  return `No storage answers at ${hostname}:${port}. Start one in another terminal: npm run storage. Until then every webhook is answered 503.`;
}

async function listens(hostname: string, port: number): Promise<boolean> {
  const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
