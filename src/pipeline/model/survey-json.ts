import { randomInt } from 'node:crypto';

// Deeper than any sender nests, and far from where writing it out again would exhaust the stack.
const maxDepth = 200;
// What costs a parser time and memory is not the bytes: it is each list, object and member, each short text that it has
// not met, each object whose members are not those of the one before, and most of all each order of members that it has
// not met. So many of them take some tens of megabytes and tenths of a second; beyond them the bounds are by the length, so
// that what is read costs in proportion to it.
const fewParts = 100_000;
const bytesAPart = 24;
const bytesAMember = 8;
const bytesANameOfMany = 64;
const fewOrders = 20_000;
const bytesAnOrder = 256;
const fewSwitches = 50_000;
const bytesASwitch = 64;
// An object of more members is a table to the parser: their order costs no more, but each new name does.
const membersInOrder = 128;
// Texts up to this length are looked up among those that are known.
const shortText = 10;

/**
 * True for bytes that a parser of JSON takes in proportion to their length: not nested deeply, not split up into more
 * parts, and with no more different orders of members, than a body of that length has. What is no JSON may pass.
 */
export function isParsable(bytes: Uint8Array): boolean {
  const end = bytes.byteLength;
  const mostParts = fewParts + end / bytesAPart;
  const mostMembers = fewParts + end / bytesAMember;
  const mostOrders = fewOrders + end / bytesAnOrder;
  const mostSwitches = fewSwitches + end / bytesASwitch;
  const mostNamesOfMany = fewParts + end / bytesANameOfMany;
  const texts = new Seen(end);
  const namesOfMany = new Seen(end);
  const orders = new Seen(end);
  /** At each level, the names of its members so far, how many they are, and the names of the object before. */
  const namesAt = new Int32Array(maxDepth + 1);
  const countAt = new Int32Array(maxDepth + 1);
  const beforeAt = new Int32Array(maxDepth + 1);
  let containers = 0;
  let members = 0;
  let switches = 0;
  let depth = 0;
  for (let index = 0; index < end; index += 1) {
    switch (bytes[index]) {
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        containers += 1;
        if (depth > maxDepth || containers + texts.size > mostParts) return false;
        namesAt[depth] = 0;
        countAt[depth] = 0;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if ((countAt[depth] ?? 0) > 0 && namesAt[depth] !== beforeAt[depth]) {
          beforeAt[depth] = namesAt[depth] ?? 0;
          switches += 1;
          if (switches > mostSwitches) return false;
        }
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
          const count = (countAt[depth] ?? 0) + 1;
          countAt[depth] = count;
          members += 1;
          if (count <= membersInOrder) {
            const names = mix(namesAt[depth] ?? 0, hash);
            namesAt[depth] = names;
            orders.add(names);
          } else {
            namesOfMany.add(hash);
          }
        } else if (index - from <= shortText) {
          texts.add(hash);
        }
        if (containers + texts.size + namesOfMany.size > mostParts) return false;
        if (namesOfMany.size > mostNamesOfMany) return false;
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

// Another one in each process: nobody can choose names that are taken for each other.
const emptyHash = randomInt(2 ** 32) | 0;

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

/** How many different hashes there were: one bit each of two for each byte, so that a few are taken for each other. */
class Seen {
  readonly #bits: Uint32Array;
  size = 0;

  constructor(bytes: number) {
    this.#bits = new Uint32Array(2 ** Math.min(20, Math.ceil(Math.log2(Math.max(64, bytes / 16)))));
  }

  add(hash: number): void {
    const at = (hash >>> 5) & (this.#bits.length - 1);
    const bit = 1 << (hash & 31);
    const known = this.#bits[at] ?? 0;
    if ((known & bit) !== 0) return;
    this.#bits[at] = known | bit;
    this.size += 1;
  }
}
