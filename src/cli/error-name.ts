/** How a system or a service names what went wrong, in a word; the text of an error might hold what was to be kept. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string' && /^[A-Za-z0-9_.-]{1,60}$/.test(error.code))
    return error.code;
  // Of the Azure SDK, where a service gave no code.
  return 'statusCode' in error && typeof error.statusCode === 'number'
    ? String(error.statusCode)
    : error.name;
}
