import { useInstrumenter, type Instrumenter, type TracingSpan } from '@azure/core-tracing';
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
} from '@opentelemetry/api';

const operation = Symbol('what an SDK does');

/**
 * Makes each request of the Azure SDKs a span, named by what the SDK does; that itself has none. Nothing goes in but the
 * request's method, host, path and status. Nothing is sent to storage.
 */
export function traceStorage(): void {
  useInstrumenter(instrumenter);
}

const instrumenter: Instrumenter = {
  startSpan(name, { spanKind, tracingContext = ROOT_CONTEXT, spanAttributes = {} }) {
    if (spanKind !== 'client')
      return { span: noSpan, tracingContext: tracingContext.setValue(operation, name) };
    const known = tracingContext.getValue(operation);
    const span = trace
      .getTracer('asset-webhooks')
      .startSpan(
        typeof known === 'string' ? known : name,
        { kind: SpanKind.CLIENT, attributes: requestAttributes(spanAttributes) },
        context.active(),
      );
    return { span: requestSpan(span), tracingContext };
  },
  withContext: (_tracingContext, callback, ...args) => callback(...args),
  parseTraceparentHeader: () => undefined,
  createRequestHeaders: () => ({}),
};

const noSpan: TracingSpan = {
  setStatus: () => undefined,
  setAttribute: () => undefined,
  end: () => undefined,
  recordException: () => undefined,
  isRecording: () => false,
};

function requestSpan(span: Span): TracingSpan {
  return {
    setStatus: ({ status }) => {
      if (status === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
    },
    setAttribute: (name, value) => {
      if (name === 'http.status_code' && typeof value === 'number')
        span.setAttribute('http.response.status_code', value);
    },
    end: () => span.end(),
    recordException: () => undefined,
    isRecording: () => span.isRecording(),
  };
}

function requestAttributes(given: Readonly<Record<string, unknown>>): Attributes {
  const { 'http.url': address, 'http.method': method } = given;
  if (typeof address !== 'string' || !URL.canParse(address)) return {};
  const { origin, hostname, pathname } = new URL(address);
  return {
    ...(typeof method === 'string' ? { 'http.request.method': method } : {}),
    'server.address': hostname,
    'url.full': origin + pathname,
  };
}
