import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { secret } from './app-process.ts';

/** A sender that keeps so many connections open. */
export class Caller {
  readonly #agent: Agent;

  constructor(connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends one call; throws where the answer is another than 200. */
  async call(
    url: string,
    options: { method: string; headers?: Record<string, string>; body?: Buffer },
  ): Promise<void> {
    const { method, headers = {}, body } = options;
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(url, { method, headers, agent: this.#agent }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      sent.once('error', reject).end(body);
    });
    if (status !== 200) throw new Error(`${method} ${url} answered ${status}`);
  }

  /** Sends one signed event document. */
  async deliver(appUrl: string, body: Buffer): Promise<void> {
    const signature = createHmac('sha256', secret)
      .update('preservica-webhook-auth')
      .update(body)
      .digest('hex');
    const headers = {
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
      'preservica-signature': signature,
    };
    await this.call(`${appUrl}/webhooks/archive`, { method: 'POST', headers, body });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** An event document about that asset; each `serial` is another event. */
export function eventDocument(entityRef: string, serial: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      subscriptionId: '0123456789abcdef0123456789abcdef',
      timestamp: new Date(Date.now() - serial).toISOString().replace('Z', ''),
      tenant: 'ACME',
      version: '8.1',
      events: [{ event: 'FullTextIndexed', entityType: 'IO', entityRef, identifiers: [] }],
      trigger: 'FULL_TEXT_INDEXED',
    }),
  );
}
