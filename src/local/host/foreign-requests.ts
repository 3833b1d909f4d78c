import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteMatch } from './routes.ts';

/**
 * Refuses what a web page of somebody else asks of a route that needs a function key on the platform. No key is asked for
 * here, so every page in a browser on this machine, and every name that leads to it, would do.
 */
export function refuseForeign(call: {
  incoming: IncomingMessage;
  response: ServerResponse;
  route: RouteMatch;
}): boolean {
  const { authLevel = 'function' } = call.route.target.trigger;
  if (authLevel.toLowerCase() === 'anonymous') return false;
  const why = whyForeign(call.incoming);
  if (why === undefined) return false;
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  call.response.writeHead(403, headers).end(`This host answers here to its own machine only: ${why}.\n`);
  return true;
}

function whyForeign({ headers }: IncomingMessage): string | undefined {
  const { host = '', origin } = headers;
  // A name of somebody else's can be made to lead here.
  if (!isLoopback(host)) return 'the request names another one';
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return 'the request is of a page from elsewhere';
  const site = headers['sec-fetch-site'] ?? 'none';
  // A page on another port of this machine is of the same site.
  return site === 'none' || site === 'same-origin' ? undefined : 'the request is of a page from elsewhere';
}

function isLoopback(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname, username, pathname } = new URL(`http://${host}`);
  if (username !== '' || pathname !== '/') return false;
  return (
    hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname) || /^(?:.+\.)?localhost$/.test(hostname)
  );
}
