import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { afterAll } from 'vitest';

export interface FakeVersion {
  readonly id: string;
  readonly value: string;
  /** Seconds since 1970. */
  readonly created: number;
  enabled?: boolean;
  readonly exp?: number;
  readonly nbf?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** What a vault says in place of its answer. */
export interface VaultRefusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** How often; for ever if left out. */
  times?: number;
}

/** What the vault does with a write: as it should, not at all, or all the same without an answer. */
export type WriteFault =
  'none' | 'refused' | 'never-answered' | 'written-late' | 'answer-lost' | 'never-answered-but-written';

// A name below the `localhost` that the vault asks tokens for, as a real vault's is below vault.azure.net.
const host = 'vault.localhost';
// Not every machine's resolver knows that all names below localhost are itself.
const resolver = `
  import dns from 'node:dns';
  import { syncBuiltinESMExports } from 'node:module';
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);
  syncBuiltinESMExports();
`;
const pageSize = 25;

/** A Key Vault, and the endpoint through which the platform hands out tokens, over HTTPS and HTTP as the real SDKs want them. */
export async function startFakeVault() {
  const pair = await generate([{ name: 'commonName', value: host }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  });
  const folder = await mkdtemp(join(tmpdir(), 'vault-'));
  await writeFile(join(folder, 'ca.pem'), pair.cert);
  const secrets = new Map<string, FakeVersion[]>();
  const asked: string[] = [];
  const settings = {
    latencyMs: 0,
    writing: 'none' as WriteFault,
    lateMs: 7_000,
    reading: true,
    refusal: undefined as VaultRefusal | undefined,
  };
  let made = 0;

  const identity = createHttp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    asked.push(
      `token as ${searchParams.get('client_id')} for ${searchParams.get('resource')} ${String(request.headers['x-identity-header'])}`,
    );
    answer(response, 200, {
      access_token: 'a-token',
      expires_on: String(Math.floor(Date.now() / 1000) + 3600),
      resource: 'https://localhost',
      token_type: 'Bearer',
    });
  });
  const vault = createHttps({ key: pair.private, cert: pair.cert }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  for (const server of [identity, vault]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  afterAll(async () => {
    for (const server of [vault, identity]) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== 'Bearer a-token') {
      response.setHeader(
        'www-authenticate',
        'Bearer authorization="https://login.localhost/tenant", resource="https://localhost"',
      );
      answer(response, 401, {});
      return;
    }
    const { refusal } = settings;
    if (refusal !== undefined && (refusal.times ??= Infinity) > 0) {
      refusal.times -= 1;
      for (const [header, value] of Object.entries(refusal.headers ?? {})) response.setHeader(header, value);
      asked.push(`refused ${request.url}`);
      answer(response, refusal.status, refusal.body ?? {});
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const [, , name = '', version = ''] = pathname.split('/');
    asked.push(`${request.method} ${name}/${version}`);
    const body = await text(request);
    await delay(settings.latencyMs);
    if (!settings.reading && request.method === 'GET') return;
    const versions = secrets.get(name) ?? [];
    if (request.method === 'PUT') {
      await write(name, JSON.parse(body) as { value: string; tags?: Record<string, string> }, response);
      return;
    }
    const found = version === '' ? versions.at(-1) : versions.find(({ id }) => id === version);
    if (version === 'versions') {
      const from = Number(searchParams.get('$skiptoken') ?? 0);
      const page = shuffled(versions).slice(from, from + pageSize);
      const next = `https://${host}:${portOf(vault)}${pathname}?api-version=7.5&$skiptoken=${from + pageSize}`;
      answer(response, 200, {
        value: page.map((each) => shown(name, each, { value: undefined })),
        ...(from + pageSize < versions.length ? { nextLink: next } : {}),
      });
    } else if (found === undefined) {
      answer(response, 404, { error: { code: 'SecretNotFound', message: 'no such secret' } });
    } else if (request.method === 'PATCH') {
      const { attributes } = JSON.parse(body) as { attributes: { enabled?: boolean } };
      Object.assign(found, attributes);
      answer(response, 200, shown(name, found, { value: undefined }));
    } else if (found.enabled === false || (found.nbf ?? 0) * 1000 > Date.now()) {
      const code = found.enabled === false ? 'SecretDisabled' : 'SecretNotYetValid';
      answer(response, 403, { error: { code: 'Forbidden', message: 'no', innererror: { code } } });
    } else answer(response, 200, shown(name, found));
  }

  async function write(
    name: string,
    { value, tags = {} }: { value: string; tags?: Record<string, string> },
    response: ServerResponse,
  ): Promise<void> {
    const { writing } = settings;
    if (writing === 'never-answered') return;
    if (writing === 'refused') {
      answer(response, 500, { error: { code: 'InternalServerError', message: 'no' } });
      return;
    }
    if (writing === 'written-late') await delay(settings.lateMs);
    const version = put(name, value, { tags });
    if (writing === 'never-answered-but-written') return;
    if (writing === 'answer-lost') response.destroy();
    else answer(response, 200, shown(name, version));
  }

  function put(name: string, value: string, given: Partial<FakeVersion> = {}): FakeVersion {
    made += 1;
    const version = { id: `v${made}`, value, created: Math.floor(Date.now() / 1000), ...given };
    secrets.set(name, [...(secrets.get(name) ?? []), version]);
    return version;
  }

  const url = `https://${host}:${portOf(vault)}`;
  return {
    secrets,
    /** Every request so far. */
    asked,
    settings,
    put,
    /** What a process needs to find it, and to take it for a real one. */
    env: {
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(resolver)}`,
      IDENTITY_ENDPOINT: `http://127.0.0.1:${portOf(identity)}/msi/token`,
      IDENTITY_HEADER: 'the header of this app',
      AZURE_CLIENT_ID: 'client-1',
      KEY_VAULT_URL: url,
    },
  };
}

export type FakeVault = Awaited<ReturnType<typeof startFakeVault>>;

function shown(name: string, each: FakeVersion, { value }: { value?: undefined } = each as object): object {
  const { id, enabled = true, created, exp, nbf, tags } = each;
  return {
    value,
    id: `https://${host}/secrets/${name}/${id}`,
    attributes: { enabled, created, updated: created, exp, nbf },
    tags,
  };
}

/** In no useful order, and the same at every call. */
function shuffled(versions: readonly FakeVersion[]): FakeVersion[] {
  const ranked = versions.map((version) => ({
    version,
    rank: createHash('sha256').update(version.id).digest('hex'),
  }));
  return ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ version }) => version);
}

function answer(response: ServerResponse, status: number, json: object): void {
  response.setHeader('content-type', 'application/json');
  response.writeHead(status).end(JSON.stringify(json));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
