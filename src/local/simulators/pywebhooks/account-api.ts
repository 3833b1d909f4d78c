import type { Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { idTooLong, internalError, refuse, reply, unreadableBody, written } from './answers.ts';
import { forAdmin, forCaller, isMaster } from './callers.ts';
import { echoes, type Calling } from './endpoints.ts';
import { forPage, listed } from './paging.ts';
import { isStorable } from './python-json.ts';
import { holds, membersOf, readBody } from './request-body.ts';
import type { Route } from './routes.ts';
import { isSame, type Account, type Store } from './store.ts';

/** Accounts one by one. */
export function accountRoute(store: Store, calling: Calling): Route {
  return {
    takesId: true,
    methods: {
      POST: (exchange, id) => (id === undefined ? create(exchange, store, calling) : internalError()),
      GET: (exchange, id) =>
        id === undefined
          ? refuse(400, 'Missing account_id')
          : forCaller(exchange, store, (caller) =>
              caller.id === id ? reply(caller) : refuse(401, 'Not authorized'),
            ),
      PATCH: (exchange, id) =>
        forCaller(exchange, store, (caller) =>
          id === undefined ? changeEndpoint(exchange, caller) : internalError(),
        ),
      DELETE: (exchange, id) =>
        id === undefined
          ? refuse(400, 'Missing account_id')
          : forCaller(exchange, store, (caller) => {
              if (!isMaster(caller) && caller.id !== id) return refuse(401, 'Not authorized');
              if (id.length > 127) return idTooLong();
              return written(store.deleteAccount(id) === 1 ? { deleted: 1 } : { skipped: 1 });
            }),
    },
  };
}

/** All accounts, for admins. */
export function accountsRoute(store: Store): Route {
  return {
    takesId: false,
    methods: {
      GET: (exchange) =>
        forAdmin(exchange, store, () =>
          forPage(exchange, (page) => listed('accounts', store.accounts.values(), page)),
        ),
      DELETE: (exchange) =>
        forAdmin(exchange, store, () => written({ deleted: store.deleteAccountsButAdmins() })),
    },
  };
}

async function create(exchange: Exchange, store: Store, calling: Calling): Promise<Answer> {
  const body = readBody(exchange);
  if (body === undefined) return unreadableBody();
  const given = membersOf(body.value);
  if (given === undefined || !given.has('endpoint')) return internalError();
  const endpoint = given.get('endpoint');
  if (!(await echoes(endpoint, calling))) return refuse(400, 'Echo response failed');
  if (!given.has('username')) return internalError();
  const username = given.get('username');
  if (!isStorable(username)) return internalError();
  if (store.accountNamed(username) !== undefined) return refuse(409, 'Username already exists');
  const { account, apiKey } = store.addAccount({ username, endpoint, is_admin: false, failed_count: 0 });
  return reply({ ...account, api_key: apiKey }, 201);
}

function changeEndpoint(exchange: Exchange, caller: Account): Answer {
  const body = readBody(exchange);
  if (body === undefined) return unreadableBody();
  const named = holds(body.value, 'endpoint');
  if (named === false) return refuse(400, 'Missing endpoint field');
  const given = membersOf(body.value);
  const endpoint = given?.get('endpoint');
  if (given === undefined || !isStorable(endpoint)) return internalError();
  const same = isSame(caller.endpoint, endpoint) && caller.failed_count === 0;
  caller.endpoint = endpoint;
  caller.failed_count = 0;
  return written(same ? { unchanged: 1 } : { replaced: 1 });
}
