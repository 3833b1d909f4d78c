import { sanitizeText } from '../pipeline/model/sanitize-text.ts';
import type { DoctorContext, Remedy, SubscriptionFinding } from '../pipeline/ports/source-doctor.ts';
import { samePlace } from './same-place.ts';

// What every kind can find in its subscriptions.

export function ok(text: string): SubscriptionFinding {
  return { state: 'ok', text };
}

export function cannotTell(count: number): SubscriptionFinding {
  return {
    state: 'warning',
    text: `${count} there; which of them are of this app cannot be told.`,
    todo: 'Set PUBLIC_URL to the address of the app.',
  };
}

export function noneCallsUs(own: string, remedy: Remedy): SubscriptionFinding {
  return { state: 'wrong', text: `None calls ${own}.`, remedy };
}

export const otherSecret = 'The source signs with another secret than the one that is kept here.';

/** What to say of names that this version does not know, before the command that changes them. */
export const unknownNames =
  'A misspelt name brings nothing for ever; a new one of the server is fetched like any other. If it is misspelt:';

interface Calling {
  readonly id: string;
  readonly url: string;
}

/** Which of a source's subscriptions call this app, and what there is to say of the others. */
export function byAddress<Each extends Calling>(
  all: readonly Each[],
  {
    own,
    addresses,
    deletes,
  }: Pick<DoctorContext, 'addresses'> & { own: string; deletes: (ids: string[]) => Remedy },
): { ours: Each[]; findings: SubscriptionFinding[] } {
  const ours = all.filter(({ url }) => samePlace(url, own));
  const others = all.filter(({ url }) => !addresses.some((address) => samePlace(url, address)));
  const strays = others.filter(({ url }) => URL.canParse(url) && new URL(url).origin === new URL(own).origin);
  const foreign = others.filter((each) => !strays.includes(each));
  const findings: SubscriptionFinding[] = [];
  if (strays.length > 0) {
    const ids = strays.map(({ id }) => id);
    findings.push({
      state: 'warning',
      text: `${ids.join(', ')} calls this app where it has no such source: ${shown(strays).join(', ')}.`,
      todo: 'Every such call is answered with 404.',
      remedy: deletes(ids),
    });
  }
  if (foreign.length > 0)
    findings.push(ok(`${foreign.length} more, of another application: ${shown(foreign).join(', ')}.`));
  return { ours, findings };
}

const mostShown = 5;

function shown(calling: readonly Calling[]): string[] {
  const urls = [...new Set(calling.map(({ url }) => sanitizeText(url, 200)))];
  return urls.length > mostShown ? [...urls.slice(0, mostShown), '…'] : urls;
}
