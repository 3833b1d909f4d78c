/** One thing that was looked at, and whether it is as it should be. */
export interface Check {
  /** What was looked at: `settings`, `app`, or a source and a part of it. */
  readonly about: string;
  readonly state: 'ok' | 'warning' | 'wrong';
  /** What was found, in a sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly todo?: string;
}

export function ok(about: string, text: string): Check {
  return { about, state: 'ok', text };
}

export function warning(about: string, text: string, todo: string): Check {
  return { about, state: 'warning', text, todo };
}

export function wrong(about: string, text: string, todo: string): Check {
  return { about, state: 'wrong', text, todo };
}

/** The worst of several. */
export function worst(checks: readonly Check[]): Check['state'] {
  if (checks.some(({ state }) => state === 'wrong')) return 'wrong';
  return checks.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
}
