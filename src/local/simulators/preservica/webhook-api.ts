import { randomUUID } from 'node:crypto';
import { json, plain, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { isWebAddress } from '../post.ts';
import { shakeHands, type Sent } from './sender.ts';
import type { Settings } from './settings.ts';

/** The constant on the wire, and the name inside an event. The second column is known for one only. */
export const triggers: Readonly<Record<string, string>> = {
  FULL_TEXT_INDEXED: 'FullTextIndexed',
  MOVED: 'Moved',
  CHANGED_SECURITY_DESCRIPTOR: 'ChangedSecurityDescriptor',
  INGEST_FAILED: 'IngestFailed',
  CHANGE_ASSET_VISIBILITY: 'ChangeAssetVisibility',
};

export interface Subscription {
  readonly id: string;
  readonly url: string;
  readonly triggerType: string;
  readonly secret: string;
  readonly includeIdentifiers: boolean;
}

const managers = ['ROLE_SDB_ADMIN_USER', 'ROLE_SDB_MANAGER_USER', 'ROLE_SDB_CONFIG_MANAGER_USER'];

/** Subscriptions, with the handshake inside their creation. */
export class WebhookApi {
  readonly subscriptions = new Map<string, Subscription>();
  readonly #settings: Settings;
  readonly #sent: (sent: Sent) => void;
  readonly #closed: AbortSignal;

  constructor(settings: Settings, sent: (sent: Sent) => void, closed: AbortSignal) {
    this.#settings = settings;
    this.#sent = sent;
    this.#closed = closed;
  }

  async answer({ method, segments, body }: Exchange): Promise<Answer> {
    // Versioned as the Entity API is.
    const [resource, id] = segments.slice(/^v\d+\.\d+$/.test(segments[1] ?? '') ? 2 : 1);
    if (resource !== 'subscriptions') return plain(404);
    if (!this.#settings.account.roles.some((role) => managers.includes(role)))
      return plain(403, 'Not allowed.');
    if (method === 'GET' && id === undefined) return json([...this.subscriptions.values()].map(shown));
    if (method === 'POST' && id === undefined) return await this.#create(body.toString());
    if (method === 'DELETE' && id !== undefined) return plain(this.subscriptions.delete(id) ? 204 : 404);
    return plain(405);
  }

  async #create(body: string): Promise<Answer> {
    let given: Map<string, unknown>;
    try {
      given = new Map<string, unknown>(Object.entries(JSON.parse(body) ?? {}));
    } catch {
      return plain(400, 'The body is no JSON.');
    }
    const [url, triggerType, secret] = ['url', 'triggerType', 'secret'].map((name) => given.get(name));
    if (typeof url !== 'string' || !isWebAddress(url)) return plain(400, 'There is no URL.');
    if (typeof triggerType !== 'string' || !Object.hasOwn(triggers, triggerType))
      return plain(400, 'Unknown trigger.');
    if (typeof secret !== 'string' || secret === '') return plain(400, 'There is no secret.');
    const fault = await shakeHands(url, secret, this.#settings, this.#sent, this.#closed);
    if (fault !== undefined) return plain(400, fault);
    const subscription: Subscription = {
      id: randomUUID().replaceAll('-', ''),
      url,
      triggerType,
      secret,
      includeIdentifiers: String(given.get('includeIdentifiers')) === 'true',
    };
    this.subscriptions.set(subscription.id, subscription);
    return json(shown(subscription));
  }
}

function shown({ id, url, triggerType, includeIdentifiers }: Subscription): object {
  return { id, url, triggerType, includeIdentifiers };
}
