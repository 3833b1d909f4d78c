import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import { json, plain, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { isWebAddress } from '../post.ts';
import { newId } from './library.ts';
import { notFound, refusal, wrongMethod } from './refusal.ts';
import type { Settings } from './settings.ts';
import { jsonObject } from './values.ts';

export const eventTypes: readonly string[] = [
  'asset_checkin',
  'asset_checkout',
  'asset_create',
  'asset_create_by_copy',
  'asset_create_from_filestore_rescue',
  'asset_create_from_version',
  'asset_move',
  'asset_promote',
  'asset_remove',
  'asset_rename',
  'asset_undo_checkout',
  'asset_update_metadata',
  'authkey_create',
  'authkey_remove',
  'folder_create',
  'folder_remove',
];

const strings = z.array(z.string());

/** What a caller may say of a webhook. */
const CallerPart = z.object({
  name: z.string().min(1),
  url: z.string().refine(isWebAddress),
  eventTypes: strings,
  metadataToReturn: strings.nullish(),
  changedMetadataToReturn: strings.nullish(),
  triggerMetadataFields: strings.nullish(),
  foldersAndQuery: z
    .object({
      folders: strings.nullish(),
      query: z.string().nullish(),
      enableWildcardSelection: z.boolean().nullish(),
    })
    .nullish(),
  enabled: z.boolean().default(true),
});

export interface Webhook extends Readonly<z.infer<typeof CallerPart>> {
  readonly id: string;
  readonly secretToken: string;
}

export class WebhookApi {
  readonly webhooks = new Map<string, Webhook>();
  /** Tells of every change as `change`. */
  readonly changes = new EventEmitter().setMaxListeners(0);
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  answer({ method, segments, body }: Exchange): Answer {
    const { account, notSuperuserStatus } = this.#settings;
    if (!account.superuser) return refusal(notSuperuserStatus, 'Super user rights are required');
    const [id, action] = segments.slice(3);
    if (id === undefined) {
      if (method === 'GET') return json([...this.webhooks.values()]);
      return method === 'POST' ? this.#register(body) : wrongMethod();
    }
    const webhook = this.webhooks.get(id);
    if (webhook === undefined || segments.length > 5) return notFound();
    return action === undefined ? this.#answerOne(method, webhook, body) : this.#act(method, webhook, action);
  }

  setEnabled(webhook: Webhook, enabled: boolean): Webhook {
    return this.#keep({ ...webhook, enabled });
  }

  #answerOne(method: string, webhook: Webhook, body: Buffer): Answer {
    switch (method) {
      case 'GET':
        return json(webhook);
      case 'PUT':
      case 'POST':
        return ['both', method].includes(this.#settings.updateMethods)
          ? this.#update(webhook, body)
          : wrongMethod();
      case 'DELETE':
        this.webhooks.delete(webhook.id);
        this.changes.emit('change');
        return plain(204);
      default:
        return wrongMethod();
    }
  }

  #act(method: string, webhook: Webhook, action: string): Answer {
    if (action === 'generate-token')
      return method === 'POST'
        ? this.#tokenAnswer(this.#keep({ ...webhook, secretToken: newToken() }))
        : wrongMethod();
    if (!this.#settings.enableCalls || !['enable', 'disable'].includes(action)) return notFound();
    return method === 'PUT' ? json(this.setEnabled(webhook, action === 'enable')) : wrongMethod();
  }

  #register(body: Buffer): Answer {
    const read = this.#read(jsonObject(body.toString()));
    if (typeof read === 'string') return refusal(400, read);
    return json(this.#keep({ id: newId(), ...read, secretToken: newToken() }), 201);
  }

  #update(webhook: Webhook, body: Buffer): Answer {
    const { id, secretToken } = webhook;
    const given = jsonObject(body.toString());
    const merged = this.#settings.updateMode === 'merge' && given !== undefined;
    const read = this.#read(merged ? { ...webhook, ...given } : given);
    if (typeof read === 'string') return refusal(400, read);
    return json(this.#keep({ id, ...read, secretToken }));
  }

  /** What the caller said, or what is wrong with it. */
  #read(given: Record<string, unknown> | undefined): z.infer<typeof CallerPart> | string {
    const read = CallerPart.safeParse(given);
    if (!read.success) return `Invalid webhook: ${read.error.issues[0]?.path.join('.')}`;
    const unknown = read.data.eventTypes.find((each) => !eventTypes.includes(each));
    const refused = unknown !== undefined && this.#settings.unknownEventTypes === 'refused';
    return refused ? `Unknown event type: ${unknown}` : read.data;
  }

  #keep(webhook: Webhook): Webhook {
    this.webhooks.set(webhook.id, webhook);
    this.changes.emit('change');
    return webhook;
  }

  #tokenAnswer(webhook: Webhook): Answer {
    const { secretToken } = webhook;
    switch (this.#settings.tokenAnswer) {
      case 'object':
        return json({ secretToken });
      case 'webhook':
        return json(webhook);
      case 'json-string':
        return json(secretToken);
      case 'plain':
        return plain(200, secretToken);
      default:
        return this.#settings.tokenAnswer satisfies never;
    }
  }
}

function newToken(): string {
  return randomBytes(16).toString('base64');
}
