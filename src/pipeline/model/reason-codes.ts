import type { EventState } from './ledger.ts';

/** Every reason code, by the state it stands beside. */
export const reasonCodes = {
  processing: [],
  waiting: [
    'source-unavailable',
    'rate-limited',
    'login-refused',
    'paused',
    'thumbnail-pending',
    'index-behind',
    'not-visible',
  ],
  done: ['folded', 'deleted', 'no-thumbnail-yet', 'incomplete', 'index-behind'],
  ignored: ['not-found', 'too-old', 'in-future', 'not-an-asset', 'impossible-id'],
  failed: [
    'no-permission',
    'not-visible',
    'login-refused',
    'unreadable-answer',
    'gave-up',
    'unreadable',
    'unknown-source',
    'poison',
  ],
} as const satisfies Record<EventState, readonly string[]>;

/** The codes that an event in this state may have. */
export type ReasonCode<State extends EventState> = (typeof reasonCodes)[State][number];
