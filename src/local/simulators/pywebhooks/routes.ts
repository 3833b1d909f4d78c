import type { Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { internalError, methodNotAllowed, notFound, unsupportedMediaType } from './answers.ts';

/** Answers a call; the id is what follows the path, if anything does. */
export type Handler = (exchange: Exchange, id: string | undefined) => Answer | Promise<Answer>;

/** What can be done at one path, without the id. */
export interface Route {
  readonly takesId: boolean;
  readonly methods: Readonly<Partial<Record<'GET' | 'PATCH' | 'POST' | 'DELETE', Handler>>>;
}

export type Routes = ReadonlyMap<string, Route>;

/** Finds who answers, once the call says that it is JSON. */
export async function answerByRoute(exchange: Exchange, routes: Routes): Promise<Answer> {
  const type = exchange.headers['content-type'];
  if (type === undefined) return internalError();
  if (!String(type).toLowerCase().startsWith('application/json')) return unsupportedMediaType();
  const found = find(exchange.segments, routes);
  if (found === undefined) return notFound();
  const { route, id } = found;
  const methods = new Map(Object.entries(route.methods));
  const allow = [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (exchange.method === 'OPTIONS')
    return {
      status: 200,
      headers: { allow, 'content-type': 'text/html; charset=utf-8' },
      body: Buffer.alloc(0),
    };
  const handler = methods.get(exchange.method === 'HEAD' ? 'GET' : exchange.method);
  return handler === undefined ? methodNotAllowed(allow) : await handler(exchange, id);
}

function find(
  segments: readonly string[],
  routes: Routes,
): { route: Route; id: string | undefined } | undefined {
  if (segments.some((segment) => segment.includes('/'))) return undefined;
  const whole = routes.get(segments.join('/'));
  if (whole !== undefined) return { route: whole, id: undefined };
  const parent = routes.get(segments.slice(0, -1).join('/'));
  return parent?.takesId === true ? { route: parent, id: segments.at(-1) } : undefined;
}
