import type { Clock } from '../../pipeline/ports/clock.ts';
import { Secret, TOTP } from 'otpauth';
import * as z from 'zod';
import { prefixOf } from '../../pipeline/ports/source-config.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { readJson } from '../../pipeline/model/read-json.ts';
import type { Secrets } from '../../pipeline/ports/secrets.ts';
import { callSource, type CallAnswer } from '../http-call.ts';
import { Session, type NewToken } from '../session.ts';
import type { PreservicaSource } from './settings.ts';

interface Account {
  readonly source: string;
  readonly url: string;
  readonly username: string | undefined;
  readonly tenant: string | undefined;
}

interface LoginDeps extends Clock {
  readonly secrets: Pick<Secrets, 'password' | 'totpSeed'>;
  readonly timeLimitMs: number;
}

const maxAnswerBytes = 65_536;

// `validFor` is minutes. The token goes into a header as it is. A time that makes no sense is taken for the
// usual one: too long shows as a 401, and too short would mean a login a call.
const LoginAnswer = z.object({
  token: z.string().regex(/^[\x21-\x7e]{1,4096}$/),
  validFor: z.number().min(1).max(1440).catch(15),
});
// The continuation token is written with a hyphen in the vendor's text, in camel case by clients.
const SecondFactorWanted = z.object({
  message: z.enum(['needs.2fa', 'needs.2fa.setup']),
  continuationToken: z.string().max(4096).optional(),
  'continuation-token': z.string().max(4096).optional(),
  tenant: z.string().max(1024).optional(),
});
type SecondFactorWanted = z.infer<typeof SecondFactorWanted>;

/** A login at this source, to be shared by all who ask it. */
export function preservicaSession({
  source: { name, url, username, tenant },
  secrets,
  timeLimitMs,
  firstRetryDelayMs,
  ...clock
}: {
  source: Pick<PreservicaSource, 'name' | 'url' | 'username' | 'tenant'>;
  secrets: Pick<Secrets, 'password' | 'totpSeed'>;
  timeLimitMs: number;
  firstRetryDelayMs: number;
} & Clock): Session {
  const now = (): number => clock.now();
  const login = new Login({ source: name, url, username, tenant }, { secrets, timeLimitMs, now });
  return new Session({
    system: 'Preservica',
    logIn: async () => await login.logIn(),
    refusedForMs: firstRetryDelayMs,
    now,
  });
}

/** Logging in at Preservica. */
class Login {
  readonly #account: Account;
  readonly #deps: LoginDeps;

  constructor(account: Account, deps: LoginDeps) {
    this.#account = account;
    this.#deps = deps;
  }

  /** One login, the second factor included. Throws an UpstreamError. */
  async logIn(): Promise<NewToken> {
    const { source, username, tenant } = this.#account;
    const password = await this.#deps.secrets.password(source);
    if (username === undefined) throw refused(`No user name is set: ${prefixOf(source)}USERNAME.`);
    if (password === undefined) {
      throw refused(
        `No password is set: ${prefixOf(source)}PASSWORD, or source-${source}-password in the vault.`,
      );
    }
    const form = new URLSearchParams({ username, password, ...(tenant === undefined ? {} : { tenant }) });
    const answer = await this.#post('login', form);
    const wanted =
      answer.status === 401 ? SecondFactorWanted.safeParse(readJson(answer.bytes)).data : undefined;
    const { token, validFor } = this.#read(
      wanted === undefined ? answer : await this.#secondFactor(username, wanted),
    );
    return { text: token, lifeMs: validFor * 60_000 };
  }

  async #secondFactor(username: string, wanted: SecondFactorWanted): Promise<CallAnswer> {
    const { source, tenant } = this.#account;
    const setting = `${prefixOf(source)}TOTP_SEED, or source-${source}-totp-seed in the vault`;
    if (wanted.message === 'needs.2fa.setup') {
      throw refused(
        'Preservica wants a second factor to be set up for this account first; an account for a service should have none.',
      );
    }
    const seed = await this.#deps.secrets.totpSeed(source);
    if (seed === undefined) throw refused(`Preservica wants a second factor: ${setting}.`);
    const code = oneTimeCode(seed, this.#deps.now());
    if (code === undefined) throw refused(`The seed of the second factor is not in base 32: ${setting}.`);

    // Preservica wants all four; one that the answer lacks is left out.
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
      return await callSource(
        'Preservica',
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
      throw refused(
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
}

function refused(text: string): UpstreamError {
  return new UpstreamError('UPSTREAM_LOGIN_REFUSED', text);
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
