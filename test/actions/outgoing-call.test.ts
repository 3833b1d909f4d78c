import { createServer } from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import { outgoingCall } from '../../src/actions/outgoing-call.ts';
import { listen } from '../support/listen.ts';
import { CallNotAllowedError } from '../../src/pipeline/ports/action.ts';

let seen = 0;
let port = 0;
const server = createServer((request, response) => {
  seen += 1;
  if (request.url === '/moved') response.writeHead(302, { location: 'http://127.0.0.1/' }).end();
  else if (request.url === '/large') response.end(Buffer.alloc(2_000_000));
  else response.writeHead(200, { 'retry-after': '7' }).end('ok');
});
beforeAll(async () => {
  port = await listen(server);
});

const post = async (url: string, allowedHost?: string) =>
  await outgoingCall('hooks', { method: 'POST', url, body: '{}', allowedHost }, Date.now);

it.each([
  'http://example.org/',
  'https://127.0.0.1',
  'https://127.1',
  'https://0x7f000001',
  'https://2130706433',
  'https://0177.0.0.1',
  'https://localhost',
  'https://0.0.0.0',
  'https://10.1.2.3',
  'https://172.16.0.1',
  'https://192.168.1.1',
  'https://100.64.0.1',
  'https://169.254.169.254/metadata/identity',
  'https://[::1]',
  'https://[::]',
  'https://[::ffff:127.0.0.1]',
  'https://[::ffff:7f00:1]',
  'https://[fd00::1]',
  'https://[fe80::1]',
  'https://[64:ff9b::7f00:1]',
  'https://[2002:7f00:1::]',
  'https://224.0.0.1',
  'https://255.255.255.255',
])('does not call %s', async (given) => {
  const before = seen;
  const url = new URL(given);
  url.port = String(port);
  const error: unknown = await post(url.href).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CallNotAllowedError);
  expect(String(error)).toContain('ACTION_HOOKS_ALLOW_HOST');
  expect(String(error)).not.toContain(url.hostname);
  expect(seen).toBe(before);
});

it('calls the host that is named, and no other beside it', async () => {
  const host = `127.0.0.1:${port}`;
  expect(await post(`http://${host}/`, host)).toMatchObject({ status: 200, retryAfterMs: 7_000 });
  await expect(post(`http://localhost:${port}/`, host)).rejects.toThrow(CallNotAllowedError);
});

it('follows no redirect, and reads no more of an answer than it may', async () => {
  const host = `127.0.0.1:${port}`;
  expect((await post(`http://${host}/moved`, host)).status).toBe(302);
  const { status, bytes } = await post(`http://${host}/large`, host);
  expect(status).toBe(200);
  expect(bytes.byteLength).toBeLessThanOrEqual(65_536);
});

it('says nothing of the address where nobody answers', async () => {
  const error: unknown = await post('http://127.0.0.1:9/?sig=s3cr3t', '127.0.0.1:9').catch(
    (thrown: unknown) => thrown,
  );
  expect(String(error)).toContain('ECONNREFUSED');
  expect(String(error)).not.toContain('s3cr3t');
});
