import { app, type HttpFunctionOptions, type HttpHandler } from '@azure/functions';

/** Every HTTP door that needs settings: its route, its methods, and whose key opens it. */
export const routes = {
  webhooks: { route: 'webhooks/{source}', methods: ['GET', 'POST'], authLevel: 'anonymous' },
  'list-events': { route: 'events', methods: ['GET'], authLevel: 'function' },
  'show-event': { route: 'events/{id}', methods: ['GET'], authLevel: 'function' },
  'show-asset': { route: 'assets/{source}/{assetId}', methods: ['GET'], authLevel: 'function' },
  'show-thumbnail': { route: 'assets/{source}/{assetId}/thumbnail', methods: ['GET'], authLevel: 'function' },
  'list-sources': { route: 'sources', methods: ['GET'], authLevel: 'function' },
  'open-window': { route: 'sources/{source}/window', methods: ['POST'], authLevel: 'function' },
} satisfies Record<string, Omit<HttpFunctionOptions, 'handler'>>;

/** Registers every door with what answers there. */
export function registerRoutes(handlers: Readonly<Record<keyof typeof routes, HttpHandler>>): void {
  const all: Readonly<Record<string, Omit<HttpFunctionOptions, 'handler'>>> = routes;
  for (const [name, handler] of Object.entries(handlers)) app.http(name, { ...all[name], handler });
}

/** Answers at every door while the settings are faulty: the senders keep what they have and come again. */
export const unavailable: HttpHandler = () => ({
  status: 503,
  headers: { 'retry-after': '60' },
  jsonBody: { error: 'try again later' },
});
