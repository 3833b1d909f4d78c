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
import { errorName } from './errors.ts';

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

/** Measures one call to another system, in seconds; `status` is that of its answer, or why there was none. */
export function measureCall(
  seconds: number,
  about: { system: string; operation: string; status: string },
): void {
  metrics
    .getMeter('asset-webhooks')
    .createHistogram('asset_webhooks.source.calls', { description: 'Calls to a source', unit: 's' })
    .record(seconds, about);
}

/** Counts a login at a system. */
export function countLogin(system: string, outcome: 'taken' | 'failed'): void {
  metrics
    .getMeter('asset-webhooks')
    .createCounter('asset_webhooks.logins', { description: 'Logins at a source' })
    .add(1, { system, outcome });
}
