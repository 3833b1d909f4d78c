import { randomUUID } from 'node:crypto';
import { hashApiKey, newKey } from './api-keys.ts';
import { pythonJson } from './python-json.ts';

/** The four kinds of records, named as they are on the wire. */
export interface Account {
  readonly id: string;
  readonly epoch: number;
  /** Any JSON value, as the original takes it. */
  readonly username: unknown;
  endpoint: unknown;
  readonly is_admin: boolean;
  /** The first admin has none. */
  failed_count?: number;
  /** Hashed. */
  api_key: string;
  secret_key: string;
}

export interface Registration {
  readonly id: string;
  readonly epoch: number;
  readonly account_id: string;
  readonly event: unknown;
  description: unknown;
  readonly event_data: unknown;
}

export interface Subscription {
  readonly id: string;
  readonly epoch: number;
  readonly account_id: string;
  readonly registration_id: string;
}

export interface Triggered {
  readonly id: string;
  readonly epoch: number;
  readonly registration_id: string;
}

/** What is kept, in memory: every list is in the order of its epochs. */
export class Store {
  readonly accounts = new Map<string, Account>();
  readonly registrations = new Map<string, Registration>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly triggered = new Map<string, Triggered>();
  #lastEpoch = 0;

  /** The account with new keys; the API key is nowhere else in plain. */
  addAccount(given: Pick<Account, 'username' | 'endpoint' | 'is_admin' | 'failed_count'>): {
    account: Account;
    apiKey: string;
  } {
    const apiKey = newKey();
    const account = { ...given, ...this.#stamp(), api_key: hashApiKey(apiKey), secret_key: newKey() };
    this.accounts.set(account.id, account);
    return { account, apiKey };
  }

  addRegistration(given: Omit<Registration, 'id' | 'epoch'>): Registration {
    const registration = { ...given, ...this.#stamp() };
    this.registrations.set(registration.id, registration);
    return registration;
  }

  addSubscription(given: Omit<Subscription, 'id' | 'epoch'>): Subscription {
    const subscription = { ...given, ...this.#stamp() };
    this.subscriptions.set(subscription.id, subscription);
    return subscription;
  }

  addTriggered(registrationId: string): Triggered {
    const triggered = { registration_id: registrationId, ...this.#stamp() };
    this.triggered.set(triggered.id, triggered);
    return triggered;
  }

  /** The oldest account of that name; letter case counts. */
  accountNamed(username: unknown): Account | undefined {
    return [...this.accounts.values()].find((account) => isSame(account.username, username));
  }

  subscriptionsTo(registrationId: string): Subscription[] {
    return [...this.subscriptions.values()].filter((each) => each.registration_id === registrationId);
  }

  /** With all that hangs on it; how many accounts were deleted. */
  deleteAccount(id: string): number {
    for (const subscription of this.subscriptions.values())
      if (subscription.account_id === id) this.subscriptions.delete(subscription.id);
    for (const registration of this.registrations.values())
      if (registration.account_id === id) this.deleteRegistration(registration.id);
    return this.accounts.delete(id) ? 1 : 0;
  }

  /** Only themselves: what hangs on them stays. */
  deleteAccountsButAdmins(): number {
    const before = this.accounts.size;
    for (const account of this.accounts.values()) if (!account.is_admin) this.accounts.delete(account.id);
    return before - this.accounts.size;
  }

  /** With the subscriptions to it; how many registrations were deleted. */
  deleteRegistration(id: string): number {
    for (const subscription of this.subscriptionsTo(id)) this.subscriptions.delete(subscription.id);
    return this.registrations.delete(id) ? 1 : 0;
  }

  #stamp(): { id: string; epoch: number } {
    // No two alike, so that the order is certain.
    this.#lastEpoch = Math.max(Date.now() / 1_000, Number((this.#lastEpoch + 0.000_001).toFixed(6)));
    return { id: randomUUID(), epoch: this.#lastEpoch };
  }
}

/** True for equal JSON values. */
export function isSame(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === typeof other && pythonJson(one) === pythonJson(other));
}
