import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { secret } from './app-process.ts';

/** A sender that keeps so many connections open, and takes as little of the machine as it can. */
export class Caller {
  readonly #agent: Agent;

  constructor(connections: number) {
    this.#agent = new Agent({ connections, pipelining: 1 });
  }

  /** Sends one call; throws where the answer is another than 200. */
  async call(
    url: string,
    {
      body = null,
      ...options
    }: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: Buffer | null },
  ): Promise<void> {
    const answer = await request(url, { ...options, body, dispatcher: this.#agent });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`${options.method} ${url} answered ${answer.statusCode}`);
  }

  /** Sends one signed event document. */
  async deliver(appUrl: string, body: Buffer): Promise<void> {
    const signature = createHmac('sha256', secret)
      .update('preservica-webhook-auth')
      .update(body)
      .digest('hex');
    const headers = {
      'content-type': 'application/json',
      'preservica-signature': signature,
    };
    await this.call(`${appUrl}/webhooks/archive`, { method: 'POST', headers, body });
  }

  close(): void {
    void this.#agent.destroy();
  }
}

/** An event document about that asset, or one with an event on each; each `serial` is another event. */
export function eventDocument(entityRef: string | readonly string[], serial: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      subscriptionId: '0123456789abcdef0123456789abcdef',
      timestamp: new Date(Date.now() - serial).toISOString().replace('Z', ''),
      tenant: 'ACME',
      version: '8.1',
      events: [entityRef]
        .flat()
        .map((ref) => ({ event: 'FullTextIndexed', entityType: 'IO', entityRef: ref, identifiers: [] })),
      trigger: 'FULL_TEXT_INDEXED',
    }),
  );
}
