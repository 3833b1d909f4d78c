import * as z from 'zod';
import { carrying } from './event.ts';

/** Permits of a source that an instance has until a time. */
const PermitLease = carrying({
  owner: z.string(),
  count: z.int().min(0),
  /** What it could use. */
  wants: z.int().min(0),
  /** Milliseconds since 1970, as all times here. */
  until: z.number(),
});

const Closed = carrying({
  code: z.enum(['source-unavailable', 'rate-limited', 'login-refused']),
  until: z.number(),
  /** How often in a row the circuit opened; 0 where the source itself asked for quiet. */
  openings: z.int().min(0),
  /** Who tries, alone, whether the source is back. */
  probe: carrying({ owner: z.string(), until: z.number() }).nullable(),
});

/** What all instances know of one source: who may call it how often at once, and whether it is to be left alone. */
export const SourceState = carrying({
  /** Somebody paused it by hand. */
  pausedAt: z.number().nullable(),
  closed: Closed.nullable(),
  permits: z.array(PermitLease),
});
export type SourceState = z.infer<typeof SourceState>;

export const openSource: SourceState = { pausedAt: null, closed: null, permits: [] };

/** Whether a source is asked for anything: since when it is paused, and why and until when it is left alone. */
export function availability(
  state: SourceState | undefined,
  now: number,
): { pausedAt: string | null; closed: { code: string; until: string } | null } {
  const { pausedAt, closed } = state ?? openSource;
  // An open circuit is not over before somebody has tried.
  const isClosed = closed !== null && (closed.until > now || closed.openings > 0);
  return {
    pausedAt: pausedAt === null ? null : new Date(pausedAt).toISOString(),
    closed: isClosed ? { code: closed.code, until: new Date(closed.until).toISOString() } : null,
  };
}
