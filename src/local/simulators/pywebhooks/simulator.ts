import { post, type Framing, type Received } from '../post.ts';
import { serveSimulator, UnderWay, type SimulatorServer } from '../serve.ts';
import { accountRoute, accountsRoute } from './account-api.ts';
import { requestHeaders } from './call-endpoint.ts';
import { signEvent, startDeliveries } from './deliveries.ts';
import type { Calling, Sent } from './endpoints.ts';
import { registrationRoute, registrationsRoute } from './registration-api.ts';
import { apiKeyResetRoute, secretKeyResetRoute } from './reset-api.ts';
import { answerByRoute, type Routes } from './routes.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { Store, type Account } from './store.ts';
import { subscriptionRoute, subscriptionsRoute } from './subscription-api.ts';
import { triggeredRoute, type Trigger } from './trigger-api.ts';

export interface SimulatorOptions {
  /** A free one if left out. */
  readonly port?: number;
  /** What differs from the defaults. */
  readonly settings?: Partial<Settings>;
}

/** What somebody needs to log in, and to check signatures. */
export interface Keys {
  readonly id: string;
  readonly username: string;
  readonly apiKey: string;
  readonly secretKey: string;
}

/** A delivery made by hand, right or wrong. */
export interface HandMade {
  readonly secret: string;
  readonly body: Uint8Array;
  readonly event?: string;
  /** Sent in place of the right one; no header at all if null. */
  readonly signature?: string | null;
  readonly headers?: Record<string, string>;
  readonly framing?: Framing;
}

/** A PyWebhooks 0.5.5 in this process, on loopback. */
export interface PyWebhooksSimulator extends SimulatorServer {
  /** May be changed at any time. */
  readonly settings: Settings;
  /** The account that is there from the start, with the keys it began with. */
  readonly admin: Keys;
  /** By id. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** What was sent to endpoints so far. */
  readonly sent: readonly Sent[];
  /** Makes an account whose endpoint is not asked. */
  addAccount(account: { username: string; endpoint: string }): Keys;
  addRegistration(
    accountId: string,
    registration: { event: string | null; description: string; event_data: unknown },
  ): { id: string };
  /** Triggers a registration as its owner would; resolves when its deliveries have ended, retries included. */
  trigger(registrationId: string): Promise<void>;
  /** Sends any bytes to any address, signed with that secret; resolves with the answer. */
  deliver(url: string, delivery: HandMade): Promise<Received>;
}

/** Starts a simulator with no account but the admin's, on loopback. */
export async function startPyWebhooksSimulator(options: SimulatorOptions = {}): Promise<PyWebhooksSimulator> {
  const settings: Settings = { ...defaultSettings(), ...options.settings };
  const store = new Store();
  const sent: Sent[] = [];
  const underWay = new UnderWay();
  const calling: Calling = { settings, note: (each) => void sent.push(each), closed: underWay.closed };

  const addAccount = (given: Parameters<Store['addAccount']>[0] & { username: string }): Keys => {
    const { account, apiKey } = store.addAccount(given);
    return { id: account.id, username: given.username, apiKey, secretKey: account.secret_key };
  };
  const admin = addAccount({ username: 'admin', endpoint: '', is_admin: true });

  const trigger: Trigger = (registration) => {
    const { complete, ended } = startDeliveries(registration, { store, calling });
    return {
      triggered: complete ? store.addTriggered(registration.id) : undefined,
      ended: underWay.follow(ended),
    };
  };

  const routes: Routes = new Map([
    ['v1/accounts', accountsRoute(store)],
    ['v1/account', accountRoute(store, calling)],
    ['v1/account/reset/apikey', apiKeyResetRoute(store, calling)],
    ['v1/account/reset/secretkey', secretKeyResetRoute(store, calling)],
    ['v1/webhook/registration', registrationRoute(store)],
    ['v1/webhook/registrations', registrationsRoute(store)],
    ['v1/webhook/subscription', subscriptionRoute(store)],
    ['v1/webhook/subscriptions', subscriptionsRoute(store)],
    ['v1/webhook/triggered', triggeredRoute(store, trigger)],
  ]);

  const { port } = options;
  const server = await serveSimulator(
    {
      ...(port === undefined ? {} : { port }),
      latencyMs: () => settings.latencyMs,
      answer: (exchange) => answerByRoute(exchange, routes),
    },
    underWay,
  );
  return Object.assign(server, {
    settings,
    admin,
    accounts: store.accounts,
    sent,
    addAccount: (account: { username: string; endpoint: string }): Keys =>
      addAccount({ ...account, is_admin: false, failed_count: 0 }),
    addRegistration: (
      accountId: string,
      registration: { event: string | null; description: string; event_data: unknown },
    ): { id: string } => ({ id: store.addRegistration({ account_id: accountId, ...registration }).id }),
    async trigger(registrationId: string): Promise<void> {
      const registration = store.registrations.get(registrationId);
      if (registration === undefined) throw new Error('There is no registration of that id.');
      const { triggered, ended } = trigger(registration);
      await ended;
      if (triggered === undefined) throw new Error('The account of a subscriber is gone, or counts nothing.');
    },
    async deliver(
      url: string,
      { secret, body, event, signature, headers, framing = settings.framing }: HandMade,
    ): Promise<Received> {
      const given = signature === undefined ? signEvent(secret, body) : signature;
      return await post(url, {
        body,
        framing,
        answerWithinMs: settings.answerWithinMs,
        ended: underWay.closed,
        headers: {
          ...requestHeaders,
          ...(event === undefined ? {} : { event }),
          ...(given === null ? {} : { 'pywebhooks-signature': given }),
          ...headers,
        },
      });
    },
  });
}
