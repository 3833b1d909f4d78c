import { json, type Exchange } from '../exchange.ts';
import type { Answer } from '../faults.ts';
import type { Received } from '../post.ts';
import { serveSimulator, UnderWay, type SimulatorServer } from '../serve.ts';
import { answerAsset, answerHistory, answerUpdate } from './asset-api.ts';
import { Deliveries, type Warning } from './deliveries.ts';
import type { HappenedEvent } from './events.ts';
import type { HitUrls } from './hits.ts';
import { Library } from './library.ts';
import { Logins, profileOf } from './logins.ts';
import { parametersOf } from './parameters.ts';
import { notFound, refusal, wrongMethod } from './refusal.ts';
import { answerRendition, renditionPaths } from './renditions.ts';
import { answerSearch } from './search-api.ts';
import { sendEvent, type Outgoing, type Sent } from './sender.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { WebhookApi, type Webhook } from './webhook-api.ts';

export interface SimulatorOptions {
  /** A free one if left out. */
  readonly port?: number;
  /** What differs from the defaults. */
  readonly settings?: Partial<Settings>;
}

/** An Assets Server in this process, on loopback. All of it also answers below `/app`. */
export interface WoodWingSimulator extends SimulatorServer {
  readonly library: Library;
  /** May be changed at any time. */
  readonly settings: Settings;
  /** What was sent to webhooks so far, every try of it. */
  readonly sent: readonly Sent[];
  /** What its log says about receivers that refused. */
  readonly warnings: readonly Warning[];
  readonly webhooks: ReadonlyMap<string, Webhook>;
  /** Ends every token and session that was given out. */
  forgetTokens(): void;
  /** Lets something happen: sends it to every webhook that wants it; resolves when all deliveries have ended. */
  happen(event: HappenedEvent): Promise<void>;
  /** What happens from now on is not sent before it is released. */
  hold(): void;
  /** Sends what was held, one after the other; resolves when all of it has ended. */
  release(order: 'in-order' | 'newest-first'): Promise<void>;
  /** Sends any bytes to any address, signed with that token; resolves with the answer. */
  deliver(url: string, delivery: Outgoing): Promise<Received>;
}

/** Starts a simulator with an empty library, on loopback. */
export async function startWoodWingSimulator(options: SimulatorOptions = {}): Promise<WoodWingSimulator> {
  const settings: Settings = { ...defaultSettings(), ...options.settings };
  const library = new Library();
  const logins = new Logins(settings);
  const webhooks = new WebhookApi(settings);
  const underWay = new UnderWay();
  const deliveries = new Deliveries(webhooks, library, settings, underWay.closed);
  const happen = (event: HappenedEvent): Promise<void> => underWay.follow(deliveries.send(event));

  const answerService = async (exchange: Exchange, base: string): Promise<Answer> => {
    const [, ...service] = exchange.segments;
    const name = service.join('/');
    if (name === 'login' || name === 'apilogin') return await logins.answer(exchange);
    const refused = logins.refuse(exchange);
    if (refused !== undefined) return refused;
    if (name === 'ping') return json({});
    if (name === 'profile') return json(profileOf(settings));
    if (name === 'logout') return exchange.method === 'POST' ? logins.logOut(exchange) : wrongMethod();
    if (service[0] === 'admin' && service[1] === 'webhook') return webhooks.answer(exchange);
    if (!['search', 'update', 'asset/history'].includes(name)) return notFound();
    const mayGet = name !== 'update' && exchange.method === 'GET';
    if (!mayGet && exchange.method !== 'POST') return wrongMethod();
    const parameters = await parametersOf(exchange);
    if (parameters === undefined) return refusal(400, 'The form cannot be read');
    if (name === 'asset/history') return answerHistory(parameters, library, settings.account.username);
    const urls: HitUrls = {
      base,
      ...(parameters.get('appendRequestSecret') === 'true' ? { secret: logins.newRequestSecret() } : {}),
    };
    if (name === 'search') return answerSearch(parameters, library, urls);
    return answerUpdate(parameters, library, urls, (assetId, changedMetadata) => {
      void happen({ type: 'asset_update_metadata', assetId, changedMetadata });
    });
  };

  const answer = async (whole: Exchange, origin: string): Promise<Answer> => {
    const below = whole.segments[0] === 'app';
    const exchange = below ? { ...whole, segments: whole.segments.slice(1) } : whole;
    const base = (settings.renditionsOrigin ?? origin) + (below ? '/app' : '');
    const [api = ''] = exchange.segments;
    if (api === 'services') {
      const answered = await answerService(exchange, base);
      return settings.softErrors && answered.status >= 400 ? { ...answered, status: 200 } : answered;
    }
    const kind = Object.hasOwn(renditionPaths, api) ? renditionPaths[api] : undefined;
    if (kind !== undefined && logins.knowsRequestSecret(exchange.query.get('requestSecret')))
      return answerRendition(exchange, kind, library);
    const refused = logins.refuse(exchange);
    if (refused !== undefined) return refused;
    if (kind !== undefined) return answerRendition(exchange, kind, library);
    const isAsset = api === 'api' && exchange.segments[1] === 'asset';
    return isAsset ? answerAsset(exchange, library, { base }) : notFound();
  };

  const { port } = options;
  const server = await serveSimulator(
    { ...(port === undefined ? {} : { port }), latencyMs: () => settings.latencyMs, answer },
    underWay,
  );
  return Object.assign(server, {
    library,
    settings,
    sent: deliveries.sent,
    warnings: deliveries.warnings,
    webhooks: webhooks.webhooks,
    forgetTokens: () => logins.forget(),
    happen,
    hold: () => deliveries.hold(),
    release: (order: 'in-order' | 'newest-first') => deliveries.release(order),
    deliver: (url: string, delivery: Outgoing) => sendEvent(url, delivery, underWay.closed),
  });
}
