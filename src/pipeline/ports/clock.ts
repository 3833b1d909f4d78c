/** Tells the time in milliseconds since 1970, as `Date.now` does. */
export interface Clock {
  now(): number;
}
