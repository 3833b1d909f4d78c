/** Text from outside as it may stand in a table, a log or a page: well-formed, without control characters, no longer than that. */
export function cleanText(given: string, maxLength: number): string {
  return given
    .slice(0, maxLength)
    .toWellFormed()
    .replaceAll(/\p{Cc}|\p{Noncharacter_Code_Point}/gu, '\ufffd');
}
