import type { Answer } from '../faults.ts';
import { hashApiKey, newKey } from './api-keys.ts';
import { refuse, reply } from './answers.ts';
import { forCaller } from './callers.ts';
import { takesKey, type Calling } from './endpoints.ts';
import type { Route } from './routes.ts';
import type { Account, Store } from './store.ts';

/** Whoever knows the name may ask, and only the endpoint learns the key. */
export function apiKeyResetRoute(store: Store, calling: Calling): Route {
  return {
    takesId: false,
    methods: {
      POST: ({ headers: { username } }) => {
        if (username === undefined) return refuse(400, 'Missing the username header value');
        const account = store.accountNamed(username);
        return account === undefined ? refuse(404, 'Username not found') : reset(account, 'api_key', calling);
      },
    },
  };
}

export function secretKeyResetRoute(store: Store, calling: Calling): Route {
  return {
    takesId: false,
    methods: {
      POST: (exchange) => forCaller(exchange, store, (caller) => reset(caller, 'secret_key', calling)),
    },
  };
}

async function reset(account: Account, kind: 'api_key' | 'secret_key', calling: Calling): Promise<Answer> {
  const { endpoint } = account;
  if (endpoint === '' || endpoint === null) return refuse(404, 'Endpoint not found');
  const { failingResets } = calling.settings;
  const key = newKey();
  if (failingResets === 'before-sending' || !(await takesKey(endpoint, kind, key, calling)))
    return refuse(400, 'Failed to contact the endpoint or wrong HTTP status code returned');
  if (failingResets === 'after-sending') return refuse(500, 'The key could not be stored.');
  account[kind] = kind === 'api_key' ? hashApiKey(key) : key;
  return reply({ Message: 'New key sent to endpoint' });
}
