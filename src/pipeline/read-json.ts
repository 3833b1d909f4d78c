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
  return (
    parse(text) ??
    parse(
      text
        .replaceAll(/^[\ufeff\ufffe\0]+|[\ufeff\ufffe\0]+$/g, '')
        // The three that may stand between members stay; the others can only stand inside a text.
        .replaceAll(
          /[^\P{Cc}\t\n\r]/gu,
          (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
    )
  );
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
