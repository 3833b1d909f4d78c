import { describe, expect, it } from 'vitest';
import { readPath, writePath } from '../../../src/local/host/request-path.ts';
import { routeTable } from '../../../src/local/host/routes.ts';

function table(...given: [name: string, route: string | undefined, methods?: string[]][]) {
  const functions = given.map(([name, route, methods]) => {
    const trigger = {
      type: 'httpTrigger',
      direction: 'in' as const,
      ...(route !== undefined && { route }),
      ...(methods !== undefined && { methods }),
    };
    return {
      metadata: { name, bindings: { trigger } },
      callback: () => undefined,
      trigger,
      triggerName: 'trigger',
    };
  });
  const find = routeTable(functions, 'api');
  return (method: string, path: string) => {
    const found = find(method, path);
    return found && [found.target.metadata.name, Object.fromEntries(found.params)];
  };
}

describe('a route table', () => {
  const find = table(
    ['one', 'events/{id}'],
    ['replay', 'events/{id}/replay', ['post']],
    ['all', 'events'],
    ['fixed', 'events/latest', ['GET']],
    ['rest', 'files/{*path}'],
    ['maybe', 'maybe/{a?}'],
    ['unrouted', undefined],
  );

  it.each([
    ['GET', '/api/events/7', ['one', { id: '7' }]],
    ['GET', '/api/events/latest', ['fixed', {}]],
    ['POST', '/api/events/latest', ['one', { id: 'latest' }]],
    ['POST', '/api/events/7/replay/', ['replay', { id: '7' }]],
    ['GET', '/api/events/7/replay', undefined],
    ['GET', '/api/events/', ['all', {}]],
    ['GET', '/api/files/a/b', ['rest', { path: 'a/b' }]],
    ['GET', '/api/maybe', ['maybe', {}]],
    ['GET', '/API/Maybe/x', ['maybe', { a: 'x' }]],
    ['GET', '/api/unrouted', ['unrouted', {}]],
    ['GET', '/events/7', undefined],
    ['GET', '/api/events//', undefined],
  ])('finds for %s %s', (method, path, found) => {
    expect(find(method, path)).toEqual(found);
  });

  it('refuses a route that it cannot follow', () => {
    expect(() => table(['strict', 'events/{id:int}'])).toThrow('The route of strict has "{id:int}"');
  });
});

describe('a path', () => {
  it.each([
    ['/a%20b', '/a b', '/a%20b'],
    ['/a%2Fb%2fc', '/a%2Fb%2fc', '/a%252Fb%252fc'],
    ['/%C3%A9', '/é', '/%C3%A9'],
    ['/%FF', '/%FF', '/%25FF'],
    ['/100%', '/100%', '/100%25'],
    ['/a/../b/./c', '/b/c', '/b/c'],
    ['/%2e%2e/b', '/b', '/b'],
    ["/~!$&'()*+,;=:@-._", "/~!$&'()*+,;=:@-._", "/~!$&'()*+,;=:@-._"],
  ])('%s is read as %s and written as %s', (raw, read, written) => {
    expect(readPath(raw)).toBe(read);
    expect(writePath(readPath(raw))).toBe(written);
  });
});
