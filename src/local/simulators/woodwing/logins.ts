import { randomBytes } from 'node:crypto';
import { json, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { parametersOf } from './parameters.ts';
import { refusal } from './refusal.ts';
import type { Settings } from './settings.ts';

interface Login {
  readonly endsAt: number;
  /** Only a session has one. */
  readonly csrfToken: string | undefined;
}

/** Logins, sessions and tokens. */
export class Logins {
  readonly #settings: Settings;
  readonly #logins = new Map<string, Login>();
  readonly #requestSecrets = new Map<string, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Ends every token and session, as a restart of the real one would. */
  forget(): void {
    this.#logins.clear();
    this.#requestSecrets.clear();
  }

  /** Why the call may not be made, or nothing. */
  refuse({ method, headers }: Exchange): Answer | undefined {
    const bearer = bearerToken(headers);
    const login = this.#logins.get(bearer ?? cookieToken(headers) ?? '');
    if (login === undefined || login.endsAt <= Date.now()) return refusal(401, 'Not logged in');
    const needsCsrfToken = bearer === undefined && login.csrfToken !== undefined && method !== 'GET';
    return needsCsrfToken && headers['x-csrf-token'] !== login.csrfToken
      ? refusal(this.#settings.csrfStatus, 'Invalid CSRF token')
      : undefined;
  }

  /** A code that stands for a login, in the address of a rendition. */
  newRequestSecret(): string {
    const secret = randomBytes(16).toString('base64url');
    this.#requestSecrets.set(secret, Date.now() + this.#settings.requestSecretLifeMs);
    return secret;
  }

  knowsRequestSecret(secret: string | null): boolean {
    return (this.#requestSecrets.get(secret ?? '') ?? 0) > Date.now();
  }

  /** `apilogin` and `login`. */
  async answer(exchange: Exchange): Promise<Answer> {
    const { loginMethodStatus, version } = this.#settings;
    if (exchange.method !== 'POST') return refusal(loginMethodStatus, 'Only POST is allowed');
    const parameters = await parametersOf(exchange);
    if (parameters === undefined) return refusal(400, 'The form cannot be read');
    const isSession = exchange.segments[1] === 'login';
    const clientType = parameters.get('clientType');
    const fault = this.#isAccount(parameters, isSession)
      ? isSession && clientType !== null && !clientType.startsWith('api_') && 'Unknown client type'
      : 'Incorrect username or password';
    if (typeof fault === 'string')
      return json({ loginSuccess: false, serverVersion: version, loginFaultMessage: fault });
    const success = { loginSuccess: true, serverVersion: version };
    if (!isSession) return json({ ...success, authToken: this.#newLogin(undefined) });
    const csrfToken = randomBytes(16).toString('base64url');
    const withProfile = parameters.get('returnProfile') === 'true';
    const answer = json({
      ...success,
      csrfToken,
      ...(withProfile ? { userProfile: profileOf(this.#settings) } : {}),
    });
    const cookie = `authToken=${this.#newLogin(csrfToken)}; Path=/; HttpOnly`;
    return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } };
  }

  logOut({ headers }: Exchange): Answer {
    this.#logins.delete(bearerToken(headers) ?? cookieToken(headers) ?? '');
    return json({ logoutSuccess: true });
  }

  #isAccount(parameters: URLSearchParams, isSession: boolean): boolean {
    const { username, password } = this.#settings.account;
    const cred = parameters.get('cred');
    if (isSession && cred !== null)
      return Buffer.from(cred, 'base64').toString() === `${username}:${password}`;
    return parameters.get('username') === username && parameters.get('password') === password;
  }

  #newLogin(csrfToken: string | undefined): string {
    const header = Buffer.from('{"alg":"HS512","zip":"DEF"}').toString('base64url');
    const token = [header, ...[96, 64].map((size) => randomBytes(size).toString('base64url'))].join('.');
    this.#logins.set(token, { csrfToken, endsAt: Date.now() + this.#settings.tokenLifeMs });
    return token;
  }
}

/** `/services/profile`. */
export function profileOf({ account }: Settings): object {
  const { username, fullName, email, superuser } = account;
  return {
    username,
    fullName,
    email,
    locale: 'en_US',
    authorities: superuser ? ['ROLE_USER', 'ROLE_SUPER_USER'] : ['ROLE_USER'],
    userZone: `/Users/${username}`,
    groups: [],
  };
}

function bearerToken(headers: Exchange['headers']): string | undefined {
  return /^Bearer (.+)$/.exec(String(headers['authorization'] ?? ''))?.[1];
}

function cookieToken(headers: Exchange['headers']): string | undefined {
  return /(?:^|;\s*)authToken=([^;]+)/.exec(String(headers['cookie'] ?? ''))?.[1];
}
