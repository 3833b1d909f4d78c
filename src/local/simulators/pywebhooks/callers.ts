import type { Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { isHashOf } from './api-keys.ts';
import { refuse } from './answers.ts';
import type { Account, Store } from './store.ts';

/** Answers for whoever logged in, and refuses everybody else in the order of the original. */
export function forCaller<Answered extends Answer | Promise<Answer>>(
  { headers }: Exchange,
  store: Store,
  answer: (caller: Account) => Answered,
): Answer | Answered {
  const { 'api-key': apiKey, username } = headers;
  if (apiKey === undefined) return refuse(401, 'Missing API key header value');
  if (username === undefined) return refuse(401, 'Missing username header value');
  const account = store.accountNamed(username);
  if (account === undefined) return refuse(401, 'Invalid API key or Username');
  if (!isHashOf(account.api_key, String(apiKey))) return refuse(401, 'Invalid API key');
  return answer(account);
}

/** As `forCaller`, for admins alone. */
export function forAdmin(exchange: Exchange, store: Store, answer: () => Answer): Answer {
  return forCaller(exchange, store, ({ is_admin }) => (is_admin ? answer() : refuse(401, 'Not an Admin')));
}

/** True for who may do everything to every record: the name decides, not the flag. */
export function isMaster({ username }: Account): boolean {
  return username === 'admin';
}
