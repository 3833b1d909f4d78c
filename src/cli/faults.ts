import { UpstreamError } from '../pipeline/ports/errors.ts';

/** The command was used wrongly, or its settings are: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What is wrong with the settings, each fault a line, and where they were looked for. */
export class SettingsError extends UsageError {
  readonly faults: readonly string[];
  readonly where: string;

  constructor(faults: readonly string[], where: string) {
    super([...faults, where].join('\n'));
    this.faults = faults;
    this.where = where;
  }
}

/** The other side said no, or what was asked for could not be done: exit code 1. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** The HTTP status of the refusal, where there was one. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** The app cannot be reached, or did not answer. */
export class AppAwayError extends UpstreamError {}

/** True for an error that is made for people: its message may be shown. */
export function isForPeople(error: unknown): error is UsageError | RefusedError | UpstreamError {
  return error instanceof UsageError || error instanceof RefusedError || error instanceof UpstreamError;
}

/** What an error that is made for people says. Throws every other one again. */
export function sentenceOf(error: unknown): string {
  if (isForPeople(error)) return error.message;
  throw error;
}
