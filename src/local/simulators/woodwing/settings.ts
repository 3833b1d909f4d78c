import type { Framing } from '../post.ts';

/** How the simulated Assets Server behaves; everything may be changed while it runs. */
export interface Settings {
  version: string;
  readonly account: {
    username: string;
    password: string;
    fullName: string;
    email: string;
    /** Only then it may manage webhooks. */
    superuser: boolean;
  };
  tokenLifeMs: number;
  /** Of the code that `appendRequestSecret` puts into the addresses of a hit. */
  requestSecretLifeMs: number;
  /** Of every call. */
  latencyMs: number;
  /** Errors of `/services/*` come with status 200, as the older servers answered. */
  softErrors: boolean;
  /** For a login with another method than POST. */
  loginMethodStatus: number;
  /** For a call of a cookie session without the right `X-CSRF-TOKEN`. */
  csrfStatus: 401 | 403;
  notSuperuserStatus: 401 | 403;
  unknownEventTypes: 'accepted' | 'refused';
  updateMethods: 'both' | 'PUT' | 'POST';
  updateMode: 'merge' | 'replace';
  /** What `generate-token` answers with. */
  tokenAnswer: 'object' | 'webhook' | 'json-string' | 'plain';
  /** False is a server before 6.86: no `enable` and no `disable`. */
  enableCalls: boolean;
  /** In place of the own address in the URLs of a hit. */
  renditionsOrigin: string | undefined;

  /** The value of `Content-Type` on deliveries. */
  contentType: string;
  framing: Framing;
  answerWithinMs: number;
  /** Retries after the first try. */
  webHooksRetryMaximumAttempts: number;
  /** Waits before the retries; the last one stands for all further ones. */
  retryDelaysMs: readonly number[];
  /** Whether it is tried again where no answer came. */
  retryUnreached: boolean;
  /** `followed` ignores the framing. */
  redirects: 'failed' | 'followed';
  /** Which token signs a retry after the token was changed. */
  retrySignedWith: 'current' | 'at-first';
  /** So many failures within `failureWindowMs` disable a webhook; never if -1. */
  webHooksFailuresBeforeDisable: number;
  failureWindowMs: number;
  failuresCounted: 'attempts' | 'given-up';
  /** Whether a 4xx is a failure that counts. */
  refusalsAreFailures: boolean;
  /** What becomes of deliveries that wait for a retry while their webhook is disabled. */
  waitingWhenDisabled: 'dropped' | 'kept';

  /** Each delivery is sent so many times. */
  copies: number;
  /** The first try of each delivery waits for a random time up to this one, so that they overtake each other. */
  jitterMs: number;
  signature: 'right' | 'wrong-token' | 'missing';
  /** All of these with a good signature. */
  body: 'event' | 'empty' | 'not-json';
  /** Characters beyond ASCII come as `\u00e9`. */
  escaped: boolean;
  /** Fields that no body has, such as `changedMetadata`. */
  readonly leaveOut: Set<string>;
  /** Fields that every body has, such as another `type`; they win. */
  extraFields: Readonly<Record<string, unknown>>;
}

export function defaultSettings(): Settings {
  return {
    version: '6.100.0.1',
    account: {
      username: 'picture-desk',
      password: 'open sesame & more+',
      fullName: 'Picture Desk',
      email: 'picture-desk@example.org',
      superuser: true,
    },
    tokenLifeMs: 1_800_000,
    requestSecretLifeMs: 1_800_000,
    latencyMs: 0,
    softErrors: false,
    loginMethodStatus: 405,
    csrfStatus: 403,
    notSuperuserStatus: 403,
    unknownEventTypes: 'accepted',
    updateMethods: 'both',
    updateMode: 'merge',
    tokenAnswer: 'object',
    enableCalls: true,
    renditionsOrigin: undefined,
    contentType: 'application/json',
    framing: 'chunked',
    answerWithinMs: 30_000,
    webHooksRetryMaximumAttempts: 8,
    retryDelaysMs: [50, 100, 150, 200, 250, 300, 350, 400],
    retryUnreached: true,
    redirects: 'failed',
    retrySignedWith: 'current',
    webHooksFailuresBeforeDisable: -1,
    failureWindowMs: 10_000,
    failuresCounted: 'attempts',
    refusalsAreFailures: true,
    waitingWhenDisabled: 'dropped',
    copies: 1,
    jitterMs: 0,
    signature: 'right',
    body: 'event',
    escaped: false,
    leaveOut: new Set(),
    extraFields: {},
  };
}
