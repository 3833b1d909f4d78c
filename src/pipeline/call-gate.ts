/** Leave to ask a source: its calls go before those of whoever has not begun. */
export interface Turn {
  /** Runs one call when a place is free for it. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Gives back what was not used. Must be called once the work is done; calling it again does nothing. */
  end(): void;
}

export type Admission =
  | { kind: 'turn'; turn: Turn }
  /** Nothing became free in time. */
  | { kind: 'busy' }
  /** The source asked us to stay away until then (milliseconds since 1970). */
  | { kind: 'closed'; until: number; code: 'source-unavailable' | 'rate-limited' };

/** Spares one source within this instance: so many calls at once, so many a second, none while it asked for quiet. */
export interface CallGate {
  /** Waits at most `maxWaitMs` for a first place. */
  admit(maxWaitMs: number): Promise<Admission>;
  /** After a 429 or a 503: nobody new is admitted for so long. A shorter closing never shortens a longer one. */
  close(forMs: number, code: 'source-unavailable' | 'rate-limited'): void;
}
