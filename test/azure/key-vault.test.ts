import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The real SDKs, in a process of their own that trusts a certificate made here, against a stand-in for the vault and
// for the endpoint through which the platform hands out tokens. `vault.localhost` is a name below the `localhost` that
// the vault asks tokens for, as a real vault's is below vault.azure.net.

const name = 'vault.localhost';
const now = Math.floor(Date.now() / 1000);
const versions = [
  { id: 'v-old', created: now - 9000, value: 'the old secret' },
  { id: 'v-new', created: now - 60, value: 'the new secret' },
  { id: 'v-disabled', created: now - 50, value: 'a disabled secret', enabled: false },
  { id: 'v-expired', created: now - 40, value: 'an expired secret', exp: now - 10 },
  { id: 'v-not-yet', created: now - 30, value: 'a secret for later', nbf: now + 9000 },
];
const asked: string[] = [];
let vault: Server | undefined;
let identity: Server | undefined;
let folder = '';

beforeAll(async () => {
  const pair = await generate([{ name: 'commonName', value: name }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
  folder = await mkdtemp(join(tmpdir(), 'vault-'));
  await writeFile(join(folder, 'ca.pem'), pair.cert);

  identity = createHttp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    asked.push(
      `token as ${searchParams.get('client_id')} for ${searchParams.get('resource')} ${String(request.headers['x-identity-header'])}`,
    );
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        access_token: 'a-token',
        expires_on: String(now + 3600),
        resource: 'https://localhost',
        token_type: 'Bearer',
      }),
    );
  });
  vault = createHttps({ key: pair.private, cert: pair.cert }, (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    response.setHeader('content-type', 'application/json');
    if (request.headers.authorization !== 'Bearer a-token') {
      response.setHeader(
        'www-authenticate',
        'Bearer authorization="https://login.localhost/tenant", resource="https://localhost"',
      );
      response.writeHead(401).end('{}');
      return;
    }
    asked.push(pathname);
    const base = `https://${name}/secrets/source-archive-secret`;
    const attributes = (each: (typeof versions)[number]) => ({
      enabled: each.enabled ?? true,
      created: each.created,
      updated: each.created,
      exp: each.exp,
      nbf: each.nbf,
    });
    if (pathname === '/secrets/source-archive-secret/versions') {
      response.end(
        JSON.stringify({
          value: versions.map((each) => ({ id: `${base}/${each.id}`, attributes: attributes(each) })),
        }),
      );
      return;
    }
    const found = versions.find(({ id }) => pathname === `/secrets/source-archive-secret/${id}`);
    if (found !== undefined) {
      response.end(
        JSON.stringify({ value: found.value, id: `${base}/${found.id}`, attributes: attributes(found) }),
      );
      return;
    }
    response.writeHead(404).end('{"error":{"code":"SecretNotFound","message":"no such secret"}}');
  });
  for (const server of [identity, vault]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterAll(async () => {
  for (const server of [vault, identity]) {
    server?.closeAllConnections();
    server?.close();
  }
  await rm(folder, { recursive: true, force: true });
});

const portOf = (server: Server | undefined): number => {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

it('gives the two newest versions that count, as the managed identity', async () => {
  const src = join(import.meta.dirname, '..', '..', 'src');
  const program = `
    import dns from 'node:dns';
    const lookup = dns.lookup;
    // Not every machine's resolver knows that all names below localhost are itself.
    dns.lookup = (host, ...rest) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, ...rest);
    const { createSecrets } = await import(${JSON.stringify(join(src, 'azure', 'secrets.ts'))});
    const { readConfig } = await import(${JSON.stringify(join(src, 'config.ts'))});
    const { config } = readConfig(process.env);
    const secrets = createSecrets(config, { now: Date.now, log: (...line) => console.error(JSON.stringify(line)) });
    console.log(JSON.stringify({
      webhook: await secrets.webhookSecrets('archive'),
      password: (await secrets.password('archive')) ?? 'none',
    }));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      IDENTITY_ENDPOINT: `http://127.0.0.1:${portOf(identity)}/msi/token`,
      IDENTITY_HEADER: 'the header of this app',
      AZURE_CLIENT_ID: 'client-1',
      KEY_VAULT_URL: `https://${name}:${portOf(vault)}`,
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      SOURCES: 'archive',
      SOURCE_ARCHIVE_KIND: 'preservica',
      SOURCE_ARCHIVE_URL: 'https://example.org',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let trouble = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (trouble += text.toString()));
  await once(child, 'close');
  expect(trouble).toBe('');
  expect(JSON.parse(said)).toEqual({ webhook: ['the new secret', 'the old secret'], password: 'none' });
  expect(asked[0]).toMatch(/^token as client-1 for https:\/\/localhost.* the header of this app$/);
  expect(asked.filter((each) => /v-(disabled|expired|not-yet)/.test(each))).toEqual([]);
});
