/** Chance that is the same for the same seed. */
export interface Chance {
  /** From 0 to 1. */
  next(): number;
  happens(probability: number): boolean;
  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number;
  pick<T>(among: readonly T[]): T;
  shuffled<T>(all: readonly T[]): T[];
  /** Another one, whose numbers do not depend on how often this one was asked. */
  of(name: string): Chance;
}

/** Mulberry32: small, and good enough to spread faults. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    pick(among) {
      const picked = among[between(0, among.length - 1)];
      if (picked === undefined) throw new Error('There is nothing to pick from.');
      return picked;
    },
    shuffled: (all) =>
      all
        .map((one) => ({ one, place: next() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ one }) => one),
    of: (name) => chance(Buffer.from(name).reduce((hash, byte) => Math.imul(hash, 31) + byte, seed)),
  };
}
