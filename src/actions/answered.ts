import type { ActionResult, OutgoingAnswer } from '../pipeline/ports/action.ts';

/**
 * What a status means that is no success, the same for every action: busy or broken is tried again, 410 is over, anything
 * else is a fault of what was sent or of the settings. Undefined for a success.
 */
export function refusalOf(who: string, { status, retryAfterMs }: OutgoingAnswer): ActionResult | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 429 || status === 503)
    return {
      kind: 'again',
      text: `${who} answered ${status}.`,
      isBusy: status === 429,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  if (status >= 500 || status === 408) return { kind: 'again', text: `${who} answered ${status}.` };
  if (status === 410)
    return {
      kind: 'failed',
      isGone: true,
      text: `${who} answered 410: nobody takes these messages any more. Take the action out of ACTIONS, or give it another address.`,
    };
  if (status === 401 || status === 403)
    return {
      kind: 'failed',
      isGone: true,
      text: `${who} answered ${status}: it does not know our secret, or we may not.`,
    };
  if (status >= 300 && status < 400)
    return { kind: 'failed', text: `${who} answered ${status}: redirects are not followed.` };
  return { kind: 'failed', text: `${who} answered ${status}.` };
}
