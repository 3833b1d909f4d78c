import type { Clock } from '../../pipeline/ports/clock.ts';
import * as z from 'zod';
import { prefixOf, type SourceConfig } from '../../pipeline/ports/source-config.ts';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { readJson } from '../../pipeline/model/read-json.ts';
import type { Secrets } from '../../pipeline/ports/secrets.ts';
import { Session, type NewToken } from '../session.ts';
import { callAssets, systemName } from './call.ts';

export interface LoginDeps extends Clock {
  readonly source: Pick<SourceConfig, 'name' | 'url' | 'username'>;
  readonly secrets: Pick<Secrets, 'password'>;
  readonly timeLimitMs: number;
  readonly firstRetryDelayMs: number;
}

const maxAnswerBytes = 65_536;
// The server does not say how long a token lasts; clients reckon with half an hour.
const tokenLifeMs = 1_800_000;

const LoginAnswer = z.object({
  loginSuccess: z.boolean(),
  // A compressed JWT of a few kilobytes; it goes into a header as it is.
  authToken: z
    .string()
    .regex(/^[\x21-\x7e]{1,16384}$/)
    .optional()
    .catch(undefined),
});

/** A login at this source, to be shared by all who ask it. */
export function woodwingSession(deps: LoginDeps): Session {
  return new Session({
    system: systemName,
    logIn: async () => await logIn(deps),
    refusedForMs: deps.firstRetryDelayMs,
    now: () => deps.now(),
  });
}

async function logIn({ source, secrets, timeLimitMs, ...clock }: LoginDeps): Promise<NewToken> {
  const { name, url, username } = source;
  const password = await secrets.password(name);
  if (username === undefined) throw refused(`No user name is set: ${prefixOf(name)}USERNAME.`);
  if (password === undefined) {
    throw refused(`No password is set: ${prefixOf(name)}PASSWORD, or source-${name}-password in the vault.`);
  }
  const body = new URLSearchParams({ username, password });
  const limits = { maxBytes: maxAnswerBytes, timeLimitMs, now: () => clock.now() };
  const headers = { accept: 'application/json' };
  const { status, bytes, retryAfterMs } = await callAssets(
    new URL(`${url}/services/apilogin`),
    { method: 'POST', headers, body },
    limits,
  ).catch((error: unknown) => {
    throw error instanceof UpstreamError && error.code === 'UPSTREAM_TOO_LARGE'
      ? noLogin('something larger than is taken', error.status)
      : error;
  });
  if (status === 401 || status === 403) throw refused(wrongAccount);
  if (status === 429 || status >= 500) {
    const text = `${systemName} answered the login with ${status}.`;
    throw new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
  }
  const answer = LoginAnswer.safeParse(status === 200 ? readJson(bytes) : undefined).data;
  if (answer?.loginSuccess === false) throw refused(wrongAccount);
  if (answer?.authToken !== undefined) return { text: answer.authToken, lifeMs: tokenLifeMs };
  throw noLogin(status === 200 ? 'something unreadable' : String(status), status);
}

/** A wrong address, or a page in its place: it says nothing about the asset, so the event waits for it to be put right. */
function noLogin(what: string, status: number | undefined): UpstreamError {
  const text = `${systemName} answered the login with ${what}.`;
  return new UpstreamError('UPSTREAM_CONNECTION', text, status === undefined ? {} : { status });
}

const wrongAccount = `${systemName} refused the login: user name or password is not right.`;

function refused(text: string): UpstreamError {
  return new UpstreamError('UPSTREAM_LOGIN_REFUSED', text);
}
