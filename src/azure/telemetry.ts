import type { AzureMonitorExporterOptions } from '@azure/monitor-opentelemetry-exporter';
import { context, metrics, propagation, SpanKind, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, W3CTraceContextPropagator, type ExportResult } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { errorName } from '../pipeline/ports/errors.ts';
import type { Log } from '../pipeline/ports/log.ts';
import { azureCredential } from './credential.ts';
import { once } from './storage-clients.ts';
import { traceStorage } from './storage-spans.ts';

export interface TelemetrySettings {
  /** Of Application Insights. */
  readonly connectionString: string | undefined;
  /** Base address of an OTLP/HTTP collector. */
  readonly otlpEndpoint: string | undefined;
  readonly metricsEveryMs: number;
  /** True where the key in the connection string opens nothing. */
  readonly asIdentity: boolean;
  readonly clientId: string | undefined;
  readonly instance: string;
}

const heldBackMs = 2_000;
const sentWithinMs = 10_000;

/**
 * Sends spans and metrics to Application Insights, and spans, metrics and log lines to an OTLP collector, as far as the
 * settings name them; in Azure the platform itself takes the log lines. What cannot be delivered is dropped, and slows
 * nothing. Gives what sends all that is held back, and never throws.
 */
export function startTelemetry(settings: TelemetrySettings, log: Log): () => Promise<void> {
  const { connectionString, otlpEndpoint, metricsEveryMs } = settings;
  // They are large, and needed only when there is something to send.
  const exporters = once(async () => await import('./telemetry-exporters.ts'));
  const late = lateExporters(log);
  const azure = once(async () => await azureOptions(connectionString, settings));
  const timing = { scheduledDelayMillis: heldBackMs, exportTimeoutMillis: sentWithinMs };
  const metricTiming = {
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: Math.min(metricsEveryMs, sentWithinMs),
  };
  const spanExporters = [
    ...(connectionString === undefined
      ? []
      : [late(async () => new (await exporters()).AzureMonitorTraceExporter(await azure()))]),
    ...(otlpEndpoint === undefined
      ? []
      : [late(async () => new (await exporters()).OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` }))]),
  ];
  const metricExporters = [
    ...(connectionString === undefined
      ? []
      : [
          {
            ...late(async () => new (await exporters()).AzureMonitorMetricExporter(await azure())),
            selectAggregationTemporality: () => AggregationTemporality.DELTA,
          },
        ]),
    ...(otlpEndpoint === undefined
      ? []
      : [
          late(async () => new (await exporters()).OTLPMetricExporter({ url: `${otlpEndpoint}/v1/metrics` })),
        ]),
  ];
  const logExporters =
    otlpEndpoint === undefined
      ? []
      : [late(async () => new (await exporters()).OTLPLogExporter({ url: `${otlpEndpoint}/v1/logs` }))];

  const resource = resourceFromAttributes({
    'service.name': 'asset-webhooks',
    'service.instance.id': settings.instance,
  });
  const tracerProvider = new BasicTracerProvider({
    resource,
    spanProcessors: [
      nameConsumers,
      ...spanExporters.map((exporter) => new BatchSpanProcessor(exporter, timing)),
    ],
  });
  const meterProvider = new MeterProvider({
    resource,
    readers: metricExporters.map(
      (exporter) => new PeriodicExportingMetricReader({ exporter, ...metricTiming }),
    ),
  });
  const loggerProvider = new LoggerProvider({
    resource,
    processors: logExporters.map((exporter) => new BatchLogRecordProcessor({ exporter, ...timing })),
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
  logs.setGlobalLoggerProvider(loggerProvider);
  traceStorage();
  return async () => {
    const providers = [tracerProvider, meterProvider, loggerProvider];
    await Promise.allSettled(providers.map(async (provider) => await provider.forceFlush()));
  };
}

// Application Insights calls the work on a message a request, and gives it no name but this.
const nameConsumers: SpanProcessor = {
  onStart(span) {
    if (span.kind === SpanKind.CONSUMER) span.setAttribute('ai.operation.name', span.name);
  },
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};

async function azureOptions(
  connectionString: string | undefined,
  { asIdentity, clientId }: TelemetrySettings,
): Promise<AzureMonitorExporterOptions> {
  return {
    ...(connectionString === undefined ? {} : { connectionString }),
    // What cannot be delivered would be written to the disk of the instance.
    disableOfflineStorage: true,
    ...(asIdentity ? { credential: await azureCredential({ managedIdentity: true, clientId }) } : {}),
  };
}

interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Makes exporters that are loaded with the first that there is to send; where one cannot be, that is told once. */
function lateExporters(log: Log): <Items>(load: () => Promise<Exporter<Items>>) => Required<Exporter<Items>> {
  let told = false;
  const tell = (error: unknown): void => {
    if (told) return;
    told = true;
    log('warn', 'telemetry-not-started', { error: errorName(error) });
  };
  return (load) => {
    const loaded = once(load);
    return {
      export(items, done) {
        loaded()
          .then((exporter) => exporter.export(items, done))
          .catch((error: unknown) => {
            tell(error);
            done({ code: ExportResultCode.FAILED });
          });
      },
      forceFlush: async () => await (await loaded()).forceFlush?.(),
      shutdown: async () => await (await loaded()).shutdown(),
    };
  };
}
