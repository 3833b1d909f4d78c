import type { Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { idTooLong, internalError, refuse, reply, unreadableBody, written } from './answers.ts';
import { forAdmin, forCaller, isMaster } from './callers.ts';
import { forPage, listed } from './paging.ts';
import { isStorable } from './python-json.ts';
import { holds, membersOf, readBody } from './request-body.ts';
import type { Route } from './routes.ts';
import { isSame, type Account, type Store } from './store.ts';

/** The caller's own registrations. */
export function registrationRoute(store: Store): Route {
  return {
    takesId: true,
    methods: {
      POST: (exchange, id) =>
        forCaller(exchange, store, (caller) =>
          id === undefined ? create(exchange, caller, store) : internalError(),
        ),
      GET: (exchange, id) =>
        forCaller(exchange, store, (caller) =>
          forPage(exchange, (page) => {
            if (id !== undefined) return internalError();
            const own = [...store.registrations.values()].filter((each) => each.account_id === caller.id);
            return listed('registrations', own, page);
          }),
        ),
      PATCH: (exchange, id) =>
        forOwner(exchange, id, store, (registrationId) => describe(exchange, registrationId, store)),
      DELETE: (exchange, id) =>
        forOwner(exchange, id, store, (registrationId) =>
          written({ deleted: store.deleteRegistration(registrationId) }),
        ),
    },
  };
}

/** Everybody's registrations. */
export function registrationsRoute(store: Store): Route {
  return {
    takesId: false,
    methods: {
      GET: (exchange) =>
        forCaller(exchange, store, () =>
          forPage(exchange, (page) => listed('registrations', store.registrations.values(), page)),
        ),
      DELETE: (exchange) =>
        forAdmin(exchange, store, () => {
          const deleted = store.registrations.size;
          store.registrations.clear();
          return written({ deleted });
        }),
    },
  };
}

function forOwner(
  exchange: Exchange,
  id: string | undefined,
  store: Store,
  answer: (registrationId: string) => Answer,
): Answer {
  if (id === undefined) return refuse(400, 'Missing registration_id');
  return forCaller(exchange, store, (caller) => {
    const owned = store.registrations.get(id)?.account_id === caller.id;
    return owned || isMaster(caller) ? answer(id) : refuse(401, 'Not authorized');
  });
}

function create(exchange: Exchange, caller: Account, store: Store): Answer {
  const body = readBody(exchange);
  if (body === undefined) return unreadableBody();
  const given = membersOf(body.value);
  const names = ['event', 'description', 'event_data'];
  if (given === undefined || !names.every((name) => given.has(name) && isStorable(given.get(name))))
    return internalError();
  const registration = store.addRegistration({
    account_id: caller.id,
    event: given.get('event'),
    description: given.get('description'),
    event_data: given.get('event_data'),
  });
  return reply(registration, 201);
}

function describe(exchange: Exchange, id: string, store: Store): Answer {
  const body = readBody(exchange);
  if (body === undefined) return unreadableBody();
  const named = holds(body.value, 'description');
  if (named === false) return refuse(400, 'Description field missing');
  const given = membersOf(body.value);
  const description = given?.get('description');
  if (given === undefined || !isStorable(description)) return internalError();
  if (id.length > 127) return idTooLong();
  const registration = store.registrations.get(id);
  if (registration === undefined) return written({ skipped: 1 });
  const same = isSame(registration.description, description);
  registration.description = description;
  return written(same ? { unchanged: 1 } : { replaced: 1 });
}
