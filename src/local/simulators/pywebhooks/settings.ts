import type { Framing } from '../post.ts';

/** How the simulated PyWebhooks behaves; everything may be changed while it runs. The defaults are the original's, but for the waits. */
export interface Settings {
  /** Of every API call. */
  latencyMs: number;
  /** For a connection, and then between two pieces of an answer; an answer that trickles is not late. */
  answerWithinMs: number;
  /** Waits before the second, third and fourth attempt; no more than these three count. */
  retryDelaysMs: readonly number[];
  /** Retries keep the secret and the endpoint of the trigger; otherwise each attempt takes those of its time, and none is made for who has left. */
  snapshot: boolean;
  followRedirects: boolean;
  /** From so many failed attempts on, an account gets nothing any more. */
  maxFailedCount: number;
  /** Of the bodies of deliveries. */
  framing: Framing;
  signature: 'right' | 'missing' | 'upper-case' | 'wrong-secret';
  /** Each delivery is made so many times. */
  copies: number;
  shuffled: boolean;
  /** Attempts of one trigger under way at one time; they start in their order where it is 1. */
  deliveriesAtOnce: number;
  /** `after-sending`: the endpoint got a key that is then not kept. */
  failingResets: 'none' | 'before-sending' | 'after-sending';
}

export function defaultSettings(): Settings {
  return {
    latencyMs: 0,
    answerWithinMs: 5_000,
    retryDelaysMs: [50, 50, 50],
    snapshot: true,
    followRedirects: true,
    maxFailedCount: 250,
    framing: 'content-length',
    signature: 'right',
    copies: 1,
    shuffled: false,
    deliveriesAtOnce: 100,
    failingResets: 'none',
  };
}
