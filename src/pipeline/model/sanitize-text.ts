// Line and paragraph separators end a line like a control character does, and turns of the writing direction reach over
// what stands beside the text. The marks that Hebrew and Arabic are written with turn nothing, and stay.
const unshowable = /\p{Cc}|\p{Noncharacter_Code_Point}|[\u2028-\u202e\u2066-\u2069]/gu;
const unshowableInLines = /(?![\n\t])\p{Cc}|\p{Noncharacter_Code_Point}|[\u2028-\u202e\u2066-\u2069]/gu;

/** Text from outside as it may stand in a table, a log or a page: well-formed, of one line, no longer than that. */
export function sanitizeText(given: string, maxLength: number): string {
  return cutText(given, maxLength).toWellFormed().replaceAll(unshowable, '\ufffd');
}

/** The same for text that people write in several lines. */
export function sanitizeLines(given: string, maxLength: number): string {
  const lines = cutText(given, maxLength).replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n');
  return lines.toWellFormed().replaceAll(unshowableInLines, '\ufffd');
}

/** The beginning of a text that is no longer than that; a character of two halves is taken whole or not at all. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.codePointAt(maxLength - 1) ?? 0;
  return text.slice(0, last > 0xff_ff ? maxLength - 1 : maxLength);
}
