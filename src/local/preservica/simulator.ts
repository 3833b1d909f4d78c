import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { answerContentApi } from './content-api.ts';
import { deliverEvents } from './deliveries.ts';
import { answerEntityApi } from './entity-api.ts';
import { json, plain, type Exchange } from './exchange.ts';
import { pause, sendAnswer, type Answer, type Fault } from './faults.ts';
import { Library, type Entity } from './library.ts';
import { Logins } from './logins.ts';
import { post, signEvent, type Outgoing, type Received, type Sent } from './sender.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { WebhookApi, type Subscription } from './webhook-api.ts';

/** One call that the simulator got. */
export interface Called {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** 0 as long as there is no answer. */
  status: number;
}

export interface SimulatorOptions {
  /** A free one if left out. */
  readonly port?: number;
  /** What differs from the defaults. */
  readonly settings?: Partial<Settings>;
}

/** A delivery made by hand, right or wrong. */
export interface HandMade extends Outgoing {
  readonly secret: string;
  /** Sent in place of the right one; no header at all if null. */
  readonly signature?: string | null;
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
  /** Sends any bytes to any address, signed for that secret; resolves with the answer. */
  deliver(url: string, delivery: HandMade): Promise<Received>;
  /** Leaves no connection, timer or delivery behind. */
  close(): Promise<void>;
}

const callsKept = 100_000;

/** Starts a simulator with an empty library, on loopback. */
export async function startPreservicaSimulator(options: SimulatorOptions = {}): Promise<PreservicaSimulator> {
  const settings: Settings = { ...defaultSettings(), ...options.settings };
  const library = new Library();
  const logins = new Logins(settings);
  const sent: Sent[] = [];
  const calls: Called[] = [];
  const faults: Fault[] = [];
  const closed = new AbortController();
  // Every call and delivery under way listens to it.
  setMaxListeners(0, closed.signal);
  const webhooks = new WebhookApi(settings, (each) => sent.push(each), closed.signal);
  const underWay = new Set<Promise<void>>();
  let atOnce = 0;
  let mostAtOnce = 0;

  const followed = async (work: Promise<void>): Promise<void> => {
    underWay.add(work);
    await work.finally(() => underWay.delete(work));
  };

  const happen = async (trigger: string, entities: readonly Entity[]): Promise<void> => {
    const sending = deliverEvents(trigger, entities, {
      subscriptions: webhooks.subscriptions.values(),
      settings,
      sent: (each) => sent.push(each),
      closed: closed.signal,
    });
    await followed(sending);
  };

  const answer = async (exchange: Exchange, base: string): Promise<Answer> => {
    const [api] = exchange.segments;
    if (api === 'accesstoken') return logins.answer(exchange);
    if (!logins.knows(exchange)) return json({ success: false, message: 'token' }, 401);
    switch (api) {
      case 'user':
        return exchange.segments[1] === 'details'
          ? json({ roles: settings.account.roles, username: settings.account.username })
          : plain(404, 'Not found.');
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
    const noteStatus = (): void => {
      if (response.headersSent) call.status = response.statusCode;
    };
    response.once('finish', noteStatus);
    const gone = new Promise<void>((resolve) => {
      response.once('close', () => {
        atOnce -= 1;
        noteStatus();
        resolve();
      });
    });
    const respond = async (): Promise<void> => {
      const body = await readAll(incoming);
      await pause(settings.latencyMs, closed.signal);
      const exchange = exchangeOf(incoming, body);
      if (exchange === undefined) {
        await sendAnswer(response, plain(400, 'That is no address.'), undefined, closed.signal);
        return;
      }
      const fault = takeFault(faults, exchange);
      // What is refused is not done; every other fault happens to the answer of something that is done.
      const refused = fault?.kind === 'status' || fault?.kind === 'redirect';
      const answered = refused
        ? plain(fault.kind === 'status' ? fault.status : 302)
        : await answer(exchange, addressOf(server));
      await sendAnswer(response, answered, fault, closed.signal);
    };
    followed(respond()).catch(() => response.destroy());
    void followed(gone);
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
    fault: (fault) => void faults.push({ ...fault }),
    clearFaults: () => void faults.splice(0),
    forgetTokens: () => logins.forget(),
    happen,
    async deliver(url, { secret, signature, headers, ...outgoing }) {
      const given = signature === undefined ? signEvent(secret, outgoing.body, settings.encoding) : signature;
      return await post(url, {
        ended: closed.signal,
        ...outgoing,
        headers: {
          'Content-Type': 'application/json',
          ...(given === null ? {} : { 'Preservica-Signature': given }),
          ...headers,
        },
      });
    },
    async close() {
      closed.abort();
      const ended = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await ended;
      await Promise.allSettled(underWay);
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

function exchangeOf(incoming: IncomingMessage, body: Buffer): Exchange | undefined {
  const target = incoming.url ?? '/';
  const address = `http://simulator${target}`;
  if (!target.startsWith('/') || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const segments = url.pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decoded);
  const [api, ...below] = segments;
  if (segments.includes(undefined)) return undefined;
  return {
    method: incoming.method ?? '',
    segments: api === 'api' ? below.filter((segment) => segment !== undefined) : [],
    query: url.searchParams,
    headers: incoming.headers,
    body,
    target,
  };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}
