import { Secret, TOTP } from 'otpauth';
import * as z from 'zod';
import { prefixOf } from '../../config.ts';
import { UpstreamError } from '../../errors.ts';
import type { Turn } from '../../pipeline/call-gate.ts';
import { readJson } from '../../pipeline/read-json.ts';
import type { Secrets } from '../../pipeline/secrets.ts';
import { callPreservica, type CallAnswer } from './http-call.ts';

export interface Account {
  readonly source: string;
  readonly url: string;
  readonly username: string | undefined;
  readonly tenant: string | undefined;
}

export interface SessionDeps {
  readonly secrets: Pick<Secrets, 'password' | 'totpSeed'>;
  /** How long a refused login is believed without asking again. */
  readonly refusedForMs: number;
  readonly timeLimitMs: number;
  now(): number;
}

interface Token {
  readonly text: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

const maxAnswerBytes = 65_536;
// How soon after a renewal that failed the next one is tried, while the token is still good.
const renewAgainMs = 30_000;

// Section 1.1: `validFor` is minutes. The token goes into a header as it is. A time that makes no sense is taken for the
// usual one: too long shows as a 401, and too short would mean a login a call.
const LoginAnswer = z.object({
  token: z.string().regex(/^[\x21-\x7e]{1,4096}$/),
  validFor: z.number().min(1).max(1440).catch(15),
});
// Section 1.4: the continuation token is written with a hyphen in the vendor's text, in camel case by clients.
const SecondFactorWanted = z.object({
  message: z.enum(['needs.2fa', 'needs.2fa.setup']),
  continuationToken: z.string().max(4096).optional(),
  'continuation-token': z.string().max(4096).optional(),
  tenant: z.string().max(1024).optional(),
});
type SecondFactorWanted = z.infer<typeof SecondFactorWanted>;

/** A login at Preservica, shared by all calls of this instance (reference/preservica.md 1.1, 1.2, 1.4). */
export class Session {
  readonly #account: Account;
  readonly #deps: SessionDeps;
  #token: Token | undefined;
  #login: Promise<string> | undefined;
  #refused: { error: UpstreamError; until: number } | undefined;

  constructor(account: Account, deps: SessionDeps) {
    this.#account = account;
    this.#deps = deps;
  }

  /**
   * A token that is good for a while. One login runs at a time, and all wait for it. A login that has no place yet is
   * not under way: whoever has one logs in meanwhile, for else the one who logs in would wait for the places of
   * those who wait for the login. While one renews a token that is still good, the others go on with it. Throws an
   * UpstreamError.
   */
  async token(turn: Turn): Promise<string> {
    return await (this.#known() ?? turn.call(async () => await (this.#known() ?? this.#logIn())));
  }

  /** To be told when a call with this token got a 401; a newer token stays. */
  drop(text: string): void {
    if (this.#token?.text === text) this.#token = undefined;
  }

  /** To be told when even a fresh token got a 401: for a while that counts as a refused login. */
  refuse(text: string): UpstreamError {
    this.drop(text);
    return this.#refuse('Preservica takes the login, and then refuses its token.');
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

  /** A renewal that failed costs nothing while the token lasts. */
  #stillGood(error: unknown): Token {
    const now = this.#deps.now();
    if (this.#token === undefined || now >= this.#token.endsAt) throw error;
    return { ...this.#token, renewAt: Math.min(this.#token.endsAt, now + renewAgainMs) };
  }

  async #newToken(): Promise<Token> {
    const { source, username, tenant } = this.#account;
    const password = await this.#deps.secrets.password(source);
    if (username === undefined) throw this.#refuse(`No user name is set: ${prefixOf(source)}USERNAME.`);
    if (password === undefined) {
      throw this.#refuse(
        `No password is set: ${prefixOf(source)}PASSWORD, or source-${source}-password in the vault.`,
      );
    }
    const askedAt = this.#deps.now();
    const form = new URLSearchParams({ username, password, ...(tenant === undefined ? {} : { tenant }) });
    const answer = await this.#post('login', form);
    const wanted =
      answer.status === 401 ? SecondFactorWanted.safeParse(readJson(answer.bytes)).data : undefined;
    const { token, validFor } = this.#read(
      wanted === undefined ? answer : await this.#secondFactor(username, wanted),
    );
    const lifeMs = validFor * 60_000;
    return { text: token, renewAt: askedAt + (lifeMs * 2) / 3, endsAt: askedAt + lifeMs };
  }

  async #secondFactor(username: string, wanted: SecondFactorWanted): Promise<CallAnswer> {
    const { source, tenant } = this.#account;
    const setting = `${prefixOf(source)}TOTP_SEED, or source-${source}-totp-seed in the vault`;
    if (wanted.message === 'needs.2fa.setup') {
      throw this.#refuse(
        'Preservica wants a second factor to be set up for this account first; an account for a service should have none.',
      );
    }
    const seed = await this.#deps.secrets.totpSeed(source);
    if (seed === undefined) throw this.#refuse(`Preservica wants a second factor: ${setting}.`);
    const code = oneTimeCode(seed, this.#deps.now());
    if (code === undefined)
      throw this.#refuse(`The seed of the second factor is not in base 32: ${setting}.`);

    // Section 1.4 names all four; one that the answer lacks is better left out than made up.
    const form = new URLSearchParams({ username, twoFactorToken: code });
    const continuation = wanted.continuationToken ?? wanted['continuation-token'];
    if (continuation !== undefined) form.set('continuationToken', continuation);
    const ofTenant = wanted.tenant ?? tenant;
    if (ofTenant !== undefined) form.set('tenant', ofTenant);
    return await this.#post('complete-2fa', form);
  }

  /** In the place of the login, and of no one event: the end of the one that began it must not end it. */
  async #post(step: 'login' | 'complete-2fa', body: URLSearchParams): Promise<CallAnswer> {
    const url = new URL(`${this.#account.url}/api/accesstoken/${step}`);
    const limits = {
      maxBytes: maxAnswerBytes,
      timeLimitMs: this.#deps.timeLimitMs,
      now: () => this.#deps.now(),
    };
    try {
      return await callPreservica(
        url,
        { method: 'POST', headers: { accept: 'application/json' }, body },
        limits,
      );
    } catch (error) {
      if (error instanceof UpstreamError && error.code === 'UPSTREAM_TOO_LARGE') throw noToken(error.status);
      throw error;
    }
  }

  #read({ status, bytes, retryAfterMs }: CallAnswer): z.infer<typeof LoginAnswer> {
    if ([400, 401, 403].includes(status)) {
      throw this.#refuse(
        'Preservica refused the login: user name, password, tenant or second factor is not right.',
      );
    }
    if (status === 429 || status >= 500) {
      const text = `Preservica answered the login with ${status}.`;
      throw new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
    }
    const read = LoginAnswer.safeParse(status === 200 ? readJson(bytes) : undefined);
    if (read.success) return read.data;
    throw noToken(status);
  }

  // So that many waiting events do not knock often enough to lock the account.
  #refuse(text: string): UpstreamError {
    const error = new UpstreamError('UPSTREAM_LOGIN_REFUSED', text);
    this.#refused = { error, until: this.#deps.now() + this.#deps.refusedForMs };
    return error;
  }
}

/** A wrong address, or a page in its place: it says nothing about the asset, so the event waits for it to be put right. */
function noToken(status = 0): UpstreamError {
  const text = `Preservica answered the login with ${status === 200 ? 'something unreadable' : status}.`;
  return new UpstreamError('UPSTREAM_CONNECTION', text, { status });
}

function oneTimeCode(seed: string, now: number): string | undefined {
  try {
    return new TOTP({ secret: Secret.fromBase32(seed.replaceAll(' ', '')) }).generate({ timestamp: now });
  } catch {
    return undefined;
  }
}
