import { once } from 'node:events';
import { pause } from '../faults.ts';
import { bodyOf, isWanted, type HappenedEvent } from './events.ts';
import type { Library } from './library.ts';
import { sendEvent, type Sent } from './sender.ts';
import type { Settings } from './settings.ts';
import type { Webhook, WebhookApi } from './webhook-api.ts';

/** A line of the server's log: a receiver refused a delivery for good. */
export interface Warning {
  readonly webhookId: string;
  readonly url: string;
  readonly status: number;
  /** What the receiver said. */
  readonly body: string;
}

interface Delivery {
  readonly webhookId: string;
  readonly body: Buffer;
  readonly tokenAtFirst: string;
}

/** Tells webhooks of what happened. */
export class Deliveries {
  readonly sent: Sent[] = [];
  readonly warnings: Warning[] = [];
  readonly #api: WebhookApi;
  readonly #library: Library;
  readonly #settings: Settings;
  readonly #closed: AbortSignal;
  /** When each webhook failed of late. */
  readonly #failures = new Map<string, number[]>();
  #held: (() => Promise<void>)[] | undefined;

  constructor(api: WebhookApi, library: Library, settings: Settings, closed: AbortSignal) {
    this.#api = api;
    this.#library = library;
    this.#settings = settings;
    this.#closed = closed;
  }

  /** Sends it to every webhook that wants it; resolves when all deliveries have ended. */
  async send(event: HappenedEvent): Promise<void> {
    const asset = event.assetId === undefined ? undefined : this.#library.last(event.assetId);
    const deliveries = [...this.#api.webhooks.values()]
      .filter((webhook) => isWanted(event, asset, webhook))
      .flatMap((webhook) => {
        const body = bodyOf(event, asset, webhook, this.#settings);
        const delivery = { webhookId: webhook.id, body, tokenAtFirst: webhook.secretToken };
        return Array.from({ length: this.#settings.copies }, () => delivery);
      });
    const deliverAll = async (): Promise<void> => {
      await Promise.all(deliveries.map((delivery) => this.#deliver(delivery)));
    };
    await (this.#held === undefined ? deliverAll() : this.#whenReleased(this.#held, deliverAll));
  }

  /** What happens from now on is not sent before it is released. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was held, one after the other; resolves when all of it has ended. */
  async release(order: 'in-order' | 'newest-first'): Promise<void> {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of order === 'in-order' ? held : held.toReversed()) await send();
  }

  async #whenReleased(held: (() => Promise<void>)[], deliverAll: () => Promise<void>): Promise<void> {
    if (this.#closed.aborted) return;
    await new Promise<void>((resolve) => {
      this.#closed.addEventListener('abort', () => resolve(), { once: true });
      held.push(async () => {
        await deliverAll();
        resolve();
      });
    });
  }

  async #deliver({ webhookId, body, tokenAtFirst }: Delivery): Promise<void> {
    const settings = this.#settings;
    await pause(Math.random() * settings.jitterMs, this.#closed);
    for (let attempt = 1; ; attempt += 1) {
      const webhook = await this.#mayBeSent(webhookId);
      if (webhook === undefined) return;
      const { url } = webhook;
      const token = settings.retrySignedWith === 'current' ? webhook.secretToken : tokenAtFirst;
      const { status, body: answer } = await this.#sendOnce(url, body, token);
      if (this.#closed.aborted) return;
      this.sent.push({ kind: 'event', webhookId, url, status, body: answer, attempt });
      if (status >= 200 && status < 300) return;
      if (status >= 400 && status < 500) this.warnings.push({ webhookId, url, status, body: answer });
      const passing = status >= 500 || (status === 0 && settings.retryUnreached);
      const again = passing && attempt <= settings.webHooksRetryMaximumAttempts;
      this.#noteFailure(webhookId, status, again ? 'attempts' : 'given-up');
      if (!again) return;
      const { retryDelaysMs } = settings;
      await pause(retryDelaysMs[attempt - 1] ?? retryDelaysMs.at(-1) ?? 0, this.#closed);
    }
  }

  /** The webhook as it is now; undefined where nothing more is to be sent to it. */
  async #mayBeSent(webhookId: string): Promise<Webhook | undefined> {
    for (;;) {
      const webhook = this.#api.webhooks.get(webhookId);
      if (this.#closed.aborted || webhook === undefined || webhook.enabled)
        return this.#closed.aborted ? undefined : webhook;
      if (this.#settings.waitingWhenDisabled === 'dropped') return undefined;
      await once(this.#api.changes, 'change', { signal: this.#closed }).catch(() => undefined);
    }
  }

  async #sendOnce(url: string, body: Buffer, token: string): Promise<{ status: number; body: string }> {
    const { contentType, framing, answerWithinMs, redirects, signature } = this.#settings;
    return await sendEvent(
      url,
      {
        body,
        token: signature === 'wrong-token' ? 'AAAAAAAAAAAAAAAAAAAAAA==' : token,
        ...(signature === 'missing' ? { signature: null } : {}),
        headers: { 'Content-Type': contentType },
        framing,
        answerWithinMs,
        redirects,
      },
      this.#closed,
    );
  }

  #noteFailure(webhookId: string, status: number, kind: 'attempts' | 'given-up'): void {
    const { webHooksFailuresBeforeDisable, failureWindowMs, failuresCounted, refusalsAreFailures } =
      this.#settings;
    if (webHooksFailuresBeforeDisable < 0 || (kind === 'attempts' && failuresCounted === 'given-up')) return;
    if (status >= 400 && status < 500 && !refusalsAreFailures) return;
    const since = Date.now() - failureWindowMs;
    const failures = (this.#failures.get(webhookId) ?? []).filter((at) => at > since);
    failures.push(Date.now());
    this.#failures.set(webhookId, failures);
    const webhook = this.#api.webhooks.get(webhookId);
    if (failures.length < webHooksFailuresBeforeDisable || webhook === undefined) return;
    this.#failures.delete(webhookId);
    this.#api.setEnabled(webhook, false);
  }
}
