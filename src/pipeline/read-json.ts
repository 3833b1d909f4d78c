// Deeper than any sender nests, and far from where writing it out again would exhaust the stack.
const maxDepth = 200;

const decoder = new TextDecoder();

/** Bytes as JSON: a BOM is dropped, invalid UTF-8 replaced. Undefined where it is no JSON, or nested past all sense. Never throws. */
export function readJson(bytes: Uint8Array): unknown {
  return parse(decoder.decode(bytes));
}

/**
 * Bytes as JSON, read as well as they can be: what may not stand in front of or behind it is dropped, and a control
 * character that nobody escaped is taken as if somebody had. Never throws.
 */
export function readBrokenJson(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes);
  return parse(text) ?? parse(withEscapes(bare(text)));
}

/** An object in JSON's sense: a list is none. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Searching for these at the end of a text would begin anew at each of them inside it: the ends are walked in.
const around = new Set('\ufeff\ufffe\0 \t\n\r');

function bare(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && around.has(text.charAt(from))) from += 1;
  while (from < to && around.has(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** The text with every control character inside its strings escaped; what stands between them is left as it is. */
function withEscapes(text: string): string {
  const pieces: string[] = [];
  let [from, inString] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') inString = !inString;
    else if (!inString) continue;
    else if (character === '\\') at += 1;
    else if (character < ' ') {
      pieces.push(text.slice(from, at), `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
      from = at + 1;
    }
  }
  return pieces.join('') + text.slice(from);
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
