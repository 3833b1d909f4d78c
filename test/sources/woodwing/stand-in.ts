import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { createCallLimiter, type CallLimiter } from '../../../src/pipeline/concurrency/call-limiter.ts';
import type { AssetEvent } from '../../../src/pipeline/model/event.ts';
import type {
  ChangesResult,
  FetchResult,
  WantedChanges,
  FetchContext,
} from '../../../src/pipeline/ports/source-client.ts';
import { isOfKind } from '../../../src/sources/index.ts';
import { woodwingClient } from '../../../src/sources/woodwing/client.ts';
import { secretsWith } from '../../support/secrets.ts';

/** Begins with a hyphen, which would say "not" in a query that does not quote it. */
export const assetId = '-q8_0aZtRxxK2mVbNcYp7W';
export const otherId = 'Nn4-copyOfHarbourJpg_1';
export const picture = Buffer.from('a picture');

export interface Seen {
  readonly method: string;
  /** Path and query, as they came. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Respond = (call: Seen, response: ServerResponse) => void;

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_call, response) => {
    response.writeHead(code, headers).end(body);
  };
export const bytes =
  (body: Uint8Array, contentType = 'image/jpeg'): Respond =>
  (_call, response) => {
    response.writeHead(200, { 'content-type': contentType }).end(body);
  };
export const json =
  (value: unknown, code = 200, headers: Record<string, string> = {}): Respond =>
  (_call, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };
/** An error as `/services/*` says it: with the status inside, and 200 outside. */
export const softError = (errorcode: number | string, headers: Record<string, string> = {}): Respond =>
  json({ errorcode, message: `what ${assetId} is about` }, 200, headers);
export const silence: Respond = () => undefined;

/** A search's answer that holds these hits. */
export const found = (...hits: object[]): Respond =>
  json({ firstResult: 0, maxResultHits: 50, totalHits: hits.length, hits, facets: {} });

/** A small library for odd cases: what it answers is a table of paths, which a test changes. */
export async function standIn({ home = '' }: { home?: string } = {}) {
  const seen: Seen[] = [];
  const table = new Map<string, Respond>();
  let logins = 0;
  let refusal: (token: string, path: string) => Respond | undefined = () => undefined;
  const loginPath = `${home}/services/apilogin`;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      seen.push(call);
      const refuse =
        call.path === loginPath
          ? undefined
          : refusal(String(call.headers.authorization).replace('Bearer ', ''), call.path);
      const respond =
        refuse ?? table.get(call.path) ?? table.get(call.path.split('?')[0] ?? '') ?? status(404);
      respond(call, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const on = (path: string, respond: Respond): void => void table.set(home + path, respond);

  on('/services/apilogin', (call, response) => {
    logins += 1;
    const authToken = `token-${logins}`;
    json({ loginSuccess: true, serverVersion: '6.100.0.1', authToken })(call, response);
  });
  return {
    origin,
    url: origin + home,
    seen,
    /** Logins that went well. */
    get logins() {
      return logins;
    },
    /** Paths of the calls that are no login. */
    get asked() {
      return seen.filter(({ path }) => path !== loginPath).map(({ path }) => path);
    },
    /** The forms that were sent to a path. */
    forms(path: string): Record<string, string>[] {
      return seen
        .filter((call) => call.path === home + path)
        .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    },
    /** Before everything but logins: how a token is refused. */
    guard(refuse: (token: string, path: string) => Respond | undefined): void {
      refusal = refuse;
    },
    on,
    /** A hit of this library, as a search shows it. */
    hit(given: object = {}, metadata: object = {}): object {
      return {
        id: assetId,
        permissions: 'VPUM-----',
        metadata: {
          filename: 'harbour.jpg',
          assetPath: '/Demo Zone/harbour.jpg',
          folderPath: '/Demo Zone',
          previewState: 'yes',
          ...metadata,
        },
        thumbnailUrl: `${origin}${home}/thumbnail/${assetId}/*/harbour_thumb.jpg?_=1`,
        previewUrl: `${origin}${home}/preview/${assetId}/previews/m.jpg/*/harbour_preview.jpg?_=1`,
        originalUrl: `${origin}${home}/file/${assetId}/*/harbour.jpg?_=5`,
        ...given,
      };
    },
    /** Puts an asset there, with its picture at every address that a hit or a base could lead to. */
    addAsset(given: object = {}, metadata: object = {}): void {
      on('/services/search', found(this.hit(given, metadata)));
      on(`/preview/${assetId}`, bytes(picture));
      for (const kind of ['thumbnail', 'preview']) on(`/api/asset/${assetId}/${kind}`, bytes(picture));
      on(`/thumbnail/${assetId}/*/harbour_thumb.jpg?_=1`, bytes(picture));
      on(`/preview/${assetId}/previews/m.jpg/*/harbour_preview.jpg?_=1`, bytes(picture));
    },
  };
}
export type StandIn = Awaited<ReturnType<typeof standIn>>;

export async function libraryWithAsset(given: object = {}, metadata: object = {}): Promise<StandIn> {
  const library = await standIn();
  library.addAsset(given, metadata);
  return library;
}

export function anEvent(given: Partial<AssetEvent> = {}): AssetEvent {
  return {
    id: 'event-1',
    type: 'asset_update_metadata',
    assetKind: 'asset',
    assetId,
    occurredAt: '2026-01-05T09:08:07.065Z',
    identifiers: [],
    data: { type: 'asset_update_metadata', assetId },
    ...given,
  };
}

/** An event that gave fields these new values. */
export function changeOf(newValues: Record<string, unknown>): AssetEvent {
  const changedMetadata = Object.fromEntries(
    Object.entries(newValues).map(([name, newValue]) => [name, { oldValue: 'something else', newValue }]),
  );
  return anEvent({ data: { type: 'asset_update_metadata', assetId, changedMetadata } });
}

export interface AskerGiven {
  settings?: Record<string, string>;
  password?: string | undefined;
  maxThumbnailBytes?: number;
  timeLimitMs?: number;
  limiter?: CallLimiter;
}

/** The client as the pipeline uses it: an admission a look-up. */
export function askerOf(url: string, given: AskerGiven = {}) {
  const read = readConfig({
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    SOURCES: 'photos',
    SOURCE_PHOTOS_KIND: 'woodwing',
    SOURCE_PHOTOS_URL: url,
    SOURCE_PHOTOS_USERNAME: 'kim@example.org',
    ...given.settings,
  });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const source = read.config.sources.get('photos');
  if (source === undefined || !isOfKind(source, 'woodwing')) throw new Error('no source');
  const logged: string[] = [];
  let now = Date.parse('2026-01-05T09:08:07Z');
  const system = woodwingClient({
    source,
    secrets: secretsWith({
      password: () => Promise.resolve('password' in given ? given.password : 'open & sesame+'),
    }),
    maxFiles: 100,
    maxThumbnailBytes: given.maxThumbnailBytes ?? 1_000_000,
    firstRetryDelayMs: 5_000,
    ...(given.timeLimitMs === undefined ? {} : { timeLimitMs: given.timeLimitMs }),
    log: (level, name, fields) => logged.push(JSON.stringify({ level, name, fields })),
    now: () => now,
  });
  const limiter = given.limiter ?? createCallLimiter({ maxAtOnce: 16, maxPerSecond: 0, now: Date.now });
  return {
    logged,
    pass(ms: number): void {
      now += ms;
    },
    async listChanges(wanted: WantedChanges): Promise<ChangesResult | undefined> {
      const permit = await limiter.acquire(60_000);
      if (permit === undefined) throw new Error('busy');
      try {
        return await system.listChanges?.(wanted, permit, new AbortController().signal);
      } finally {
        permit.end();
      }
    },
    async fetchAsset(
      context: Partial<FetchContext> = {},
      signal: AbortSignal = new AbortController().signal,
    ): Promise<FetchResult> {
      const permit = await limiter.acquire(60_000);
      if (permit === undefined) throw new Error('busy');
      try {
        return await system.fetchAsset({ kind: 'asset', id: assetId }, permit, signal, {
          event: anEvent(),
          laterEventKnown: false,
          removed: false,
          ...context,
        });
      } finally {
        permit.end();
      }
    },
  };
}
