import { Cron } from 'croner';
import * as z from 'zod';

// What the value of a setting may be. No message shows the value.

export function wholeNumber(least: number, most: number) {
  const words = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, words)
    .transform(Number)
    .refine((n) => n >= least && n <= most, words);
}

export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `must be one of: ${words.join(', ')}` });
}

// A blank at the end of an address is a copying error that nobody means.
const trimmed = (error = 'must be an address') => z.string({ error }).transform((text) => text.trim());

/** An http or https address without user, query or fragment. */
export const webAddress = trimmed().refine(
  isWebAddress,
  'must be an http or https address without user, query or fragment',
);

/** The same without a slash at its end. */
export const baseAddress = webAddress.transform((url) => url.replace(/\/+$/, ''));

/** Where a system's API is; every source whose system is asked needs it. */
export const apiAddress = trimmed("must be the base address of the system's API")
  .refine(isWebAddress, 'must be an http or https address without user, query or fragment')
  .transform((url) => url.replace(/\/+$/, ''));

/** Of a page for people: it may hold a query, a fragment and where an id goes. */
export const pageAddress = trimmed()
  .refine(
    (text) => /^https?:\/\/[^/@]+(\/|$)/i.test(text) && URL.canParse(text),
    'must be an http or https address without user',
  )
  .transform((url) => url.replace(/\/+$/, ''));

export const vaultAddress = trimmed().refine(
  (text) => isWebAddress(text) && text.startsWith('https:'),
  'must be the https address of a key vault',
);

/** The texts that stand in `local.settings.json.example` where a secret goes. */
export const placeholders: readonly string[] = [
  'choose at least 16 ASCII characters',
  'the password of that account',
];

// One at the end of a secret is a copying error as well, but who takes it away changes the secret.
function secretOf(schema: z.ZodString) {
  return schema
    .refine((text) => text.trim() === text, 'must not begin or end with a blank or a line end')
    .refine((text) => !placeholders.includes(text), 'must not be the text of the example file');
}

/** Any printable ASCII: a space may stand inside a secret. */
export const webhookSecret = secretOf(
  z.string().regex(/^[\x20-\x7e]{1,512}$/, {
    error: 'must be 1 to 512 printable ASCII characters',
    abort: true,
  }),
);

/** A password or a key: any text. */
export const secretText = secretOf(z.string().max(4096, 'must be at most 4096 characters'));

export const totpSeed = secretOf(
  z.string().regex(/^[A-Za-z2-7 ]{8,256}=*$/, { error: 'must be a base-32 seed', abort: true }),
);

export const anyText = z.string().max(4096, 'must be at most 4096 characters');

export const secondsList = z
  .string()
  .regex(/^\s*\d{1,6}\s*(,\s*\d{1,6}\s*){0,49}$/, 'must be seconds, comma separated, each at most 604800')
  .transform((list) => list.split(',').map(Number))
  .refine((list) => list.every((seconds) => seconds <= 604_800), 'must be seconds, each at most 604800');

export const fieldNames = z
  .string()
  .regex(
    /^\s*[A-Za-z0-9_.-]{1,128}\s*(,\s*[A-Za-z0-9_.-]{1,128}\s*){0,199}$/,
    'must be names of metadata fields, comma separated',
  )
  .transform((list) => list.split(',').map((name) => name.trim()));

/** RFC 6901. */
export const jsonPointer = z
  .string()
  .max(1024, 'must be at most 1024 characters')
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'must be a JSON Pointer such as /asset/id');

/** When a timer runs: only what both the platform and our own host understand. */
export const sixFieldCron = z
  .string()
  .refine(isSixFieldCron, 'must be a cron expression of six fields, seconds first, such as 0 */15 * * * *');

export const pastTime = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'must be a date or a time such as 2026-01-05 or 2026-01-05T09:00:00Z',
  })
  .transform((text) => Date.parse(text));

export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:');
}

function isSixFieldCron(text: string): boolean {
  if (!/^[\dA-Za-z*/,-]+(?: [\dA-Za-z*/,-]+){5}$/.test(text)) return false;
  try {
    return new Cron(text, { mode: '6-part', paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** The settings whose names begin so, by what follows. */
export function settingsBelow(
  prefix: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** What a schema finds wrong, each fault with the whole name of its setting. */
export function faultsOf(error: z.ZodError, prefix: string): string[] {
  return error.issues.map((issue) => `${prefix}${String(issue.path[0] ?? '')}: ${issue.message}`);
}
