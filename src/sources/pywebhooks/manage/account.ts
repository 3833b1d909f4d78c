import * as z from 'zod';
import { readJson } from '../../../pipeline/model/read-json.ts';
import type { CallAnswer } from '../../http-call.ts';
import { listPages, type Progress } from './list-pages.ts';
import { callService, isNotOurs, saidBy, unexpected, unreadable, type Caller } from './service-call.ts';

const Key = z.string().regex(/^[\x21-\x7e]{1,512}$/);
const text = z.string().max(8192);

const Account = z
  .object({
    id: z.string().min(1).max(200),
    // These two may be any JSON value.
    username: text.optional().catch(undefined),
    endpoint: text.optional().catch(undefined),
    is_admin: z.boolean().optional(),
    failed_count: z.number().optional(),
    secret_key: Key.optional().catch(undefined),
    api_key: text.optional().catch(undefined),
  })
  .transform(({ is_admin, failed_count, secret_key, api_key, ...account }) => ({
    ...account,
    isAdmin: is_admin ?? false,
    /** Absent for the first admin. */
    failedCount: failed_count,
    secretKey: secret_key,
    apiKeyHash: api_key,
  }));
export type PyWebhooksAccount = z.infer<typeof Account>;

const NewAccount = z
  .object({ id: z.string().min(1).max(200), api_key: Key, secret_key: Key })
  .transform(({ id, api_key, secret_key }) => ({ id, apiKey: api_key, secretKey: secret_key }));
export type NewPyWebhooksAccount = z.infer<typeof NewAccount>;

const Registration = z
  .object({
    id: text,
    account_id: text,
    // All three may be any JSON value.
    event: z.unknown(),
    description: z.unknown(),
    event_data: z.unknown(),
  })
  .transform(({ id, account_id, event, description, event_data }) => ({
    id,
    accountId: account_id,
    event,
    description,
    eventData: event_data,
  }));
export type PyWebhooksRegistration = z.infer<typeof Registration>;

const Subscription = z
  .object({ id: text, account_id: text, registration_id: text, epoch: z.number().optional() })
  .transform(({ id, account_id, registration_id, epoch }) => ({
    id,
    accountId: account_id,
    registrationId: registration_id,
    since: epoch === undefined || Math.abs(epoch) > 8e12 ? null : new Date(epoch * 1000).toISOString(),
  }));
export type PyWebhooksSubscription = z.infer<typeof Subscription>;

/** What became of a wish for an account; `echo-failed`: the service called the endpoint, and got no echo. */
export type AccountMade =
  { kind: 'created'; account: NewPyWebhooksAccount } | { kind: 'echo-failed' } | { kind: 'name-taken' };

/** What became of a wish for a new key; `said` is what the service gave as its reason. */
export type KeyReset = { kind: 'sent' } | { kind: 'refused'; status: number; said: string };

/** The API of PyWebhooks, asked as one account. All of it may throw an UpstreamError. */
export interface PyWebhooks {
  /** The service calls the endpoint before it answers: the receiver must be up. Only this answer ever shows the API key. */
  createAccount(wanted: { endpoint: string; username: string }): Promise<AccountMade>;
  /** Undefined where there is none of that id, or it is somebody else's. */
  account(id: string): Promise<PyWebhooksAccount | undefined>;
  /** The id of the caller's own account, which its subscriptions and registrations give away. Undefined where it has none. */
  ownAccountId(): Promise<string | undefined>;
  /** Sets where the caller's own account is called, and forgets its failed deliveries. The service calls nobody for it. */
  setEndpoint(endpoint: string): Promise<void>;
  /** Sends a new key to the endpoint, and goes on with the old one unless the endpoint takes it. */
  resetSecretKey(): Promise<KeyReset>;
  /** The same for the API key; it needs no key, only the name. */
  resetApiKey(): Promise<KeyReset>;
  /** Everybody's. */
  registrations(progress?: Progress): Promise<PyWebhooksRegistration[]>;
  /** The caller's own. */
  subscriptions(progress?: Progress): Promise<PyWebhooksSubscription[]>;
  /** Undefined where there is no such registration. */
  subscribe(registrationId: string): Promise<PyWebhooksSubscription | undefined>;
  /** False where there is none of that id, or it is somebody else's. */
  unsubscribe(subscriptionId: string): Promise<boolean>;
}

export function pywebhooks(caller: Caller): PyWebhooks {
  const reset = async (key: 'apikey' | 'secretkey'): Promise<KeyReset> => {
    // Who has lost the API key can still ask for another.
    const as = key === 'apikey' ? 'name-only' : 'caller';
    const answer = await callService(caller, `account/reset/${key}`, { method: 'POST', as });
    if (answer.status === 200) return { kind: 'sent' };
    const said = saidBy(answer);
    const refused = (answer.status === 400 || answer.status === 404) && said !== '';
    if (refused) return { kind: 'refused', status: answer.status, said };
    throw unexpected(answer);
  };
  return {
    async createAccount(wanted) {
      const answer = await callService(caller, 'account', { method: 'POST', body: wanted, as: 'nobody' });
      if (answer.status === 409) return { kind: 'name-taken' };
      if (answer.status === 400 && saidBy(answer) === 'Echo response failed') return { kind: 'echo-failed' };
      const account = read(answer, 201, NewAccount);
      if (account === undefined) throw unreadable('made the account and said so');
      return { kind: 'created', account };
    },
    async account(id) {
      if (!isId(id)) return undefined;
      const answer = await callService(caller, `account/${id}`, { as: 'caller' });
      if (isNotOurs(answer)) return undefined;
      const account = read(answer, 200, Account);
      if (account === undefined) throw unreadable('showed the account');
      return account;
    },
    async ownAccountId() {
      for (const kind of ['subscription', 'registration']) {
        const answer = await callService(caller, `webhook/${kind}?start=0&limit=1`, {
          as: 'caller',
          answer: 'page',
        });
        if (answer.status === 204) continue;
        const page = read(answer, 200, FirstOwn(`${kind}s`));
        if (page === undefined) throw unreadable(`lists ${kind}s`);
        if (page[0] !== undefined) return page[0].account_id;
      }
      return undefined;
    },
    async setEndpoint(endpoint) {
      const answer = await callService(caller, 'account', {
        method: 'PATCH',
        body: { endpoint },
        as: 'caller',
      });
      const done = read(answer, 200, Written);
      if (done === undefined || done.replaced + done.unchanged === 0)
        throw unreadable('confirmed the address');
    },
    resetSecretKey: async () => await reset('secretkey'),
    resetApiKey: async () => await reset('apikey'),
    registrations: async (progress) =>
      await listPages(
        caller,
        { path: 'webhook/registrations', name: 'registrations', shape: Registration },
        progress,
      ),
    subscriptions: async (progress) =>
      await listPages(
        caller,
        { path: 'webhook/subscription', name: 'subscriptions', shape: Subscription },
        progress,
      ),
    async subscribe(registrationId) {
      if (!isId(registrationId)) return undefined;
      const path = `webhook/subscription/${registrationId}`;
      const answer = await callService(caller, path, { method: 'POST', as: 'caller' });
      if (isUnknown(answer)) return undefined;
      const subscription = read(answer, 201, Subscription);
      if (subscription === undefined) throw unreadable('confirmed the subscription');
      return subscription;
    },
    async unsubscribe(subscriptionId) {
      if (!isId(subscriptionId)) return false;
      const path = `webhook/subscription/${subscriptionId}`;
      const answer = await callService(caller, path, { method: 'DELETE', as: 'caller' });
      if (isNotOurs(answer) || isUnknown(answer)) return false;
      const done = read(answer, 200, Deleted);
      if (done === undefined) throw unreadable('confirmed the end of the subscription');
      return done.deleted > 0;
    },
  };
}

const Written = z.object({ replaced: z.number(), unchanged: z.number() });
const Deleted = z.object({ deleted: z.number() });

const FirstOwn = (name: string) =>
  z
    .looseObject({})
    .transform((page) => page[name])
    .pipe(z.array(z.object({ account_id: text })));

/** An id that the service could have made. What is none, such as `..`, would lead to another path. */
function isId(given: string): boolean {
  return /^[A-Za-z0-9_-]{1,127}$/.test(given);
}

/** The service itself says that it knows no such thing; a page that says so is somebody else's. */
function isUnknown(answer: CallAnswer): boolean {
  return answer.status === 404 && saidBy(answer) !== '';
}

/** The answer, where it is of that status and shape; undefined where only its shape is another. */
function read<T>(answer: CallAnswer, status: number, shape: z.ZodType<T>): T | undefined {
  if (answer.status !== status) throw unexpected(answer);
  return shape.safeParse(readJson(answer.bytes)).data;
}
