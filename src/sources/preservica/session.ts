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
  now(): number;
}

interface Token {
  readonly text: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

const maxAnswerBytes = 65_536;

// Section 1.1: `validFor` is minutes.
const LoginAnswer = z.object({
  token: z.string().min(1).max(4096),
  validFor: z.number().positive().max(1440).default(15),
});
const SecondFactorWanted = z.object({
  message: z.enum(['needs.2fa', 'needs.2fa.setup']),
  continuationToken: z.string().max(4096).optional(),
  tenant: z.string().max(1024).optional(),
});

/** A login at Preservica, shared by all calls of this instance (reference/preservica.md 1.1, 1.2, 1.4). */
export class Session {
  readonly #account: Account;
  readonly #deps: SessionDeps;
  #token: Token | undefined;
  #login: Promise<Token> | undefined;
  #refused: { error: UpstreamError; until: number } | undefined;

  constructor(account: Account, deps: SessionDeps) {
    this.#account = account;
    this.#deps = deps;
  }

  /** A token that is good for a while. One login runs at a time, and all wait for it. Throws an UpstreamError. */
  async token(turn: Turn): Promise<string> {
    const now = this.#deps.now();
    const token = this.#token;
    if (token !== undefined && now < token.renewAt) return token.text;
    if (this.#refused !== undefined && now < this.#refused.until) throw this.#refused.error;
    const login = (this.#login ??= this.#logIn(turn).finally(() => {
      this.#login = undefined;
    }));
    if (token === undefined || now >= token.endsAt) return (await login).text;
    // Still good: whoever waits, waits for the next one only when this one has ended.
    login.catch(() => undefined);
    return token.text;
  }

  /** To be told when a call with this token got a 401; a newer token stays. */
  drop(text: string): void {
    if (this.#token?.text === text) this.#token = undefined;
  }

  /** To be told when even a fresh token got a 401: for a while that counts as a refused login. */
  refuse(): UpstreamError {
    this.#token = undefined;
    return this.#refuse('Preservica takes the login, and then refuses its token.');
  }

  async #logIn(turn: Turn): Promise<Token> {
    const { source, username, tenant } = this.#account;
    const [password, seed] = await Promise.all([
      this.#deps.secrets.password(source),
      this.#deps.secrets.totpSeed(source),
    ]);
    if (username === undefined) throw this.#refuse(`No user name is set: ${prefixOf(source)}USERNAME.`);
    if (password === undefined) {
      throw this.#refuse(
        `No password is set: ${prefixOf(source)}PASSWORD, or source-${source}-password in the vault.`,
      );
    }
    const form = new URLSearchParams({ username, password, ...(tenant === undefined ? {} : { tenant }) });
    const answer = await this.#post(turn, 'login', form);
    const wanted =
      answer.status === 401 ? SecondFactorWanted.safeParse(readJson(answer.bytes)).data : undefined;
    if (wanted === undefined) return this.#keep(answer);
    if (wanted.message === 'needs.2fa.setup' || wanted.continuationToken === undefined) {
      throw this.#refuse('Preservica wants a second factor to be set up for this account first.');
    }
    if (seed === undefined) {
      throw this.#refuse(
        `Preservica wants a second factor: ${prefixOf(source)}TOTP_SEED, or source-${source}-totp-seed in the vault.`,
      );
    }
    const totp = new TOTP({ secret: Secret.fromBase32(seed.replaceAll(' ', '')) });
    const second = new URLSearchParams({
      username,
      continuationToken: wanted.continuationToken,
      tenant: wanted.tenant ?? tenant ?? '',
      twoFactorToken: totp.generate({ timestamp: this.#deps.now() }),
    });
    return this.#keep(await this.#post(turn, 'complete-2fa', second));
  }

  async #post(turn: Turn, step: 'login' | 'complete-2fa', body: URLSearchParams): Promise<CallAnswer> {
    const url = new URL(`${this.#account.url}/api/accesstoken/${step}`);
    // The login is everybody's: the end of the one event that began it must not end it.
    const signal = new AbortController().signal;
    const init = { method: 'POST' as const, headers: { accept: 'application/json' }, body };
    return await turn.call(
      async () =>
        await callPreservica(url, init, { maxBytes: maxAnswerBytes, signal, now: () => this.#deps.now() }),
    );
  }

  #keep(answer: CallAnswer): Token {
    const { status, retryAfterMs } = answer;
    if ([400, 401, 403].includes(status)) {
      throw this.#refuse(
        'Preservica refused the login: user name, password, tenant or second factor is not right.',
      );
    }
    if (status !== 200) {
      throw new UpstreamError('UPSTREAM_STATUS', `Preservica answered the login with ${status}.`, {
        status,
        retryAfterMs,
      });
    }
    const read = LoginAnswer.safeParse(readJson(answer.bytes));
    if (!read.success) {
      throw new UpstreamError(
        'UPSTREAM_CONNECTION',
        'Preservica answered the login with something unreadable.',
      );
    }
    const now = this.#deps.now();
    const lifeMs = read.data.validFor * 60_000;
    this.#refused = undefined;
    this.#token = { text: read.data.token, renewAt: now + (lifeMs * 2) / 3, endsAt: now + lifeMs };
    return this.#token;
  }

  // So that many waiting events do not knock often enough to lock the account.
  #refuse(text: string): UpstreamError {
    const error = new UpstreamError('UPSTREAM_LOGIN_REFUSED', text);
    this.#refused = { error, until: this.#deps.now() + this.#deps.refusedForMs };
    return error;
  }
}
