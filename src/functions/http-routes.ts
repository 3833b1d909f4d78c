import { app, type HttpFunctionOptions, type HttpHandler } from '@azure/functions';
import { health } from './health.ts';
import { logOf } from './log.ts';

/** Every HTTP route: where it is, its methods, and whose key opens it. */
const routes = {
  health: { route: 'health', methods: ['GET'], authLevel: 'anonymous' },
  webhooks: { route: 'webhooks/{source}', methods: ['GET', 'POST'], authLevel: 'anonymous' },
  'list-events': { route: 'events', methods: ['GET'], authLevel: 'function' },
  'show-event': { route: 'events/{id}', methods: ['GET'], authLevel: 'function' },
  'replay-event': { route: 'events/{id}/replay', methods: ['POST'], authLevel: 'function' },
  'replay-many': { route: 'replays', methods: ['POST'], authLevel: 'function' },
  'show-replay': { route: 'replays/{id}', methods: ['GET'], authLevel: 'function' },
  'list-runs': { route: 'runs', methods: ['GET'], authLevel: 'function' },
  'show-run': { route: 'runs/{id}', methods: ['GET'], authLevel: 'function' },
  'replay-run': { route: 'runs/{id}/replay', methods: ['POST'], authLevel: 'function' },
  'asset-event-schema': { route: 'schemas/asset-event.json', methods: ['GET'], authLevel: 'anonymous' },
  'show-asset': { route: 'assets/{source}/{assetId}', methods: ['GET'], authLevel: 'function' },
  'show-thumbnail': { route: 'assets/{source}/{assetId}/thumbnail', methods: ['GET'], authLevel: 'function' },
  'list-sources': { route: 'sources', methods: ['GET'], authLevel: 'function' },
  'pause-source': { route: 'sources/{source}/pause', methods: ['POST'], authLevel: 'function' },
  'resume-source': { route: 'sources/{source}/resume', methods: ['POST'], authLevel: 'function' },
  'catch-up': { route: 'sources/{source}/catch-up', methods: ['POST'], authLevel: 'function' },
  'open-window': { route: 'sources/{source}/window', methods: ['POST'], authLevel: 'function' },
} satisfies Record<string, Omit<HttpFunctionOptions, 'handler'>>;

/** What answers at every route that needs settings. */
export type LiveHandlers = Readonly<Record<Exclude<keyof typeof routes, 'health'>, HttpHandler>>;

/**
 * Registers every route; without handlers, because the settings are faulty, only `/health` is live. Where staff sign in, no
 * key opens a route of theirs: the platform must have let the caller in.
 */
export function registerRoutes(
  handlers: LiveHandlers | undefined,
  staffSignIn?: { readonly isOn: boolean },
): void {
  const live: Readonly<Record<string, HttpHandler>> = { ...handlers, health };
  for (const [name, route] of Object.entries(routes)) {
    const handler = live[name] ?? unavailable;
    if (staffSignIn === undefined || route.authLevel === 'anonymous') app.http(name, { ...route, handler });
    else app.http(name, { ...route, authLevel: 'anonymous', handler: signedIn(handler, staffSignIn) });
  }
}

/**
 * Lets in whom the platform signed in. Without its sign-in anybody could write the header that it writes; with it, a path that
 * it leaves out comes without.
 */
function signedIn(handler: HttpHandler, { isOn }: { isOn: boolean }): HttpHandler {
  return async (request, context) => {
    if (!isOn) {
      logOf(context)('error', 'sign-in-is-off');
      return { status: 503, jsonBody: { error: 'Sign-in with Entra is not on; the README says how.' } };
    }
    if (request.headers.get('x-ms-client-principal') === null)
      return { status: 401, jsonBody: { error: 'Sign in with Entra.' } };
    return await handler(request, context);
  };
}

// The senders keep what they have, and come again.
const unavailable: HttpHandler = () => ({
  status: 503,
  headers: { 'retry-after': '60' },
  jsonBody: { error: 'try again later' },
});
