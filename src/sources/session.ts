import type { Clock } from '../pipeline/ports/clock.ts';
import { UpstreamError } from '../pipeline/ports/errors.ts';
import { countLogin } from '../pipeline/ports/telemetry.ts';
import type { Permit } from '../pipeline/ports/permit.ts';
import type { CallAnswer } from './http-call.ts';

/** A token as a login gave it. */
export interface NewToken {
  readonly text: string;
  /** How long it is good, from when it was asked for. */
  readonly lifeMs: number;
}

export interface SessionDeps extends Clock {
  /** The system's name for people. */
  readonly system: string;
  /** Logs in once. Throws an UpstreamError; one of `UPSTREAM_LOGIN_REFUSED` is believed for a while. */
  logIn(): Promise<NewToken>;
  /** How long a refused login is believed without asking again. */
  readonly refusedForMs: number;
}

interface Token {
  readonly text: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

// How soon after a renewal that failed the next one is tried, while the token is still good.
const renewAgainMs = 30_000;
// One asset may refuse everybody; two new tokens in a row that nothing accepts are a fault of the whole system, which passes.
const tokensRefusedByAll = 2;

/** A login at a source system, shared by all calls of this instance: one at a time, renewed before its token ends. */
export class Session {
  readonly #deps: SessionDeps;
  #token: Token | undefined;
  #login: Promise<string> | undefined;
  #refused: { error: UpstreamError; until: number } | undefined;
  /** New tokens that were refused since any token was accepted. */
  readonly #refusedTokens = new Set<string>();

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a call with a token, and once more with a new one where it is answered 401; a second 401 is the answer to this
   * call. Throws an UpstreamError.
   */
  async ask<T extends Pick<CallAnswer, 'status'>>(
    permit: Permit,
    call: (token: string) => Promise<T>,
  ): Promise<T> {
    const first = await this.#tokenFor(permit);
    const answer = await call(first);
    if (answer.status !== 401) return this.#accepted(answer);

    this.#drop(first);
    const second = await this.#tokenFor(permit);
    const again = await call(second);
    if (again.status !== 401) return this.#accepted(again);
    this.#refusedTokens.add(second);
    if (this.#refusedTokens.size < tokensRefusedByAll) return again;
    throw new UpstreamError(
      'UPSTREAM_CONNECTION',
      `${this.#deps.system} takes the login, and then refuses its tokens.`,
    );
  }

  #accepted<T extends Pick<CallAnswer, 'status'>>(answer: T): T {
    if (answer.status < 400) this.#refusedTokens.clear();
    return answer;
  }

  /**
   * A token that is good for a while. One login runs at a time, and all wait for it. A login that has no place yet is
   * not under way: whoever has one logs in meanwhile, for else the one who logs in would wait for the places of
   * those who wait for the login. While one renews a token that is still good, the others go on with it.
   */
  async #tokenFor(permit: Permit): Promise<string> {
    return await (this.#known() ?? permit.call(async () => await (this.#known() ?? this.#logIn())));
  }

  /** A token that got a 401; a newer one stays. */
  #drop(text: string): void {
    if (this.#token?.text === text) this.#token = undefined;
  }

  /** What there is without a login; throws while a refused one is believed. */
  #known(): string | Promise<string> | undefined {
    const now = this.#deps.now();
    if (this.#token !== undefined) {
      const { text, renewAt, endsAt } = this.#token;
      if (now < (this.#login === undefined ? renewAt : endsAt)) return text;
    }
    if (this.#login !== undefined) return this.#login;
    if (this.#refused !== undefined && now < this.#refused.until) throw this.#refused.error;
    return undefined;
  }

  #logIn(): Promise<string> {
    this.#login = this.#newToken()
      .catch((error: unknown) => this.#stillGood(error))
      .then((token) => {
        this.#token = token;
        return token.text;
      })
      .finally(() => (this.#login = undefined));
    return this.#login;
  }

  async #newToken(): Promise<Token> {
    const askedAt = this.#deps.now();
    const { text, lifeMs } = await this.#deps.logIn().catch((error: unknown) => {
      countLogin(this.#deps.system, 'failed');
      throw error;
    });
    countLogin(this.#deps.system, 'taken');
    return { text, renewAt: askedAt + (lifeMs * 2) / 3, endsAt: askedAt + lifeMs };
  }

  /** A renewal that failed costs nothing while the token lasts. */
  #stillGood(error: unknown): Token {
    if (error instanceof UpstreamError && error.code === 'UPSTREAM_LOGIN_REFUSED') this.#believe(error);
    const now = this.#deps.now();
    if (this.#token === undefined || now >= this.#token.endsAt) throw error;
    return { ...this.#token, renewAt: Math.min(this.#token.endsAt, now + renewAgainMs) };
  }

  // Else many waiting events would log in so often that the account is locked.
  #believe(error: UpstreamError): void {
    this.#refused = { error, until: this.#deps.now() + this.#deps.refusedForMs };
  }
}
