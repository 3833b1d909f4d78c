import type { RegisteredFunction } from './core-types.ts';

export interface RouteMatch {
  readonly target: RegisteredFunction;
  readonly params: ReadonlyMap<string, string>;
}

type Segment = { kind: 'literal' | 'name' | 'optional' | 'rest'; text: string };

interface Route {
  readonly target: RegisteredFunction;
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly Segment[];
}

/** The platform keeps these paths to itself. */
const reserved = /^\/(?:admin|runtime)(?:\/|$)/i;

/** Finds the function for a method and a path, without regard to case or to a slash at the end. */
export function routeTable(
  functions: readonly RegisteredFunction[],
  routePrefix: string,
): (method: string, path: string) => RouteMatch | undefined {
  const routes = functions
    .filter((target) => target.trigger.type.toLowerCase() === 'httptrigger')
    .map((target) => toRoute(target, routePrefix))
    .toSorted(byPrecedence);
  return (method, path) => {
    if (reserved.test(path)) return undefined;
    const segments = path.replace(/^\//, '').replace(/\/$/, '').split('/');
    for (const route of routes) {
      const params = route.methods.has(method) ? match(route.segments, segments) : undefined;
      if (params !== undefined) return { target: route.target, params };
    }
    return undefined;
  };
}

function toRoute(target: RegisteredFunction, routePrefix: string): Route {
  const { route, methods } = target.trigger;
  const whole = [routePrefix, route ?? target.metadata.name].filter((part) => part !== '').join('/');
  return {
    target,
    methods: new Set((methods ?? ['GET', 'POST']).map((method) => method.toUpperCase())),
    segments: whole
      .replace(/^\//, '')
      .replace(/\/$/, '')
      .split('/')
      .map((part) => toSegment(part, target.metadata.name)),
  };
}

function toSegment(part: string, functionName: string): Segment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase() };
  const [, star, text, optional] = /^\{(\*{0,2})(\w+)(\??)\}$/.exec(part) ?? [];
  if (text === undefined) {
    throw new Error(`The route of ${functionName} has "${part}", which this host does not know.`);
  }
  if (star !== '') return { kind: 'rest', text };
  return { kind: optional === '' ? 'name' : 'optional', text };
}

function match(route: readonly Segment[], path: readonly string[]): Map<string, string> | undefined {
  const params = new Map<string, string>();
  for (const [index, segment] of route.entries()) {
    if (segment.kind === 'rest') {
      const rest = path.slice(index).join('/');
      if (rest !== '') params.set(segment.text, rest);
      return params;
    }
    const given = path[index] ?? '';
    if (segment.kind === 'literal') {
      if (given.toLowerCase() !== segment.text) return undefined;
    } else if (given !== '') params.set(segment.text, given);
    else if (segment.kind === 'name') return undefined;
  }
  return path.length <= route.length ? params : undefined;
}

/** What is written out goes before what is a name, segment by segment. */
function byPrecedence(a: Route, b: Route): number {
  const weight = { literal: 0, name: 1, optional: 2, rest: 3 };
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index];
    if (other === undefined) return -1;
    const difference = weight[segment.kind] - weight[other.kind];
    if (difference !== 0) return difference;
  }
  return a.segments.length - b.segments.length;
}
