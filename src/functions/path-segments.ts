import type { HttpRequest } from '@azure/functions';

/**
 * What stands between the slashes of a request's path, as it came. From the path itself, because a caller's query can hide
 * a route's parameters (src/local/host/README.md).
 */
export function pathSegments(request: HttpRequest): string[] {
  return new URL(request.url).pathname.split('/').filter((segment) => segment !== '');
}
