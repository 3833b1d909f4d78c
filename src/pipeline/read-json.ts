// Deeper than any sender nests, and far from where writing it out again would exhaust the stack.
const maxDepth = 200;

const decoder = new TextDecoder();

/** Bytes as JSON: a BOM is dropped, invalid UTF-8 replaced. Undefined where it is no JSON, or nested past all sense. Never throws. */
export function readJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  return nestedDeeper(value, maxDepth) ? undefined : value;
}

function nestedDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => nestedDeeper(member, depth - 1));
}
