/** Text from outside as it may stand in a table, a log or a page: well-formed, without control characters, no longer than that. */
export function cleanText(given: string, maxLength: number): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return given
    .slice(0, maxLength)
    .toWellFormed()
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd');
}
