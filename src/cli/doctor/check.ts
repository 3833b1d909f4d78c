/** One thing that was looked at, and whether it is as it should be. */
export interface Check {
  /** What was looked at: `settings`, `app`, or a source and a part of it. */
  readonly about: string;
  readonly state: 'ok' | 'warning' | 'wrong';
  /** What was found, in a sentence. */
  readonly text: string;
  /** What to do about it, where the command alone does not say it. */
  readonly todo?: string;
  /** The command that mends it or shows more, as it is typed. */
  readonly command?: string;
}

export function ok(about: string, text: string): Check {
  return { about, state: 'ok', text };
}

/** The worst of several. */
export function worst(checks: readonly Check[]): Check['state'] {
  if (checks.some(({ state }) => state === 'wrong')) return 'wrong';
  return checks.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
}
