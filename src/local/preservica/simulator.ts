import { createServer, type IncomingMessage, type Server } from 'node:http';
import { answerContentApi } from './content-api.ts';
import { deliverEvents } from './deliveries.ts';
import { answerEntityApi } from './entity-api.ts';
import { json, plain, type Exchange } from './exchange.ts';
import { pause, sendAnswer, type Answer, type Fault } from './faults.ts';
import { Library, type Entity } from './library.ts';
import { Logins } from './logins.ts';
import { defaultSettings, type Settings } from './settings.ts';
import type { Sent } from './sender.ts';
import { WebhookApi, type Subscription } from './webhook-api.ts';

/** One call that the simulator got. */
export interface Called {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  status: number;
}

/** A Preservica in this process, on loopback (reference/preservica.md, section 5). */
export interface PreservicaSimulator {
  readonly url: string;
  readonly library: Library;
  /** May be changed at any time. */
  readonly settings: Settings;
  /** The calls so far, the latest 100,000. */
  readonly calls: readonly Called[];
  /** The most calls that were under way at one time. */
  readonly mostAtOnce: number;
  /** What was sent to subscribers so far. */
  readonly sent: readonly Sent[];
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Makes something go wrong with the calls that fit. */
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Ends every token that was given out. */
  forgetTokens(): void;
  /** Sends what happened to these entities to every subscription of that trigger; resolves when all is sent. */
  happen(trigger: string, entities: readonly Entity[]): Promise<void>;
  /** Leaves no connection behind. */
  close(): Promise<void>;
}

const callsKept = 100_000;

/** Starts a simulator; `port` is a free one if left out. */
export async function startPreservicaSimulator(
  options: { port?: number } = {},
): Promise<PreservicaSimulator> {
  const settings = defaultSettings();
  const library = new Library();
  const logins = new Logins(settings);
  const sent: Sent[] = [];
  const webhooks = new WebhookApi(settings, (each) => sent.push(each));
  const calls: Called[] = [];
  const faults: Fault[] = [];
  const closed = new AbortController();
  const underWay = new Set<Promise<void>>();
  let atOnce = 0;
  let mostAtOnce = 0;

  const happen = async (trigger: string, entities: readonly Entity[]): Promise<void> => {
    const sending = deliverEvents(trigger, entities, {
      subscriptions: webhooks.subscriptions.values(),
      settings,
      sent: (each) => sent.push(each),
      closed: closed.signal,
    });
    underWay.add(sending);
    await sending.finally(() => underWay.delete(sending));
  };

  const answer = async (exchange: Exchange, base: string): Promise<Answer> => {
    const [api] = exchange.segments;
    if (api === 'accesstoken') return logins.answer(exchange);
    if (!logins.knows(exchange)) return json({ success: false, message: 'token' }, 401);
    switch (api) {
      case 'user':
        return json({ roles: settings.account.roles, username: settings.account.username });
      case 'webhook':
        return await webhooks.answer(exchange);
      case 'content':
        return answerContentApi(exchange, library, settings);
      case 'entity':
        return answerEntityApi(exchange, {
          library,
          settings,
          base,
          fire: (trigger, entity) => void happen(trigger, [entity]),
        });
      default:
        return plain(404);
    }
  };

  const server = createServer((incoming, response) => {
    const call: Called = { method: incoming.method ?? '', target: incoming.url ?? '', status: 0 };
    if (calls.length === callsKept) calls.shift();
    calls.push(call);
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    response.once('close', () => {
      atOnce -= 1;
      call.status = response.statusCode;
    });
    const respond = async (): Promise<void> => {
      const body = await readAll(incoming);
      await pause(settings.latencyMs);
      const exchange = exchangeOf(incoming, body);
      const fault = takeFault(faults, exchange);
      await sendAnswer(response, await answer(exchange, addressOf(server)), fault);
    };
    respond().catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: addressOf(server),
    library,
    settings,
    calls,
    get mostAtOnce() {
      return mostAtOnce;
    },
    sent,
    subscriptions: webhooks.subscriptions,
    fault: (fault) => void faults.push(fault),
    clearFaults: () => void faults.splice(0),
    forgetTokens: () => logins.forget(),
    happen,
    async close() {
      closed.abort();
      const ended = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.allSettled(underWay);
      await ended;
    },
  };
}

function takeFault(faults: Fault[], { method, target }: Exchange): Fault | undefined {
  const fault = faults.find(
    (each) => each.path.test(target) && (each.method ?? method) === method && (each.times ?? 1) > 0,
  );
  if (fault?.times !== undefined) fault.times -= 1;
  return fault;
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function exchangeOf(incoming: IncomingMessage, body: Buffer): Exchange {
  const target = incoming.url ?? '/';
  const url = new URL(target, 'http://simulator');
  const [, ...segments] = url.pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodeURIComponent(segment));
  return {
    method: incoming.method ?? '',
    segments,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    target,
  };
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}
