import type { IncomingMessage, ServerResponse } from 'node:http';

interface Proxied {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Runs out when no invocation takes the request; undefined once one has. */
  timer: NodeJS.Timeout | undefined;
}

// The host makes a UUID in lower case for each invocation, and none twice.
const madeByHost = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const longestWaitMs = 5_000;

/**
 * The requests that the platform's host forwards to the library's HTTP server, by the id of their invocation. The build
 * puts this in the place of the library's own tables (`src/local/patch-library.ts`). That id is a header, which the host
 * adds only where the caller has not set it. The library emits it as the name of an event, so `error` ends the process,
 * and an id of the caller's own keeps a request and an invocation waiting for ever. Here neither waits longer than 5 s.
 */
export class ProxiedRequests {
  readonly #requests = new Map<string, Proxied>();
  readonly #waiting = new Map<string, (request: IncomingMessage) => void>();

  /** Takes a request in; one whose invocation id the host cannot have made is answered 400. */
  arrived(request: IncomingMessage, response: ServerResponse): void {
    const id = request.headers['x-ms-invocation-id'];
    if (typeof id !== 'string' || !madeByHost.test(id) || this.#requests.has(id)) return refuse(response);

    const proxied: Proxied = { request, response, timer: undefined };
    this.#requests.set(id, proxied);
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting(request);

    const forget = (): void => {
      if (proxied.timer === undefined) return;
      clearTimeout(proxied.timer);
      this.#requests.delete(id);
    };
    response.once('close', forget);
    proxied.timer = setTimeout(() => {
      forget();
      refuse(response);
    }, longestWaitMs);
  }

  /** The request of an invocation. Rejects where none comes. */
  async requestOf(id: string): Promise<IncomingMessage> {
    const there = this.#requests.get(id);
    if (there !== undefined) {
      clearTimeout(there.timer);
      there.timer = undefined;
      return there.request;
    }
    return await new Promise((resolve, reject) => {
      const giveUp = (): void => {
        if (this.#waiting.delete(id)) reject(new Error('No request came for this invocation.'));
      };
      // What arrived while the process was busy is looked at before it is given up.
      const timer = setTimeout(() => setImmediate(giveUp), longestWaitMs);
      this.#waiting.set(id, (request) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(request);
      });
    });
  }

  /** Where the answer to an invocation goes; it can be taken once. */
  takeResponse(id: string): ServerResponse {
    const proxied = this.#requests.get(id);
    if (proxied === undefined) throw new Error('There is no request of this invocation to answer.');
    this.#requests.delete(id);
    return proxied.response;
  }
}

export const proxiedRequests = new ProxiedRequests();

// With a body, because the host passes an answer without one on only when the invocation ends.
function refuse(response: ServerResponse): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"bad request"}');
}
