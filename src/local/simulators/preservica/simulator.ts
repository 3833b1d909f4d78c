import { json, plain, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import { post, type Outgoing, type Received } from '../post.ts';
import { serveSimulator, UnderWay, type SimulatorServer } from '../serve.ts';
import { answerContentApi } from './content-api.ts';
import { deliverEvents } from './deliveries.ts';
import { answerEntityApi } from './entity-api.ts';
import { Library, type Entity } from './library.ts';
import { Logins } from './logins.ts';
import { signEvent, type Sent } from './sender.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { WebhookApi, type Subscription } from './webhook-api.ts';

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

/** A Preservica in this process, on loopback. */
export interface PreservicaSimulator extends SimulatorServer {
  readonly library: Library;
  /** May be changed at any time. */
  readonly settings: Settings;
  /** What was sent to subscribers so far. */
  readonly sent: readonly Sent[];
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Ends every token that was given out. */
  forgetTokens(): void;
  /** Sends what happened to these entities to every subscription of that trigger; resolves when all is sent. */
  happen(trigger: string, entities: readonly Entity[]): Promise<void>;
  /** Sends any bytes to any address, signed for that secret; resolves with the answer. */
  deliver(url: string, delivery: HandMade): Promise<Received>;
}

/** Starts a simulator with an empty library, on loopback. */
export async function startPreservicaSimulator(options: SimulatorOptions = {}): Promise<PreservicaSimulator> {
  const settings: Settings = { ...defaultSettings(), ...options.settings };
  const library = new Library();
  const logins = new Logins(settings);
  const sent: Sent[] = [];
  const underWay = new UnderWay();
  const webhooks = new WebhookApi(settings, (each) => sent.push(each), underWay.closed);

  const happen = async (trigger: string, entities: readonly Entity[]): Promise<void> => {
    const sending = deliverEvents(trigger, entities, {
      subscriptions: webhooks.subscriptions.values(),
      settings,
      sent: (each) => sent.push(each),
      closed: underWay.closed,
    });
    await underWay.follow(sending);
  };

  const answer = async (whole: Exchange, base: string): Promise<Answer> => {
    const [root, ...segments] = whole.segments;
    const exchange = { ...whole, segments: root === 'api' ? segments : [] };
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

  const { port } = options;
  const server = await serveSimulator(
    { ...(port === undefined ? {} : { port }), latencyMs: () => settings.latencyMs, answer },
    underWay,
  );
  return Object.assign(server, {
    library,
    settings,
    sent,
    subscriptions: webhooks.subscriptions,
    forgetTokens: () => logins.forget(),
    happen,
    async deliver(url: string, { secret, signature, headers, ...outgoing }: HandMade): Promise<Received> {
      const given = signature === undefined ? signEvent(secret, outgoing.body, settings.encoding) : signature;
      return await post(url, {
        ended: underWay.closed,
        ...outgoing,
        headers: {
          'Content-Type': 'application/json',
          ...(given === null ? {} : { 'Preservica-Signature': given }),
          ...headers,
        },
      });
    },
  });
}
