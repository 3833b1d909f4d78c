import type { Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { refuse, reply } from './answers.ts';

export interface Page {
  readonly start: number;
  readonly limit: number;
}

/** Answers for a page that was rightly asked for. */
export function forPage({ query }: Exchange, answer: (page: Page) => Answer): Answer {
  const start = pythonInteger(query.get('start'));
  const limit = pythonInteger(query.get('limit'));
  const right =
    start !== undefined &&
    limit !== undefined &&
    start >= 0 &&
    start <= 999_999_999_999_999 &&
    limit >= 1 &&
    limit <= 100;
  return right ? answer({ start, limit }) : refuse(400, 'Invalid limit or start parameter');
}

/** These records of that page under that name; 204 where there are none. */
export function listed(name: string, records: Iterable<object>, { start, limit }: Page): Answer {
  const window = [...records].slice(start, start + limit);
  if (window.length === 0) return { status: 204, headers: {}, body: Buffer.alloc(0) };
  const next = window.length === limit ? { next_start: start + limit } : {};
  return reply({ [name]: window, ...next });
}

function pythonInteger(text: string | null): number | undefined {
  const [, sign, digits] = /^\s*([+-]?)(\d+(?:_\d+)*)\s*$/.exec(text ?? '') ?? [];
  if (digits === undefined) return undefined;
  return Number(digits.replaceAll('_', '')) * (sign === '-' ? -1 : 1);
}
