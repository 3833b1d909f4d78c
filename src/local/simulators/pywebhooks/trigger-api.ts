import { internalError, refuse, reply } from './answers.ts';
import { forCaller } from './callers.ts';
import { forPage, listed } from './paging.ts';
import type { Route } from './routes.ts';
import type { Registration, Store, Triggered } from './store.ts';

/** Starts the deliveries of a registration; there is no record where they stopped half-way. */
export type Trigger = (registration: Registration) => {
  triggered: Triggered | undefined;
  ended: Promise<void>;
};

export function triggeredRoute(store: Store, trigger: Trigger): Route {
  return {
    takesId: true,
    methods: {
      POST: (exchange, id) => {
        if (id === undefined) return refuse(400, 'Missing registration_id');
        return forCaller(exchange, store, (caller) => {
          const registration = store.registrations.get(id);
          if (registration === undefined) return refuse(404, 'Registration id not found');
          if (registration.account_id !== caller.id)
            return refuse(401, "You don't have access to this registration record or it no longer exists");
          const { triggered } = trigger(registration);
          return triggered === undefined ? internalError() : reply(triggered, 201);
        });
      },
      GET: (exchange, id) =>
        forPage(exchange, (page) =>
          forCaller(exchange, store, () =>
            id === undefined ? listed('triggered_webhooks', store.triggered.values(), page) : internalError(),
          ),
        ),
    },
  };
}
