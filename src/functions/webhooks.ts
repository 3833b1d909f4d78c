import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { acceptDelivery, type AcceptDeps, type AcceptSource } from '../pipeline/accept/accept-delivery.ts';
import { DeadlineError, withDeadline } from '../pipeline/accept/deadline.ts';
import { errorName } from '../pipeline/ports/errors.ts';
import type { Log, LogName } from '../pipeline/ports/log.ts';
import type { Receiver, Verdict } from '../pipeline/ports/receiver.ts';
import {
  activeTraceparent,
  inSpan,
  SpanKind,
  SpanStatusCode,
  traceOf,
  type Span,
} from '../pipeline/ports/telemetry.ts';
import type { RefusalCounter } from '../pipeline/ports/refusal-store.ts';
import type { Secrets } from '../pipeline/ports/secrets.ts';
import { callVerifier, type VerifyResult } from '../pipeline/accept/verify-call.ts';
import type { OfferSecret, Windows } from '../pipeline/ports/rotation-windows.ts';
import { isDeclaredLarger, type Bodies } from './bodies.ts';
import { logOf } from './log.ts';

export interface WebhookDeps extends Omit<AcceptDeps, 'log'> {
  readonly sources: ReadonlyMap<string, { receiver: Receiver }>;
  readonly secrets: Secrets;
  readonly windows: Windows;
  /** Takes what is offered to each source. */
  readonly offers: ReadonlyMap<string, OfferSecret>;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  /** How long one look at the place of the secrets is enough for all whose signature fits none. */
  readonly refreshEveryMs: number;
  readonly maxDeliveryBytes: number;
  readonly bodies: Bodies;
}

// Senders wait 5 s for an answer. Keeping a delivery gets at most 3.5 s of that.
const answeredWithinMs = 4_800;

const answers = {
  // Some senders take nothing for an answer that is no JSON.
  kept: { status: 200, jsonBody: {} },
  malformed: { status: 400, jsonBody: { error: 'bad request' } },
  notProved: { status: 401, jsonBody: { error: 'not proved' } },
  notNow: { status: 403, jsonBody: { error: 'not now' } },
  unknownSource: { status: 404 },
  tooLarge: { status: 413, jsonBody: { error: 'too large' } },
  tryLater: { status: 503, headers: { 'retry-after': '30' }, jsonBody: { error: 'try again later' } },
} satisfies Record<string, HttpResponseInit>;

/** `/webhooks/{source}`: proves a call, keeps it, and only then says 200. Never throws, and tells a stranger nothing. */
export function webhooks(deps: WebhookDeps): HttpHandler {
  const accepting = new Map(
    [...deps.sources].map(([name, { receiver }]) => {
      const offer = deps.offers.get(name);
      if (offer === undefined) throw new Error(`nothing takes what is offered to ${name}`);
      return [name, { name, receiver, offer, verify: callVerifier(name, receiver, deps) }];
    }),
  );
  let refusals = 0;
  const answerCall = async (
    request: HttpRequest,
    context: InvocationContext,
    span: Span,
  ): Promise<HttpResponseInit> => {
    const log = logOf(context);
    try {
      const { answer, name, fields } = await receive(request, context, { ...deps, accepting }, log);
      const { status } = answer;
      const { source, why } = fields;
      span.setAttributes({ 'http.response.status_code': status, 'asset_webhooks.verdict': name });
      if (source !== undefined) span.setAttribute('asset_webhooks.source', source);
      const refused = status >= 400;
      if (refused) refusals += 1;
      // What is put off comes again, and is not refused for good.
      if (refused && status < 500 && typeof source === 'string') deps.refusals.count(source, String(why));
      log(refused ? 'warn' : 'info', name, { ...fields, status, ...(refused ? { refusals } : {}) });
      return answer;
    } catch (error) {
      // Most of all our storage, or the time it took: the sender keeps the event and comes again.
      const { status } = answers.tryLater;
      span.setAttributes({ 'http.response.status_code': status, 'error.type': errorName(error) });
      span.setStatus({ code: SpanStatusCode.ERROR });
      const source = sourceNameOf(new URL(request.url));
      log('error', 'delivery-not-kept', {
        ...(accepting.has(source) ? { source } : {}),
        status,
        error: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown',
      });
      return answers.tryLater;
    }
  };
  return async (request, context) => {
    const about = {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': request.method, 'http.route': '/webhooks/{source}' },
      // The sender chose it: it must not decide what belongs together.
      parent: traceOf(undefined),
      linked: traceOf(traceparentOf(context)),
    };
    return await inSpan(
      'POST /webhooks/{source}',
      about,
      async (span) => await answerCall(request, context, span),
    );
  };
}

interface Received {
  readonly answer: HttpResponseInit & { status: number };
  /** What the log says of it. */
  readonly name: Extract<
    LogName,
    | 'unknown-source'
    | 'delivery-kept'
    | 'delivery-refused'
    | 'handshake-answered'
    | 'secret-kept'
    | 'secret-refused'
    | 'secret-not-kept'
  >;
  readonly fields: Readonly<Record<string, string | number>>;
}

async function receive(
  request: HttpRequest,
  context: InvocationContext,
  deps: WebhookDeps & { accepting: ReadonlyMap<string, AcceptSource & { offer: OfferSecret }> },
  log: Log,
): Promise<Received> {
  const receivedAt = new Date(deps.now());
  const url = new URL(request.url);
  const sourceName = sourceNameOf(url);
  const source = deps.accepting.get(sourceName);
  if (source === undefined) return { answer: answers.unknownSource, name: 'unknown-source', fields: {} };
  const refused = (answer: Received['answer'], why: string): Received => ({
    answer,
    name: 'delivery-refused',
    fields: { source: sourceName, why },
  });
  const { receiver } = source;
  if (!receiver.methods.some((method) => method === request.method)) {
    return refused({ status: 405, headers: { allow: receiver.methods.join(', ') } }, 'method');
  }

  if (isDeclaredLarger(request, deps.maxDeliveryBytes)) return refused(answers.tooLarge, 'too-large');
  const head = {
    method: request.method,
    query: url.searchParams,
    headers: new Map(request.headers),
  };
  const alone = receiver.verifyWithoutSecret(head);
  if (alone?.kind === 'secret-offered') {
    return await takeSecret(alone, { source: source.name, offer: source.offer, leftMs: timeLeft() });
  }
  if (alone !== undefined) return answerTo(alone, sourceName, refused);

  const maxBytes = Math.min(deps.maxDeliveryBytes, receiver.unsignedBodyBytes?.(head) ?? Infinity);
  return await deps.bodies.read(request, maxBytes, async (body) => {
    if (body.kind === 'too-large') return refused(answers.tooLarge, 'too-large');
    if (body.kind === 'no-room') return refused(answers.tryLater, 'no-room');
    if (body.kind === 'broken') return refused(answers.tryLater, 'broken-body');

    const accepted = await acceptDelivery(
      { ...head, body: body.bytes, receivedAt, traceparent: activeTraceparent() ?? traceparentOf(context) },
      source,
      timeLeft(),
      { ...deps, log },
    );
    const fields = { source: source.name, bytes: body.bytes.byteLength };
    switch (accepted.kind) {
      case 'kept': {
        const { deliveryId: delivery, events, secret } = accepted;
        return {
          answer: answers.kept,
          name: 'delivery-kept',
          fields: { ...fields, delivery, events, secret },
        };
      }
      case 'unreadable': {
        const { deliveryId: delivery, why } = accepted;
        return { answer: answers.malformed, name: 'delivery-refused', fields: { ...fields, delivery, why } };
      }
      default:
        return answerTo(accepted, source.name, refused);
    }
  });
}

// The path itself and not the route's parameter, which a caller's query can take away (src/local/host/README.md).
function sourceNameOf({ pathname }: URL): string {
  return pathname.replace(/\/$/, '').split('/').at(-1) ?? '';
}

/** How much is left of the time in which an answer must be out, which begins now. */
function timeLeft(): () => number {
  const startedAt = performance.now();
  return () => Math.max(0, answeredWithinMs - (performance.now() - startedAt));
}

/** The trace that this call is part of (W3C Trace Context, version 00), where there is one. */
function traceparentOf(context: InvocationContext): string | undefined {
  const given = context.traceContext?.traceParent ?? '';
  return /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given) ? given : undefined;
}

function answerTo(
  verdict: Exclude<VerifyResult, { kind: 'proved' }>,
  source: string,
  refused: (answer: Received['answer'], why: string) => Received,
): Received {
  switch (verdict.kind) {
    case 'handshake':
      return {
        answer: {
          status: 200,
          headers: { 'x-content-type-options': 'nosniff' },
          jsonBody: verdict.answer,
        },
        name: 'handshake-answered',
        fields: { source },
      };
    case 'not-proved':
      return refused(answers.notProved, verdict.why);
    case 'unverifiable':
      return refused(answers.tryLater, verdict.why);
    case 'refused':
      return refused(answers.malformed, verdict.why);
    default:
      return verdict satisfies never;
  }
}

/** A new secret counts only while the operator expects it; refused, both sides go on with the one they have. */
async function takeSecret(
  { which, value }: Extract<Verdict, { kind: 'secret-offered' }>,
  { source, offer, leftMs }: { source: string; offer: OfferSecret; leftMs: () => number },
): Promise<Received> {
  const fields = { source, which };
  const outcome = await withDeadline(
    leftMs(),
    async (signal) => await offer({ which, value }, { leftMs, signal }),
  ).catch((error: unknown) => {
    if (!(error instanceof DeadlineError)) throw error;
    return { kind: 'not-kept' as const, error: error.message };
  });
  switch (outcome.kind) {
    case 'taken':
      return { answer: answers.kept, name: 'secret-kept', fields };
    case 'refused':
      return {
        answer: answers.notNow,
        name: 'secret-refused',
        fields: { ...fields, why: 'key-not-expected' },
      };
    case 'not-kept':
      return {
        answer: answers.tryLater,
        name: 'secret-not-kept',
        fields: { ...fields, error: outcome.error },
      };
    default:
      return outcome satisfies never;
  }
}
