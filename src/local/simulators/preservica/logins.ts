import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { json, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import type { Settings } from './settings.ts';

/** Logins and tokens. */
export class Logins {
  readonly #settings: Settings;
  readonly #tokens = new Map<string, number>();
  readonly #refreshTokens = new Map<string, string>();
  readonly #continuations = new Set<string>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** True for a call whose token still lives. */
  knows({ headers }: Exchange): boolean {
    const bearer = /^Bearer (.+)$/.exec(String(headers['authorization'] ?? ''))?.[1];
    const token = headers['preservica-access-token'] ?? bearer;
    return typeof token === 'string' && (this.#tokens.get(token) ?? 0) > Date.now();
  }

  /** Ends every token, as a restart of the real one would. */
  forget(): void {
    this.#tokens.clear();
  }

  answer(exchange: Exchange): Answer {
    if (exchange.method !== 'POST') return json({ success: false }, 405);
    const form = new URLSearchParams(exchange.body.toString());
    switch (exchange.segments.join('/')) {
      case 'accesstoken/login':
        return this.#logIn(form);
      case 'accesstoken/complete-2fa':
        return this.#complete(form);
      case 'accesstoken/refresh':
        return this.#refresh(form, exchange);
      default:
        return json({ success: false }, 404);
    }
  }

  #logIn(form: URLSearchParams): Answer {
    const { account } = this.#settings;
    const tenant = form.get('tenant') ?? account.tenant;
    const right =
      form.get('username') === account.username &&
      form.get('password') === account.password &&
      tenant === account.tenant;
    if (!right) return json({ success: false, message: 'login.failed' }, 401);
    if (account.totpSeed === undefined) return this.#issue(form.get('includeUserDetails') === 'true');
    const continuationToken = randomUUID();
    this.#continuations.add(continuationToken);
    return json({ success: false, message: 'needs.2fa', continuationToken, tenant: account.tenant }, 401);
  }

  #complete(form: URLSearchParams): Answer {
    const { totpSeed, username } = this.#settings.account;
    const known = this.#continuations.delete(form.get('continuationToken') ?? '');
    const totp = new TOTP({ secret: Secret.fromBase32(totpSeed ?? 'AAAAAAAA') });
    const right = totp.validate({ token: form.get('twoFactorToken') ?? '', window: 1 }) !== null;
    const all = known && right && form.get('username') === username && totpSeed !== undefined;
    return all ? this.#issue(false) : json({ success: false, message: 'login.failed' }, 401);
  }

  #refresh(form: URLSearchParams, exchange: Exchange): Answer {
    const refreshToken = form.get('refreshToken') ?? '';
    const pair = this.#refreshTokens.get(refreshToken);
    const own = pair !== undefined && pair === exchange.headers['preservica-access-token'];
    if (!own || !this.knows(exchange)) return json({ success: false, message: 'refresh.failed' }, 401);
    this.#refreshTokens.delete(refreshToken);
    return this.#issue(false);
  }

  #issue(withDetails: boolean): Answer {
    const { account, tokenLifeMs } = this.#settings;
    const [token, refreshToken] = [randomUUID(), randomUUID()];
    this.#tokens.set(token, Date.now() + tokenLifeMs);
    this.#refreshTokens.set(refreshToken, token);
    const details = {
      fullName: 'A. Archivist',
      email: account.username,
      tenant: account.tenant,
      roles: account.roles,
    };
    return json({
      success: true,
      token,
      'refresh-token': refreshToken,
      validFor: 15,
      user: account.username,
      ...(withDetails ? details : {}),
    });
  }
}
