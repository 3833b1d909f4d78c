/** A reference is a UUID, in lower case. Undefined where it is none; only what this gives back goes into a URL. */
export function readReference(text: string | undefined): string | undefined {
  const reference = text?.trim().toLowerCase() ?? '';
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(reference) ? reference : undefined;
}
