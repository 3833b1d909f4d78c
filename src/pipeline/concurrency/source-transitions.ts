import type { SourceState } from '../model/source-state.ts';

// The rules by which the state of a source changes. They decide, and write nothing: `SourceStates.change` does.

const leaseMs = 20_000;
// Two instances' clocks may differ by this much before permits are taken from somebody who still uses them.
const leaseMarginMs = 5_000;
const probeMs = 60_000;
const longestProbeAfterMs = 600_000;

/** Renews an instance's permits: as many as it wants and are free, but no more than its share where others lack some. */
export function leasePermits(
  state: SourceState,
  mine: { owner: string; wants: number; inUse: number; maxAtOnce: number },
  now: number,
): SourceState {
  const { owner, wants, inUse, maxAtOnce } = mine;
  const others = state.permits.filter((each) => each.owner !== owner && each.until + leaseMarginMs > now);
  if (wants === 0)
    return state.permits.some((each) => each.owner === owner) ? { ...state, permits: others } : state;
  const share = shareAmong(others, maxAtOnce);
  const free = Math.max(0, maxAtOnce - others.reduce((sum, { count }) => sum + count, 0));
  const count = Math.min(free, Math.max(inUse, Math.min(wants, share)));
  return { ...state, permits: [...others, { owner, count, wants, until: now + leaseMs }] };
}

/** All where nobody else lacks permits, else an even part. */
function shareAmong(others: SourceState['permits'], maxAtOnce: number): number {
  const even = Math.max(1, Math.floor(maxAtOnce / (others.length + 1)));
  const otherLacks = others.some(({ count, wants }) => count < Math.min(wants, even));
  return otherLacks ? even : maxAtOnce;
}

/** How many permits an instance has, until when, and how many of them it may give to somebody new. */
export function permitsOf(
  { permits }: SourceState,
  { owner, maxAtOnce }: { owner: string; maxAtOnce: number },
): { count: number; until: number; usable: number } {
  const { count, until } = permits.find((each) => each.owner === owner) ?? { count: 0, until: 0 };
  const others = permits.filter((each) => each.owner !== owner);
  return { count, until, usable: Math.min(count, shareAmong(others, maxAtOnce)) };
}

/** The source asked for quiet. A shorter quiet never shortens a longer one. */
export function closedUntil(
  state: SourceState,
  asked: { code: 'source-unavailable' | 'rate-limited'; until: number },
): SourceState {
  const { closed } = state;
  if (closed !== null && closed.until >= asked.until) return state;
  return { ...state, closed: { ...(closed ?? { openings: 0, probe: null }), ...asked } };
}

/** Opens the circuit: after a probe that failed for twice as long as before. */
export function circuitOpened(
  state: SourceState,
  why: { code: 'source-unavailable' | 'login-refused'; probeAfterMs: number; probeOf?: string },
  now: number,
): SourceState {
  const before = state.closed?.openings ?? 0;
  // Another instance saw the same, or it is written already.
  if (before > 0 && (state.closed?.probe?.owner ?? '') !== (why.probeOf ?? '-')) return state;
  const waitMs = Math.min(why.probeAfterMs * 2 ** before, longestProbeAfterMs);
  // A source may ask for longer.
  const until = Math.max(now + waitMs, state.closed?.until ?? 0);
  return { ...state, closed: { code: why.code, until, openings: before + 1, probe: null } };
}

/** Takes the probe, where its time has come and nobody else has it. */
export function probeClaimed(state: SourceState, owner: string, now: number): SourceState {
  const { closed } = state;
  const taken = closed?.probe != null && closed.probe.owner !== owner && closed.probe.until > now;
  if (closed === null || closed.until > now || taken) return state;
  return { ...state, closed: { ...closed, probe: { owner, until: now + probeMs } } };
}

/** The source answered. */
export function circuitClosed(state: SourceState): SourceState {
  return state.closed === null || state.closed.openings === 0 ? state : { ...state, closed: null };
}
