/** The middle one of what was measured. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What so large a part of the values does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Runs the same work from so many hands at once, until all of it is done; gives pieces a second. */
export async function perSecond(
  pieces: number,
  hands: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  let next = 0;
  const hand = async (): Promise<void> => {
    while (next < pieces) await work((next += 1) - 1);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: hands }, hand));
  return (pieces * 1000) / (performance.now() - startedAt);
}

/** Measures two things in turn, A B A B …, so that a machine that changes its speed changes both. */
export async function inTurn(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<{ a: number; b: number; ratio: number }> {
  const pairs: { a: number; b: number }[] = [];
  for (let round = 0; round < rounds; round += 1) pairs.push({ a: await a(), b: await b() });
  return {
    a: median(pairs.map((pair) => pair.a)),
    b: median(pairs.map((pair) => pair.b)),
    ratio: median(pairs.map((pair) => pair.a / pair.b)),
  };
}
