import { beforeAll, describe, expect, it } from 'vitest';
import { createHmac } from 'node:crypto';
import { addSampleLibrary } from '../../src/local/simulators/preservica/sample-library.ts';
import { startAppUnderTest, until, webhookSecret, type AppUnderTest } from '../support/app-under-test.ts';
import {
  envelopes,
  otlpMetricNames,
  otlpSpans,
  startCollector,
  startIngestion,
  type SeenSpan,
  type TelemetryStandIn,
} from '../support/telemetry-stand-in.ts';

/** Lets samples be ingested; gives how many events came of it. */
async function ingest(app: AppUnderTest): Promise<number> {
  expect(await app.subscribe()).toBe(200);
  const samples = addSampleLibrary(app.preservica.library);
  await app.preservica.happen('FULL_TEXT_INDEXED', samples);
  await app.settled(samples.length);
  return samples.length;
}

/** A delivery as the source sends it, with the trace that a sender chose. */
async function deliver(app: AppUnderTest, traceparent: string, timestamp: string): Promise<number> {
  const body = JSON.stringify({
    subscriptionId: 's',
    timestamp,
    trigger: 'MOVED',
    events: [{ entityType: 'IO', entityRef: '11111111-2222-4333-8444-555555555555' }],
  });
  const signature = createHmac('sha256', webhookSecret)
    .update(`preservica-webhook-auth${body}`)
    .digest('hex');
  const answer = await fetch(`${app.host.url}/webhooks/archive`, {
    method: 'POST',
    headers: { 'preservica-signature': signature, traceparent },
    body,
  });
  await answer.text();
  return answer.status;
}

function noSecretIn({ bodies }: TelemetryStandIn, app: AppUnderTest): void {
  const all = bodies.map(({ text }) => text).join('\n');
  const { username, password } = app.preservica.settings.account;
  for (const secret of [
    webhookSecret,
    password,
    username,
    'Harbour, looking north',
    'MS/42/7',
    'a-key-that-somebody',
  ])
    expect(all).not.toContain(secret);
  // Signatures and tokens are long and hexadecimal, as ids of traces are not.
  expect(all).not.toMatch(/[0-9a-f]{64}/);
  expect(all).not.toMatch(/Preservica-Access-Token|SharedKey|Bearer|challengeResponse/i);
}

describe('with a collector', () => {
  let collector: TelemetryStandIn;
  let app: AppUnderTest;
  beforeAll(async () => {
    collector = await startCollector();
    app = await startAppUnderTest(collector.env);
    await ingest(app);
  });

  const consumerOf = async (): Promise<SeenSpan> =>
    await until(async () => otlpSpans(collector).find(({ kind }) => kind === 'consumer'));

  it('an event is one trace from the call through the queue to the source and storage', async () => {
    const consumer = await consumerOf();
    const trace = await until(async () => {
      const spans = otlpSpans(collector).filter(({ traceId }) => traceId === consumer.traceId);
      return spans.some(({ kind }) => kind === 'server') ? spans : undefined;
    });
    const server = trace.find(({ kind }) => kind === 'server');
    expect(server).toMatchObject({
      name: 'POST /webhooks/{source}',
      parentId: '',
      attributes: {
        'http.response.status_code': 200,
        'asset_webhooks.source': 'archive',
        'asset_webhooks.verdict': 'delivery-kept',
      },
    });
    expect(trace.find(({ kind }) => kind === 'producer')?.parentId).toBe(server?.spanId);
    expect(trace.filter(({ kind }) => kind === 'consumer').map(({ parentId }) => parentId)).toContain(
      server?.spanId,
    );
    const calls = trace.filter(({ kind }) => kind === 'client');
    const ofConsumer = calls.filter(({ parentId }) => parentId === consumer.spanId);
    const addresses = new Set(ofConsumer.map(({ attributes }) => String(attributes['url.full'])));
    const preservica = new URL(app.preservica.url).host;
    expect([...addresses].some((address) => address.includes(preservica))).toBe(true);
    expect(calls.some(({ name }) => name.startsWith('Queue'))).toBe(true);
    expect(ofConsumer.some(({ name }) => /^(?:Table|Blob|BlockBlob)/.test(name))).toBe(true);
    expect([...addresses].filter((address) => address.includes('?'))).toEqual([]);
  });

  it('a sender does not decide what belongs together', async () => {
    const chosen = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    const before = otlpSpans(collector).length;
    for (const second of [1, 2])
      expect(await deliver(app, chosen, `2026-01-05T09:08:0${second}.065`)).toBe(200);
    const servers = await until(async () => {
      const found = otlpSpans(collector)
        .slice(before)
        .filter(({ kind }) => kind === 'server');
      return found.length >= 2 ? found : undefined;
    });
    expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(servers.length);
    expect(servers.map(({ traceId }) => traceId)).not.toContain('ab'.repeat(16));
  });

  it('log lines carry the trace, and metrics say how much', async () => {
    const names = await until(async () => {
      const found = otlpMetricNames(collector);
      return found.has('asset_webhooks.event.lag') && found.has('asset_webhooks.source.calls')
        ? found
        : undefined;
    });
    expect([...names]).toEqual(
      expect.arrayContaining(['asset_webhooks.deliveries', 'asset_webhooks.events', 'asset_webhooks.logins']),
    );
    const lines = app.host.lines.filter((line) => line.startsWith('{"event":"event-ended"'));
    const traces = new Set(otlpSpans(collector).map(({ traceId }) => traceId));
    expect(lines.map((line) => traces.has(String(JSON.parse(line).traceId)))).toEqual(lines.map(() => true));
    const logs = collector.bodies.filter(({ path }) => path === '/v1/logs').map(({ text }) => text);
    const ended = logs
      .join('\n')
      .match(/\{[^{}]*"body":\{"stringValue":"event-ended"\}.*?"traceId":"([0-9a-f]{32})"/);
    expect(ended).not.toBeNull();
    expect(otlpSpans(collector).map(({ traceId }) => traceId)).toContain(ended?.[1]);
  });

  it('a delivery that comes twice is measured as a duplicate', async () => {
    const chosen = `00-${'ef'.repeat(16)}-${'cd'.repeat(8)}-01`;
    const time = '2026-01-05T09:09:09.065';
    expect(await deliver(app, chosen, time)).toBe(200);
    expect(await deliver(app, chosen, time)).toBe(200);
    await until(async () => otlpMetricNames(collector).has('asset_webhooks.event.duplicates') || undefined);
  });

  it('the call and the work are linked with what the platform traces', async () => {
    const consumer = await consumerOf();
    expect(consumer.links).toHaveLength(1);
    expect(consumer.links).not.toContain(consumer.traceId);
    expect(otlpSpans(collector).find(({ kind }) => kind === 'server')?.links).toHaveLength(1);
  });

  it('nothing secret or personal goes out', async () => {
    await consumerOf();
    const before = otlpSpans(collector).length;
    const answer = await fetch(`${app.host.url}/webhooks/archive?secret_key=a-key-that-somebody-offers`);
    await answer.text();
    await until(async () => {
      const since = otlpSpans(collector).slice(before);
      return since.find(({ attributes }) => Number(attributes['http.response.status_code']) >= 400);
    });
    noSecretIn(collector, app);
  });
});

describe('with Application Insights', () => {
  let ingestion: TelemetryStandIn;
  let app: AppUnderTest;
  beforeAll(async () => {
    ingestion = await startIngestion();
    app = await startAppUnderTest(ingestion.env);
    await ingest(app);
  });

  it('the requests and dependencies of an event are one operation', async () => {
    const operation = await until(async () => {
      const all = envelopes(ingestion);
      const consumer = all.find(
        ({ data }) => data.baseType === 'RequestData' && data.baseData['name'] === 'process asset-events',
      );
      const id = consumer?.tags['ai.operation.id'];
      const of = all.filter(({ tags }) => tags['ai.operation.id'] === id);
      return of.some(({ data }) => data.baseData['name'] === 'POST /webhooks/{source}') ? of : undefined;
    });
    const types = operation.map(({ data }) => data.baseType);
    expect(types.filter((type) => type === 'RequestData').length).toBeGreaterThanOrEqual(2);
    const targets = operation
      .filter(({ data }) => data.baseType === 'RemoteDependencyData')
      .map(({ data }) => JSON.stringify(data.baseData));
    expect(targets.some((target) => target.includes(new URL(app.preservica.url).pathname))).toBe(true);
    noSecretIn(ingestion, app);
    const metrics = await until(async () => {
      const found = envelopes(ingestion).filter(({ data }) => data.baseType === 'MetricData');
      return found.length > 0 ? found : undefined;
    });
    expect(JSON.stringify(metrics)).toContain('asset_webhooks.');
  });
});

describe('with a collector that never answers', () => {
  it('events end as if there were none', async () => {
    const collector = await startCollector({ hangs: true });
    const app = await startAppUnderTest(collector.env);
    expect(await ingest(app)).toBeGreaterThan(3);
    await until(async () => (collector.bodies.length > 0 ? true : undefined));
    expect(await deliver(app, '', '2026-01-05T09:08:07.065')).toBe(200);
  });
});
