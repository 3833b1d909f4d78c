/** Text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A time that an event can have occurred at: one before computers or after the year 9999 would also be written in another form. */
export function timeOf(milliseconds: number): Date | undefined {
  return milliseconds >= 0 && milliseconds < 253_402_300_800_000 ? new Date(milliseconds) : undefined;
}
