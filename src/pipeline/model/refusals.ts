import * as z from 'zod';

/**
 * Why calls are refused for good. The list is fixed: whoever calls picks among these, and can make no new ones. What a
 * receiver says beyond them counts as `other`.
 */
export const refusalCodes = [
  'wrong-signature',
  'no-signature',
  'malformed-signature',
  'method',
  'too-large',
  'challenge-code-not-answerable',
  'challenge-with-signature-or-body',
  'no-question',
  'echo-not-answerable',
  'malformed-key',
  'key-not-expected',
  'not-json',
  'too-dense',
  'unknown-shape',
  'other',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

const Refused = z.object({
  code: z.enum(refusalCodes),
  count: z.number(),
  /** The first and the latest that count, ISO 8601. */
  since: z.string(),
  last: z.string(),
});

/** Calls of a source that were refused for one reason. */
export type Refused = z.infer<typeof Refused>;
/** What is kept of a source: at most one entry a code. */
export const Refusals = z.array(Refused).readonly();
export type Refusals = z.infer<typeof Refusals>;
