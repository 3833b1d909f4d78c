import { idTooLong, internalError, refuse, reply, written } from './answers.ts';
import { forAdmin, forCaller, isMaster } from './callers.ts';
import { forPage, listed } from './paging.ts';
import type { Route } from './routes.ts';
import type { Store } from './store.ts';

/** The caller's own subscriptions: made with a registration's id, ended with their own. */
export function subscriptionRoute(store: Store): Route {
  return {
    takesId: true,
    methods: {
      POST: (exchange, id) => {
        if (id === undefined) return refuse(400, 'Missing subscription_id');
        return forCaller(exchange, store, (caller) =>
          store.registrations.has(id)
            ? reply(store.addSubscription({ account_id: caller.id, registration_id: id }), 201)
            : refuse(404, 'The registration id does not exist'),
        );
      },
      GET: (exchange, id) =>
        forCaller(exchange, store, (caller) =>
          forPage(exchange, (page) => {
            if (id !== undefined) return internalError();
            const own = [...store.subscriptions.values()].filter((each) => each.account_id === caller.id);
            return listed('subscriptions', own, page);
          }),
        ),
      DELETE: (exchange, id) => {
        if (id === undefined) return refuse(400, 'Missing subscription_id');
        return forCaller(exchange, store, (caller) => {
          const owned = store.subscriptions.get(id)?.account_id === caller.id;
          if (!owned && !isMaster(caller)) return refuse(401, 'Not authorized');
          if (id.length > 127) return idTooLong();
          return written(store.subscriptions.delete(id) ? { deleted: 1 } : { skipped: 1 });
        });
      },
    },
  };
}

/** Everybody's subscriptions. */
export function subscriptionsRoute(store: Store): Route {
  return {
    takesId: false,
    methods: {
      GET: (exchange) =>
        forPage(exchange, (page) =>
          forCaller(exchange, store, () => listed('subscriptions', store.subscriptions.values(), page)),
        ),
      DELETE: (exchange) =>
        forAdmin(exchange, store, () => {
          const deleted = store.subscriptions.size;
          store.subscriptions.clear();
          return written({ deleted });
        }),
    },
  };
}
