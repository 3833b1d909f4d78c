// Deeper than any sender nests, and far from where writing it out again would exhaust the stack.
const maxDepth = 200;
// What costs a parser time and memory is not the bytes: it is each list, object and member, each short text that it has
// not met, and most of all each order of members that it has not met. Real bodies have a part in some forty bytes, and
// a handful of orders; these bounds are by the length, so that what is read costs in proportion to it.
const fewParts = 10_000;
const bytesAPart = 16;
const bytesAMember = 8;
const bytesAnOrder = 256;
// Texts up to this length are looked up among those that are known.
const shortText = 10;

/**
 * True for bytes that a parser of JSON takes in proportion to their length: not nested deeply, not split up into more
 * parts, and with no more different orders of members, than a body of that length has. What is no JSON may pass.
 */
export function isParsable(bytes: Uint8Array): boolean {
  const mostParts = fewParts + bytes.byteLength / bytesAPart;
  const mostMembers = fewParts + bytes.byteLength / bytesAMember;
  const mostOrders = fewParts + bytes.byteLength / bytesAnOrder;
  const end = bytes.byteLength;
  const texts = new Seen();
  const orders = new Seen();
  /** At each level, the names of its members so far. */
  const namesAt = new Int32Array(maxDepth + 1);
  let containers = 0;
  let members = 0;
  let depth = 0;
  for (let index = 0; index < end; index += 1) {
    switch (bytes[index]) {
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        containers += 1;
        if (depth > maxDepth || containers > mostParts) return false;
        namesAt[depth] = 0;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth = Math.max(0, depth - 1);
        break;
      case 0x22: {
        const from = index + 1;
        let hash = emptyHash;
        for (index = from; index < end && bytes[index] !== 0x22; index += 1) {
          if (bytes[index] === 0x5c) index += 1;
          hash = mix(hash, bytes[index] ?? 0);
        }
        if (isName(bytes, index + 1)) {
          const names = mix(namesAt[depth] ?? 0, hash);
          namesAt[depth] = names;
          orders.add(names);
          members += 1;
        } else if (index - from <= shortText) {
          texts.add(hash);
        }
        if (containers + texts.size > mostParts) return false;
        if (members > mostMembers || orders.size > mostOrders) return false;
        break;
      }
      default:
        break;
    }
  }
  return true;
}

/** True where a colon follows: what stands before it is the name of a member. */
export function isName(bytes: Uint8Array, from: number): boolean {
  let index = from;
  while (index < bytes.byteLength && (bytes[index] ?? 0) <= 0x20) index += 1;
  return bytes[index] === 0x3a;
}

const emptyHash = 0x811c9dc5 | 0;

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

/** How many different hashes there were: one bit each, so that a few are taken for each other. */
class Seen {
  readonly #bits = new Uint32Array(2 ** 15);
  size = 0;

  add(hash: number): void {
    const at = (hash >>> 5) & (this.#bits.length - 1);
    const bit = 1 << (hash & 31);
    const known = this.#bits[at] ?? 0;
    if ((known & bit) !== 0) return;
    this.#bits[at] = known | bit;
    this.size += 1;
  }
}
