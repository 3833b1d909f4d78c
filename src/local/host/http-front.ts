import { randomUUID } from 'node:crypto';
import { request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { httpBindingData } from './binding-data.ts';
import { answeredHeaders, forwardedHeaders, isJson, joinedHeaders } from './http-headers.ts';
import type { Invocations } from './invocations.ts';
import { jsonObject } from './json-object.ts';
import type { LibraryServer } from './library-server.ts';
import type { HostLog } from './log.ts';
import { refuseForeign } from './foreign-requests.ts';
import { readPath, writePath } from './request-path.ts';
import type { RouteMatch } from './routes.ts';

export interface HttpFront {
  readonly findRoute: (method: string, path: string) => RouteMatch | undefined;
  readonly invocations: Invocations;
  readonly library: LibraryServer;
  readonly functionTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly log: HostLog;
}

const longestQuery = 8100;
const longestRequestLine = 8192;
/** How long what is left of an upload is still read after its answer has gone. */
const drainMs = 5000;
/** How long an upload may stand still because the function does not read it, before the caller gets 500. */
const blockedMs = 8000;
const pauseMs = 500;

/** Takes requests the way the platform does: finds the function, tells it what came, and passes the bytes on as they flow. */
export function httpFront(front: HttpFront): (incoming: IncomingMessage, response: ServerResponse) => void {
  return (incoming, response) => {
    const url = incoming.url ?? '/';
    const method = incoming.method ?? 'GET';
    const queryAt = url.indexOf('?');
    const search = queryAt === -1 ? '' : url.slice(queryAt);
    if (search.length > longestQuery || url.length + method.length + 11 > longestRequestLine) {
      return answerEmpty(response, 414);
    }
    const path = readPath(queryAt === -1 ? url : url.slice(0, queryAt));
    const route = front.findRoute(method, path);
    if (route === undefined) return answerEmpty(response, 404);
    if (refuseForeign({ incoming, response, route })) return;
    if (Number(incoming.headers['content-length'] ?? 0) > front.maxBodyBytes) {
      return answerEmpty(response, 500);
    }

    const to = writePath(path) + search;
    const headers = joinedHeaders(incoming);
    const call = { incoming, response, route, to, search, headers };
    const declared = Number(headers['content-length'] ?? 0) > 0;
    if (!declared || !isJson(headers['content-type'])) return pass(front, call, undefined);

    // The platform reads such a body whole before the function hears of the call, to find binding data in it.
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => pass(front, call, Buffer.concat(chunks)));
    incoming.on('error', () => response.destroy());
  };
}

interface HttpCall {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: RouteMatch;
  readonly to: string;
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
}

function pass(front: HttpFront, call: HttpCall, body: Buffer | undefined): void {
  const { response, headers, route } = call;
  if (response.destroyed) return;
  const id = randomUUID();
  const startedAt = performance.now();
  const forward = forwardRequest(front, call, { id, body });

  const json = body === undefined ? undefined : jsonObject(new TextDecoder().decode(body));
  const query = new URLSearchParams(call.search);
  const triggerMetadata = httpBindingData({ json, query, params: route.params, headers });
  const { target } = route;
  const traceParent = headers['traceparent'];
  void front.invocations.run({ id, target, input: {}, triggerMetadata, traceParent }).then((outcome) => {
    switch (outcome.kind) {
      case 'done':
        if (outcome.result === undefined || outcome.result === null) answerEmpty(response, 204);
        return;
      case 'unanswerable':
      case 'timed-out':
        return answerEmpty(response, 500);
      case 'threw': {
        // With streaming on nobody tells the caller, who waits until the function's time is over.
        const left = front.functionTimeoutMs - (performance.now() - startedAt);
        const timer = setTimeout(() => answerEmpty(response, 500), Math.max(0, left));
        response.once('close', () => clearTimeout(timer));
        return;
      }
      default:
        return outcome satisfies never;
    }
  });
  response.once('close', () => leaveBehind(call.incoming, forward));
}

function forwardRequest(
  front: HttpFront,
  { incoming, response, to, headers }: HttpCall,
  own: { id: string; body: Buffer | undefined },
): ClientRequest {
  const chunked = incoming.headers['transfer-encoding'] !== undefined;
  const forward = request({
    host: '127.0.0.1',
    port: front.library.port,
    agent: front.library.agent,
    method: incoming.method,
    path: to,
    headers: forwardedHeaders(headers, { invocationId: own.id, chunked }),
  });
  forward.on('response', (answer) => {
    flowsOn(forward);
    // An answer of the library's server itself is none of the function's: without a body, as 431 is, it waits for the
    // invocation's end; with one it is passed on.
    if (answer.headers['x-ms-invocation-id'] === undefined && !hasBody(answer)) {
      front.log.host(`The request was refused on its way to the function, with ${answer.statusCode ?? 0}.`);
      answer.resume();
      return;
    }
    if (response.headersSent || response.destroyed) {
      answer.resume();
      return;
    }
    void uploadFlows(incoming, forward).then((flows) => {
      if (response.headersSent || response.destroyed) return answer.resume();
      if (!flows) {
        forward.destroy();
        return answerEmpty(response, 500);
      }
      response.writeHead(answer.statusCode ?? 500, answeredHeaders(answer));
      answer.on('error', () => response.destroy());
      answer.pipe(response, { end: false });
      answer.once('end', () => endOnceRead(incoming, forward, response));
    });
  });
  // A function that tore its request cut its own connection; the platform has nothing better to say then.
  forward.on('error', () => answerEmpty(response, 500));

  if (own.body !== undefined) forward.end(own.body);
  else if (chunked || headers['content-length'] !== undefined) stream(front, incoming, forward, response);
  else forward.end();
  return forward;
}

/**
 * Waits as the platform does, which reads no answer before it has sent the request. What the function left unread then
 * stands in a connection that the next request takes. False where the function does not read what still comes. A
 * caller that pauses has its answer at once; what the platform does then was not seen.
 */
async function uploadFlows(incoming: IncomingMessage, forward: ClientRequest): Promise<boolean> {
  const ended = new Promise((resolve) => forward.once('finish', resolve).once('close', resolve));
  let bytes = -1;
  let blockedUntil = performance.now() + blockedMs;
  while (!forward.writableFinished) {
    const received = incoming.socket.bytesRead;
    const pauses = received === bytes && !incoming.complete && forward.socket?.writableNeedDrain !== true;
    if (forward.destroyed || pauses) return true;
    if (received !== bytes) blockedUntil = performance.now() + blockedMs;
    else if (performance.now() > blockedUntil) return false;
    bytes = received;
    await Promise.race([ended, delay(pauseMs)]);
  }
  return true;
}

/** Lets an upload go on after its answer: Node's client hears of no more room in a socket from which an answer came. */
function flowsOn(forward: ClientRequest): void {
  const { socket } = forward;
  const drained = (): void => void forward.emit('drain');
  socket?.on('drain', drained);
  forward.once('close', () => socket?.off('drain', drained));
}

function hasBody(answer: IncomingMessage): boolean {
  return (
    answer.headers['transfer-encoding'] !== undefined || Number(answer.headers['content-length'] ?? 0) > 0
  );
}

function stream(
  front: HttpFront,
  incoming: IncomingMessage,
  forward: ClientRequest,
  response: ServerResponse,
): void {
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= front.maxBodyBytes || forward.destroyed) return;
    answerEmpty(response, 500);
    forward.destroy();
  });
  incoming.on('error', () => forward.destroy());
  incoming.pipe(forward);
}

/**
 * Ends an answer. Where the connection ends with it, the caller's upload is read out first: closed on a caller that still
 * sends, a connection is reset, and the answer can be lost on it.
 */
function endOnceRead(incoming: IncomingMessage, forward: ClientRequest, response: ServerResponse): void {
  if (incoming.complete || response.shouldKeepAlive) {
    response.end();
    return;
  }
  incoming.unpipe(forward);
  incoming.resume();
  const timer = setTimeout(() => response.end(), drainMs);
  incoming.once('close', () => {
    clearTimeout(timer);
    response.end();
  });
}

/** The caller has its answer, or went away: what the function did not read of the request is read here and dropped. */
function leaveBehind(incoming: IncomingMessage, forward: ClientRequest): void {
  forward.destroy();
  if (incoming.complete) return;
  incoming.unpipe(forward);
  incoming.resume();
  const timer = setTimeout(() => incoming.destroy(), drainMs);
  incoming.once('close', () => clearTimeout(timer));
}

function answerEmpty(response: ServerResponse, status: number): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) response.destroy();
  else response.writeHead(status, status === 204 ? {} : { 'content-length': 0 }).end();
}
