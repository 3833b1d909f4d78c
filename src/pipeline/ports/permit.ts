/** A permit to call the source. Running events go before waiting ones. */
export interface Permit {
  /** Runs one call when a place is free for it. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Gives back what was not used. Must be called once the work is done; calling it again does nothing. */
  end(): void;
}
