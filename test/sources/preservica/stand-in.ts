import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Permit } from '../../../src/pipeline/ports/permit.ts';
import type {
  ChangesResult,
  FetchResult,
  WantedChanges,
  WantedAsset,
} from '../../../src/pipeline/ports/source-client.ts';
import { createCallLimiter, type CallLimiter } from '../../../src/pipeline/concurrency/call-limiter.ts';
import { isOfKind } from '../../../src/sources/index.ts';
import { preservicaClient } from '../../../src/sources/preservica/client.ts';
import { configFor } from '../../support/config.ts';
import { secretsWith } from '../../support/secrets.ts';
import { anEvent } from '../../support/work-bench.ts';

export const assetId = '11111111-2222-4333-8444-555555555555';
export const folderId = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const fragmentId = '99999999-8888-4777-8666-555555555555';

export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Respond = (call: Seen, response: ServerResponse) => void;

/** A small archive for odd cases: what it answers is a table of paths, which a test changes. */
export async function standIn() {
  const seen: Seen[] = [];
  const table = new Map<string, Respond>();
  let logins = 0;
  let refusal: (token: string, path: string) => number | undefined = () => undefined;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      seen.push(call);
      const code = call.path.startsWith('/api/accesstoken/')
        ? undefined
        : refusal(String(call.headers['preservica-access-token']), call.path);
      if (code !== undefined) {
        status(code)(call, response);
        return;
      }
      const respond = table.get(call.path) ?? table.get(call.path.split('?')[0] ?? '') ?? status(404);
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
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  table.set('/api/accesstoken/login', (call, response) => {
    logins += 1;
    json({ success: true, token: `token-${logins}`, 'refresh-token': 'r', validFor: 15 })(call, response);
  });
  return {
    url,
    seen,
    get logins() {
      return logins;
    },
    /** Calls that are no login. */
    get asked() {
      return seen.filter(({ path }) => !path.startsWith('/api/accesstoken/')).map(({ path }) => path);
    },
    /** Before everything but logins: the status that a token is refused with. */
    guard(refuse: (token: string, path: string) => number | undefined): void {
      refusal = refuse;
    },
    on(path: string, respond: Respond): void {
      table.set(path, respond);
    },
    /** Puts an asset there. `linkBase` is what the addresses in its documents begin with. */
    addAsset(given: AssetGiven = {}): void {
      for (const [path, document] of assetDocuments({ linkBase: url, ...given }))
        table.set(path, xml(document));
      table.set(thumbnailPath('IO', assetId), bytes(Buffer.from('a picture'), 'image/png'));
    },
    addFolder(): void {
      const home = `/api/entity/structural-objects/${folderId}`;
      table.set(home, xml(entityDocument({ element: 'StructuralObject', id: folderId, linkBase: url })));
      table.set(`${home}/identifiers`, xml(identifiersDocument()));
    },
  };
}
export type StandIn = Awaited<ReturnType<typeof standIn>>;

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_call, response) => {
    response.writeHead(code, headers).end(body);
  };
export const bytes =
  (body: Uint8Array, contentType: string): Respond =>
  (_call, response) => {
    response.writeHead(200, { 'content-type': contentType }).end(body);
  };
export const xml = (document: string): Respond =>
  bytes(Buffer.from(document), 'application/xml;charset=UTF-8');
export const json =
  (value: unknown, code = 200): Respond =>
  (_call, response) => {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
export const silence: Respond = () => undefined;

export const thumbnailPath = (code: 'IO' | 'SO', id: string, size = 'large'): string =>
  `/api/content/thumbnail?id=sdb%3A${code}%7C${id}&size=${size}`;
export const home = `/api/entity/information-objects/${assetId}`;
export const contentObjectId = (serial: number): string =>
  `22222222-3333-4444-8555-${String(serial).padStart(12, '0')}`;

interface AssetGiven {
  /** For each representation how many bitstreams each of its content objects has. */
  representations?: { type: string; contentObjects: number[] }[];
  linkBase?: string;
  extra?: string;
}

function assetDocuments(given: AssetGiven & { linkBase: string }): Map<string, string> {
  const { linkBase, representations = [{ type: 'Preservation', contentObjects: [1] }] } = given;
  const documents = new Map<string, string>();
  documents.set(
    home,
    entityDocument({ element: 'InformationObject', id: assetId, linkBase, extra: given.extra }),
  );
  documents.set(`${home}/identifiers`, identifiersDocument());
  documents.set(
    `${home}/representations`,
    document(
      'RepresentationsResponse',
      `<Representations>${representations
        .map(
          ({ type }) =>
            `<Representation type="${type}" name="${type}-1">${linkBase}${home}/representations/${type}/1</Representation>`,
        )
        .join('')}</Representations>`,
    ),
  );
  let serial = 0;
  for (const { type, contentObjects } of representations) {
    const references = contentObjects.map((bitstreams) => {
      serial += 1;
      addContentObject(documents, { serial, bitstreams, linkBase });
      return contentObjectId(serial);
    });
    documents.set(`${home}/representations/${type}/1`, representationDocument(type, references));
  }
  return documents;
}

function addContentObject(
  documents: Map<string, string>,
  { serial, bitstreams, linkBase }: { serial: number; bitstreams: number; linkBase: string },
): void {
  const path = `/api/entity/content-objects/${contentObjectId(serial)}/generations`;
  documents.set(path, generationsDocument([`<Generation active="true">${linkBase}${path}/1</Generation>`]));
  const numbers = Array.from({ length: bitstreams }, (_, index) => index + 1);
  const links = numbers.map(
    (number) => `<Bitstream filename="f">${linkBase}${path}/1/bitstreams/${number}</Bitstream>`,
  );
  documents.set(`${path}/1`, generationDocument(links));
  for (const number of numbers)
    documents.set(`${path}/1/bitstreams/${number}`, bitstreamDocument(`page-${serial}-${number}.tif`));
}

export const document = (root: string, inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<${root} xmlns="http://preservica.com/EntityAPI/v8.1" xmlns:xip="http://preservica.com/XIP/v8.1">${inside}</${root}>`;
export const representationDocument = (type: string, references: string[]): string =>
  document(
    'RepresentationResponse',
    `<xip:Representation><xip:Type>${type}</xip:Type><xip:ContentObjects>${references
      .map((reference) => `<xip:ContentObject>${reference}</xip:ContentObject>`)
      .join('')}</xip:ContentObjects></xip:Representation><ContentObjects/>`,
  );
export const generationsDocument = (generations: string[]): string =>
  document('GenerationsResponse', `<Generations>${generations.join('')}</Generations>`);
export const generationDocument = (bitstreams: string[]): string =>
  document(
    'GenerationResponse',
    `<xip:Generation original="true" active="true"><xip:Bitstreams><xip:Bitstream>only a name</xip:Bitstream></xip:Bitstreams></xip:Generation><Bitstreams>${bitstreams.join('')}</Bitstreams>`,
  );
export const bitstreamDocument = (name: string, size = '1048576'): string =>
  document(
    'BitstreamResponse',
    `<xip:Bitstream><xip:Filename>${name}</xip:Filename><xip:FileSize>${size}</xip:FileSize><xip:Fixities>
<xip:Fixity><xip:FixityAlgorithmRef>sha256</xip:FixityAlgorithmRef><xip:FixityValue>e3b0</xip:FixityValue></xip:Fixity></xip:Fixities></xip:Bitstream>`,
  );
export const identifiersDocument = (paging = '<TotalResults>1</TotalResults>', value = 'MS/42/7'): string =>
  document(
    'IdentifiersResponse',
    `<Identifiers><xip:Identifier><xip:ApiId>a</xip:ApiId><xip:Type>CatalogueRef</xip:Type><xip:Value>${value}</xip:Value></xip:Identifier></Identifiers><Paging>${paging}</Paging>`,
  );
export const entityDocument = (given: {
  element: string;
  id: string;
  linkBase: string;
  extra?: string | undefined;
}): string =>
  document(
    'EntityResponse',
    `<xip:${given.element}><xip:Ref>${given.id}</xip:Ref><xip:Title>Harbour &amp; quay, looking north</xip:Title>
<xip:Description>Glass negative</xip:Description><xip:SecurityTag>open</xip:SecurityTag>
<xip:CustomType>Photograph</xip:CustomType><xip:Parent>${folderId.toUpperCase()}</xip:Parent>${given.extra ?? ''}</xip:${given.element}>
<AdditionalInformation><Metadata><Fragment schema="http://purl.org/dc/elements/1.1/">${given.linkBase}${home}/metadata/${fragmentId}</Fragment></Metadata></AdditionalInformation>`,
  );

export const expectedFragment = { schema: 'http://purl.org/dc/elements/1.1/', ref: fragmentId };

/** A limiter with room for all that notes how many calls were wanted, and how many at once. */
export function watchedGate() {
  const limiter = createCallLimiter({ maxAtOnce: 1000, maxPerSecond: 0, now: Date.now });
  let wanted = 0;
  let most = 0;
  let total = 0;
  return {
    get total() {
      return total;
    },
    get most() {
      return most;
    },
    limiter: {
      inUse: 0,
      waiting: 0,
      setMaxAtOnce: (given) => limiter.setMaxAtOnce(given),
      async acquire(maxWaitMs: number): Promise<Permit | undefined> {
        const permit = await limiter.acquire(maxWaitMs);
        if (permit === undefined) return undefined;
        const call = async <T>(work: () => Promise<T>): Promise<T> => {
          total += 1;
          most = Math.max(most, (wanted += 1));
          try {
            return await permit.call(work);
          } finally {
            wanted -= 1;
          }
        };
        return { call, end: () => permit.end() };
      },
    } satisfies CallLimiter,
  };
}

export interface AskerGiven {
  settings?: Record<string, string>;
  password?: string | undefined;
  totpSeed?: string;
  maxFiles?: number;
  maxThumbnailBytes?: number;
  timeLimitMs?: number;
  limiter?: CallLimiter;
  now?: number;
}

/** The client as the pipeline uses it: an admission a look-up. */
export function askerOf(url: string, given: AskerGiven = {}) {
  const config = configFor('UseDevelopmentStorage=true', {
    SOURCE_ARCHIVE_URL: url,
    SOURCE_ARCHIVE_PORTAL_URL: 'https://portal.example.org',
    ...given.settings,
  });
  const source = config.sources.get('archive');
  if (source === undefined || !isOfKind(source, 'preservica')) throw new Error('no source');
  const logged: string[] = [];
  let now = given.now ?? Date.parse('2026-01-05T09:08:07Z');
  const secrets = secretsWith({
    password: () => Promise.resolve('password' in given ? given.password : 'open sesame'),
    totpSeed: () => Promise.resolve(given.totpSeed),
  });
  const system = preservicaClient({
    source,
    secrets,
    maxFiles: given.maxFiles ?? 100,
    maxThumbnailBytes: given.maxThumbnailBytes ?? 1_000_000,
    firstRetryDelayMs: 5_000,
    ...(given.timeLimitMs === undefined ? {} : { timeLimitMs: given.timeLimitMs }),
    log: (level, name, fields) => logged.push(JSON.stringify({ level, name, fields })),
    now: () => now,
  });
  const limiter = given.limiter ?? createCallLimiter({ maxAtOnce: 16, maxPerSecond: 0, now: Date.now });
  return {
    limiter,
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
      asset: WantedAsset = { kind: 'asset', id: assetId },
      signal: AbortSignal = new AbortController().signal,
      /** What the pipeline writes down between being admitted and asking. */
      meanwhile?: () => Promise<void>,
    ): Promise<FetchResult> {
      const permit = await limiter.acquire(60_000);
      if (permit === undefined) throw new Error('busy');
      await meanwhile?.();
      try {
        return await system.fetchAsset(asset, permit, signal, {
          event: anEvent(),
          laterEventKnown: false,
          removed: false,
        });
      } finally {
        permit.end();
      }
    },
  };
}
