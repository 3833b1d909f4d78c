import type { Clock } from '../pipeline/ports/clock.ts';
import type { HttpHandler } from '@azure/functions';
import * as z from 'zod';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import { mostListed } from '../pipeline/model/list-limit.ts';
import { availability, type SourceState } from '../pipeline/model/source-state.ts';
import type { SourceStates } from '../pipeline/ports/source-states.ts';
import type { EventSummary, Ledger } from '../pipeline/model/ledger.ts';
import type { RefusalCounter } from '../pipeline/ports/refusal-store.ts';
import type { NewWindow, Windows } from '../pipeline/ports/rotation-windows.ts';
import {
  proofNonce,
  type SecretProof,
  type Secrets,
  type WebhookSecrets,
} from '../pipeline/ports/secrets.ts';
import type { JobStore } from '../pipeline/ports/job-store.ts';
import { shownCatchUp } from './catch-ups.ts';
import { pathSegments } from './path-segments.ts';
import type { Bodies } from './bodies.ts';
import { readObject } from './json-body.ts';
import { noSuchSource, staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

export interface SourcesDeps extends Clock {
  readonly config: {
    readonly sources: ReadonlyMap<string, SourceConfig>;
    readonly publicUrl: string | undefined;
  };
  readonly ledger: Pick<Ledger, 'list'>;
  readonly secrets: Pick<Secrets, 'webhookSecrets' | 'refresh'>;
  readonly windows: Pick<Windows, 'read'>;
  readonly setWindow: (wanted: NewWindow) => Promise<void>;
  readonly secretProof: SecretProof;
  readonly refusals: Pick<RefusalCounter, 'flush' | 'read'>;
  readonly states: SourceStates;
  readonly jobs: JobStore;
  readonly bodies: Bodies;
}

/** `GET /sources`: how each source does; with `?proof=NONCE` also which secrets it has, for somebody who has them too. */
export function listSources(deps: SourcesDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const nonce = new URL(request.url).searchParams.get('proof') ?? undefined;
    if (nonce !== undefined && !proofNonce.test(nonce)) {
      const error = 'proof: must be 22 to 64 random characters of A-Z, a-z, 0-9, - and _';
      return { status: 400, jsonBody: { error } };
    }
    await deps.refusals.flush();
    const sources = [...deps.config.sources.values()].map(
      async (source) => await shown(source, { ...deps, nonce }),
    );
    return { status: 200, jsonBody: { sources: await Promise.all(sources) } };
  });
}

async function shown(
  source: SourceConfig,
  deps: SourcesDeps & { nonce: string | undefined },
): Promise<object> {
  const { ledger, secrets, windows, refusals, states, config, nonce } = deps;
  const { name, kind, url } = source;
  // Who asks has perhaps just changed them; a store that is away leaves what is remembered.
  await secrets.refresh(name).catch(() => undefined);
  const [known, open, refused, state, catchUp, latest, waiting, failed] = await Promise.all([
    secrets.webhookSecrets(name),
    windows.read(name),
    refusals.read(name),
    states.read(name),
    shownCatchUp(source, deps),
    ledger.list({ source: name, limit: 1 }),
    ledger.list({ source: name, state: 'waiting', limit: mostListed }),
    ledger.list({ source: name, state: 'failed', limit: mostListed }),
  ]);
  const now = deps.now();
  return {
    name,
    kind,
    url: url === '' ? null : url,
    webhookUrl: config.publicUrl === undefined ? null : `${config.publicUrl}/webhooks/${name}`,
    secrets: known?.length ?? 0,
    ...(nonce === undefined ? {} : { proofs: proofsOf(known, { source: name, nonce }, deps) }),
    windows: open
      .filter(({ until }) => until > now)
      .map(({ which, until }) => ({ key: which, until: new Date(until).toISOString() })),
    ...availability(state?.value, now),
    catchUp,
    latest: brief(latest.events[0]),
    waiting: waiting.events.length,
    failed: failed.events.length,
    refused,
  };
}

/** Null stands for a secret that gives none. */
function proofsOf(
  known: WebhookSecrets | undefined,
  about: { source: string; nonce: string },
  { secretProof }: Pick<SourcesDeps, 'secretProof'>,
): (string | null)[] {
  return (known ?? []).flatMap((secret) =>
    secret === undefined ? [] : (secretProof(secret, about) ?? null),
  );
}

function brief(event: EventSummary | undefined): object | null {
  if (event === undefined) return null;
  const { id, type, state, receivedAt } = event;
  return { id, type, state, receivedAt };
}

/** `POST /sources/{source}/pause`: deliveries are still taken, but the source is asked for nothing until `resume`. */
export function pauseSource(deps: Pick<SourcesDeps, 'config' | 'states' | 'now'>): HttpHandler {
  return changedSource(deps, (state) => ({ ...state, pausedAt: state.pausedAt ?? deps.now() }));
}

/** `POST /sources/{source}/resume`: the source is asked again, whatever kept it from that. */
export function resumeSource(deps: Pick<SourcesDeps, 'config' | 'states' | 'now'>): HttpHandler {
  return changedSource(deps, (state) => ({ ...state, pausedAt: null, closed: null }));
}

function changedSource(
  deps: Pick<SourcesDeps, 'config' | 'states' | 'now'>,
  change: (state: SourceState) => SourceState,
): HttpHandler {
  return staffEndpoint(async (request, log): Promise<StaffAnswer> => {
    const [, source = ''] = pathSegments(request);
    if (!deps.config.sources.has(source)) return noSuchSource;
    const { value } = await deps.states.change(source, change);
    log('info', value.pausedAt === null ? 'source-resumed' : 'source-paused', { source });
    return { status: 200, jsonBody: { source, ...availability(value, deps.now()) } };
  });
}

const Wanted = z
  .strictObject({
    key: z.enum(['secret', 'api-key'], { error: 'must be "secret" or "api-key"' }).default('secret'),
    minutes: z.number({ error: 'must be a number from 0 to 60' }).min(0).max(60).default(10),
    withdraw: z.boolean({ error: 'must be true or false' }).default(false),
  })
  .refine(({ withdraw, minutes }) => !withdraw || minutes === 0, {
    path: ['withdraw'],
    error: 'goes with "minutes" 0',
  });

/** `POST /sources/{source}/window`: opens the time in which a source's secret changes, or ends it (`minutes` 0). */
export function openWindow(deps: SourcesDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const [, source = ''] = pathSegments(request);
    if (!deps.config.sources.has(source)) return noSuchSource;
    const example = '{"key":"secret","minutes":10}';
    const read = await readObject(request, Wanted, { bodies: deps.bodies, example });
    if (read.kind === 'refused') return read.answer;
    const { key, minutes, withdraw } = read.value;
    const until = deps.now() + minutes * 60_000;
    await deps.setWindow({ source, which: key, until, withdraw });
    return { status: 200, jsonBody: { source, key, until: new Date(until).toISOString() } };
  });
}
