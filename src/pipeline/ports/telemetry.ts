import {
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { errorName, UpstreamError } from './errors.ts';

export { SpanKind, SpanStatusCode, type Span };

/** The trace that a W3C `traceparent` names, as a parent; no trace where it names none. */
export function traceOf(traceparent: string | null | undefined): Context {
  return traceparent == null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}

/** The `traceparent` of what is under way; undefined where nobody traces. */
export function activeTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** The trace of what is under way; undefined where nobody traces. */
export function activeTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

/** What the conventions want of a span about our queue. */
export function queueAttributes(operation: 'send' | 'process'): Attributes {
  return {
    'messaging.system': 'azure_storage_queues',
    'messaging.destination.name': 'asset-events',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
  };
}

/**
 * Does work inside a span, which ends with it; what is thrown goes on, and makes the span a failed one. `parent` takes the
 * place of the span that is under way, `linked` is another trace that this one comes from. Costs next to nothing where nobody
 * traces.
 */
export async function inSpan<T>(
  name: string,
  about: { kind: SpanKind; attributes: Attributes; parent?: Context; linked?: Context },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { kind, attributes, parent = context.active(), linked } = about;
  const link = linked && trace.getSpanContext(linked);
  const options = { kind, attributes, links: link === undefined ? [] : [{ context: link }] };
  const tracer = trace.getTracer('asset-webhooks');
  return await tracer.startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setAttribute('error.type', errorName(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * Does one call to another system inside a span, and measures it: by the status of its answer, or by why there was none.
 * `attributes` hold nothing that is a secret.
 */
export async function tracedCall<Answer extends { readonly status: number }>(
  { system, operation, attributes }: { system: string; operation: string; attributes: Attributes },
  call: () => Promise<Answer>,
): Promise<Answer> {
  const startedAt = performance.now();
  let status = 'unknown';
  try {
    return await inSpan(operation, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const answer = await call();
      status = String(answer.status);
      span.setAttribute('http.response.status_code', answer.status);
      if (answer.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    });
  } catch (error) {
    status = error instanceof UpstreamError ? error.code : errorName(error);
    throw error;
  } finally {
    metrics
      .getMeter('asset-webhooks')
      .createHistogram('asset_webhooks.source.calls', { description: 'Calls to a source', unit: 's' })
      .record((performance.now() - startedAt) / 1_000, { system, operation, status });
  }
}

/** Counts a login at a system. */
export function countLogin(system: string, outcome: 'taken' | 'failed'): void {
  metrics
    .getMeter('asset-webhooks')
    .createCounter('asset_webhooks.logins', { description: 'Logins at a source' })
    .add(1, { system, outcome });
}
