/** The command was used wrongly, or its settings are: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The other side said no, or what was asked for could not be done: exit code 1. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}
