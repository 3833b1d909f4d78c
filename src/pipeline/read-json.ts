// Deeper than any sender nests, and far from where writing it out again would exhaust the stack.
const maxDepth = 200;

const decoder = new TextDecoder();

/** Bytes as JSON: a BOM is dropped, invalid UTF-8 replaced. Undefined where it is no JSON, or nested past all sense. Never throws. */
export function readJson(bytes: Uint8Array): unknown {
  return parse(decoder.decode(bytes));
}

/**
 * Bytes as JSON, read as well as they can be: a control character that nobody escaped is taken as if somebody had, and
 * what may not stand around a token is a blank. Never throws.
 */
export function readBrokenJson(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes);
  return parse(text) ?? parse(mended(text));
}

/** An object in JSON's sense: a list is none. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text with every control character inside its strings escaped, and with a blank for those between its tokens: dropped, they would make one number of two. */
function mended(text: string): string {
  let inString = false;
  return text.replaceAll(/"|\\.|[\p{Cc}\ufeff\ufffe]+/gsu, (found) => {
    if (found === '"') inString = !inString;
    if (found === '"' || found.startsWith('\\')) return found;
    return inString ? JSON.stringify(found).slice(1, -1) : ' ';
  });
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return nestedDeeper(value, maxDepth) ? undefined : value;
}

function nestedDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => nestedDeeper(member, depth - 1));
}
