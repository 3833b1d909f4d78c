import type { Framing } from '../post.ts';

/** How the simulated Preservica behaves; everything may be changed while it runs. */
export interface Settings {
  /** Two numbers; namespaces follow. */
  version: string;
  readonly account: {
    username: string;
    password: string;
    tenant: string;
    /** Base 32; set, the login wants a second factor. */
    totpSeed: string | undefined;
    roles: string[];
  };
  tokenLifeMs: number;
  /** Of every API call. */
  latencyMs: number;
  /** Security tags that the account may not read, and how that is answered. */
  readonly hiddenTags: Set<string>;
  hiddenStatus: 403 | 404;
  framing: Framing;
  /** Bytes of key and message. */
  encoding: 'utf8' | 'latin1';
  challenge: 'empty' | 'json-body' | 'signed';
  /** What is sent as code; a random one if undefined. */
  challengeCode: string | undefined;
  /** An answer to the handshake must also say that it is JSON. */
  strictContentType: boolean;
  existingQuery: 'append' | 'replace';
  identifiers: 'none' | 'by-type' | 'type-and-value';
  /** Items an event document. */
  batch: number;
  /** Each delivery is sent so many times. */
  copies: number;
  shuffled: boolean;
  /** Waits before further tries of a delivery that was not taken. */
  retryDelaysMs: readonly number[];
  answerWithinMs: number;
  /** Deliveries under way at one time; they leave in their order where it is 1. */
  deliveriesAtOnce: number;
}

export function defaultSettings(): Settings {
  return {
    version: '8.1',
    account: {
      username: 'archivist@example.org',
      password: 'open sesame',
      tenant: 'ACME',
      totpSeed: undefined,
      roles: ['ROLE_SDB_MANAGER_USER'],
    },
    tokenLifeMs: 900_000,
    latencyMs: 0,
    hiddenTags: new Set(['closed']),
    hiddenStatus: 403,
    framing: 'chunked',
    encoding: 'utf8',
    challenge: 'empty',
    challengeCode: undefined,
    strictContentType: false,
    existingQuery: 'append',
    identifiers: 'by-type',
    batch: 1,
    copies: 1,
    shuffled: false,
    retryDelaysMs: [],
    answerWithinMs: 30_000,
    deliveriesAtOnce: 100,
  };
}
