import type { HttpRequest } from '@azure/functions';
import * as z from 'zod';
import { mostListed } from '../pipeline/model/list-limit.ts';
import { sanitizeText } from '../pipeline/model/sanitize-text.ts';

/** What every list takes beside its filters: how much of it, and from where on. */
export const paging = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, `must be a number from 1 to ${mostListed}`)
    .transform((text) => Math.min(Number(text), mostListed))
    .default(50),
  after: z
    .string()
    .regex(/^\d{13}:[A-Za-z0-9_-]{0,128}$/, 'must be what an earlier answer gave as next')
    .optional(),
};

/** The query of a list, or what is wrong with it. */
export function listQuery<Schema extends z.ZodObject>(
  request: HttpRequest,
  schema: Schema,
): { value: z.output<Schema> } | { error: string } {
  const { searchParams } = new URL(request.url);
  const fault = oddName(searchParams, Object.keys(schema.shape));
  if (fault !== undefined) return { error: fault };
  const read = schema.safeParse(Object.fromEntries([...searchParams].filter(([, value]) => value !== '')));
  if (read.success) return { value: read.data };
  return { error: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
}

/** A filter that is not there, or is there twice, would find something else than was asked for. */
function oddName(given: URLSearchParams, known: readonly string[]): string | undefined {
  // The platform takes a function key also as `code`.
  const names = [...given.keys()].filter((name) => name !== 'code');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    return `There is no filter "${sanitizeText(unknown, 100)}"; there are: ${known.join(', ')}.`;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `${twice}: is given more than once`;
}
