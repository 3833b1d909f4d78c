import type { Remedy, SubscriptionFinding } from '../../pipeline/ports/source-doctor.ts';
import { typed } from '../typed.ts';

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

/** What a source's own checks found, with the command as it is typed for this source. */
export function checkOf(source: string, part: string, finding: SubscriptionFinding): Check {
  const about = `${source}: ${part}`;
  const { state, text, todo, remedy } = finding;
  if (state === 'ok') return ok(about, text);
  return { about, state, text, ...(todo === undefined ? {} : { todo }), command: remedyFor(source, remedy) };
}

/** The command that mends something at this source; where only a setting helps, the doctor, to look again. */
export function remedyFor(source: string, remedy: Remedy | undefined): string {
  return remedy === undefined ? typed('doctor') : typed(remedy.words, source, remedy.ids);
}

export function ok(about: string, text: string): Check {
  return { about, state: 'ok', text };
}

/** The worst of several. */
export function worst(checks: readonly Check[]): Check['state'] {
  if (checks.some(({ state }) => state === 'wrong')) return 'wrong';
  return checks.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
}
