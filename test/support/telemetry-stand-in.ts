import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { generate } from 'selfsigned';
import { afterAll } from 'vitest';
import { listen } from './listen.ts';

/** One thing that happened, as a collector or Application Insights was told of it. */
export interface SeenSpan {
  readonly name: string;
  /** `server`, `client`, `producer`, `consumer` or `internal`. */
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  /** The traces that it is linked with. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface TelemetryStandIn {
  /** What the app is started with so that it sends here. */
  readonly env: Readonly<Record<string, string>>;
  /** The bodies that came, as text. */
  readonly bodies: { path: string; text: string }[];
}

type Answer = (request: IncomingMessage, response: ServerResponse, text: string) => void;

function taking(bodies: TelemetryStandIn['bodies'], answer: Answer) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
      bodies.push({ path: request.url ?? '', text });
      answer(request, response, text);
    });
  };
}

/** A collector that takes OTLP over HTTP as JSON; or, where it is to hang, never answers. */
export async function startCollector({ hangs = false } = {}): Promise<TelemetryStandIn> {
  const bodies: TelemetryStandIn['bodies'] = [];
  const answer: Answer = (_request, response) => {
    if (!hangs) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
  const port = await listen(createPlain(taking(bodies, answer)));
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  return { env, bodies };
}

/** What Application Insights takes, at an address of our own. */
export async function startIngestion(): Promise<TelemetryStandIn> {
  const bodies: TelemetryStandIn['bodies'] = [];
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const folder = await mkdtemp(join(tmpdir(), 'ingestion-'));
  afterAll(async () => await rm(folder, { recursive: true, force: true }));
  const certFile = join(folder, 'cert.pem');
  await writeFile(certFile, cert);
  const answer: Answer = (_request, response, text) => {
    const items = Array.isArray(JSON.parse(text)) ? (JSON.parse(text) as unknown[]).length : 1;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ itemsReceived: items, itemsAccepted: items, errors: [] }));
  };
  const port = await listen(createServer({ key, cert }, taking(bodies, answer)));
  const connectionString = `InstrumentationKey=00000000-0000-0000-0000-000000000007;IngestionEndpoint=https://localhost:${port}/;LiveEndpoint=https://localhost:${port}/`;
  return {
    env: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
      NODE_EXTRA_CA_CERTS: certFile,
      APPLICATION_INSIGHTS_NO_STATSBEAT: '1',
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    },
    bodies,
  };
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}
interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly links?: readonly { traceId: string }[];
  readonly attributes: readonly { key: string; value: OtlpValue }[];
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

export function otlpSpans({ bodies }: TelemetryStandIn): SeenSpan[] {
  return bodies
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ text }) => {
      const { resourceSpans } = JSON.parse(text) as {
        resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
      };
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    })
    .map(({ name, kind, traceId, spanId, parentSpanId = '', links = [], attributes }) => ({
      name,
      kind: kinds[kind] ?? '',
      traceId,
      spanId,
      parentId: parentSpanId,
      links: links.map((link) => link.traceId),
      attributes: Object.fromEntries(
        attributes.map(({ key, value }) => [
          key,
          value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue,
        ]),
      ),
    }));
}

export function otlpMetricNames({ bodies }: TelemetryStandIn): Set<string> {
  return new Set(
    bodies
      .filter(({ path }) => path === '/v1/metrics')
      .flatMap(({ text }) =>
        [...text.matchAll(/"name":"(asset_webhooks\.[a-z_.]+)"/g)].map(([, name = '']) => name),
      ),
  );
}

export interface Envelope {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: { readonly baseType: string; readonly baseData: Readonly<Record<string, unknown>> };
}

export function envelopes({ bodies }: TelemetryStandIn): Envelope[] {
  return bodies
    .filter(({ path }) => path.endsWith('/track'))
    .flatMap(({ text }) => JSON.parse(text) as Envelope[]);
}
