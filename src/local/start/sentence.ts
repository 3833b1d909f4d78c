/** What went wrong, for people: its words, and no stack. */
export function sentenceFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}
