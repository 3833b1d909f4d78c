import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand, type Ran } from '../support/command.ts';

describe('the function key', () => {
  const keys: (string | undefined)[] = [];
  const app = createServer((request, response) => {
    const key = request.headers['x-functions-key'];
    keys.push(Array.isArray(key) ? key.join() : key);
    response.setHeader('content-type', 'application/json').end('{"events":[],"next":null}');
  });
  let port: number;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void app.listen(0, '127.0.0.1', resolve));
    ({ port } = app.address() as AddressInfo);
  });
  beforeEach(() => void keys.splice(0));
  afterAll(() => app.close());

  const list = async (url: string, key: string): Promise<Ran> =>
    await runCommand(['events', 'list'], {
      env: {
        SOURCES: 'archive',
        SOURCE_ARCHIVE_KIND: 'preservica',
        SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
        ASSET_WEBHOOKS_URL: url,
        ASSET_WEBHOOKS_KEY: key,
      },
    });

  it.each(['127.0.0.1', 'localhost'])('is sent over plain http on this machine: %s', async (host) => {
    expect(await list(`http://${host}:${port}`, 'the key')).toMatchObject({ code: 0, stderr: '' });
    expect(keys).toEqual(['the key']);
  });

  it.each(['0.0.0.0', '127.0.0.1.example.org', 'localhost.example.org', '[::2]'])(
    'never leaves this machine over plain http: %s',
    async (host) => {
      const ran = await list(`http://${host}:${port}`, 'the key');
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/not sent .*plain http.*https/);
      expect(ran.stderr).not.toContain('the key');
      expect(keys).toEqual([]);
    },
  );

  it('is not missed where there is none', async () => {
    expect(await list(`http://0.0.0.0:${port}`, '')).toMatchObject({ code: 0, stderr: '' });
    expect(keys).toEqual([undefined]);
  });
});
