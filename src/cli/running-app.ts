import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { Reason, EventState, HistoryEntry } from '../pipeline/model/ledger.ts';
import { readJson } from '../pipeline/model/read-json.ts';
import { Refusals } from '../pipeline/model/refusals.ts';
import { secretProof } from '../secrets/secret-proof.ts';
import type { KeptSecret } from '../pipeline/ports/secrets.ts';
import { AssetRecord } from '../pipeline/model/record.ts';
import { UpstreamError } from '../pipeline/ports/errors.ts';
import { callSource } from '../sources/http-call.ts';
import { readEach } from '../sources/read-each.ts';
import { AppAwayError, RefusedError, UsageError } from './faults.ts';
import { isReadableOnTheWay } from './loopback.ts';
import type { Setup } from './setup.ts';
import { ambiguous } from './whole-id.ts';

const ListedEvent = z.looseObject({
  id: z.string(),
  source: z.string().nullable(),
  type: z.string(),
  assetId: z.string().nullable(),
  title: z.string().nullable(),
  state: EventState,
  reason: Reason.nullable(),
  receivedAt: z.string(),
  attempts: z.number(),
});
export type ListedEvent = z.infer<typeof ListedEvent>;
const EventPage = z.object({
  events: z.array(z.unknown()),
  next: z.string().nullable(),
  /** How many the app itself cannot read. */
  unread: z.number().optional(),
});

export interface EventPage {
  readonly events: readonly ListedEvent[];
  readonly next: string | null;
  readonly unread: number;
}

const ListedRun = z.looseObject({
  id: z.string(),
  action: z.string(),
  source: z.string().optional(),
  assetId: z.string().optional(),
  eventId: z.string().optional(),
  type: z.string().optional(),
  title: z.string().nullish(),
  state: EventState,
  reason: Reason.nullable(),
  result: z.looseObject({ text: z.string(), link: z.string().optional() }).nullish(),
  attempts: z.number(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type ListedRun = z.infer<typeof ListedRun>;
const RunPage = z.object({ runs: z.array(ListedRun), next: z.string().nullable() });
const ShownRun = ListedRun.extend({ history: z.array(HistoryEntry) });
export type ShownRun = z.infer<typeof ShownRun>;

const KeptBody = z.object({ sizeBytes: z.number(), truncated: z.boolean(), base64: z.base64() });
const ShownEvent = ListedEvent.extend({
  assetKind: z.string(),
  deliveryId: z.string(),
  occurredAt: z.string(),
  finishedAt: z.string().nullable(),
  duplicates: z.number(),
  history: z.array(HistoryEntry),
  runs: z.array(ListedRun).default([]),
  data: z.unknown(),
  body: KeptBody.nullish(),
});
export type ShownEvent = z.infer<typeof ShownEvent>;

const CatchUp = z.looseObject({
  run: z.string(),
  state: EventState,
  reason: Reason.nullable(),
  finishedAt: z.string().nullable(),
  coveredUntil: z.string().nullable(),
  at: z.string(),
  until: z.string(),
  seen: z.number(),
  recovered: z.number(),
  missed: z.number(),
});

const SourceState = z.object({
  name: z.string(),
  kind: z.string(),
  secrets: z.number(),
  waiting: z.number(),
  failed: z.number(),
  latest: z.object({ receivedAt: z.string() }).nullish(),
  pausedAt: z.string().nullish(),
  closed: z.object({ code: z.string(), until: z.string() }).nullish(),
  catchUp: CatchUp.nullish(),
  refused: Refusals.default([]),
  proofs: z.array(z.string().nullable()).optional(),
});
const SourceStates = z.object({ sources: z.array(SourceState) });

/** How a source does, as the app says. */
export interface SourceState extends Omit<z.infer<typeof SourceState>, 'proofs'> {
  /** Whether the app takes what this secret signs. Undefined where it does not show that. */
  takes(secret: string): boolean | undefined;
}

const Counted = z.object({ matches: z.number(), complete: z.boolean(), to: z.string() });
const Started = z.object({ replayId: z.string() });
const ShownReplay = z.looseObject({
  state: EventState,
  reason: Reason.nullable(),
  finishedAt: z.string().nullable(),
  matched: z.number(),
  queued: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ id: z.string(), why: z.string() })),
});
export type ShownReplay = z.infer<typeof ShownReplay>;
const Queued = z.object({ id: z.string(), replayId: z.string() });
const Changed = z.object({ source: z.string() });
const Window = z.object({ source: z.string(), key: z.string(), until: z.string() });

const timeLimitMs = 60_000;
const maxBytes = 33_554_432;

/** The running app, asked by its address and a function key; its storage may be closed to whoever asks. */
export interface RunningApp {
  readonly url: string;
  events(query: URLSearchParams): Promise<EventPage>;
  /** An id may be given by its beginning, here and below; throws a UsageError where several begin so. */
  event(id: string, asked?: { body?: boolean; source?: string | undefined }): Promise<ShownEvent | undefined>;
  /** Throws a RefusedError where there is none, or no such source. */
  asset(source: string, id: string): Promise<AssetRecord>;
  thumbnail(source: string, id: string): Promise<Uint8Array | undefined>;
  /** Gives the id of the replay; undefined where there is no such event. Throws a RefusedError where it cannot be replayed. */
  replay(id: string): Promise<{ id: string; replayId: string } | undefined>;
  runs(query: URLSearchParams): Promise<z.infer<typeof RunPage>>;
  run(id: string): Promise<ShownRun | undefined>;
  /** Undefined where there is no such run. Throws a RefusedError where it is still under way. */
  replayRun(id: string): Promise<{ id: string } | undefined>;
  /** How many events a filter finds up to a time, or that there are more than so many. */
  countReplay(filter: Readonly<Record<string, string>>): Promise<z.infer<typeof Counted>>;
  /** Throws a RefusedError where the number of events is another one than was confirmed. */
  replayMany(wanted: Readonly<Record<string, string | number>>): Promise<z.infer<typeof Started>>;
  shownReplay(replayId: string): Promise<ShownReplay>;
  sources(): Promise<SourceState[]>;
  /** Keeps the app from asking a source, or ends that. */
  setPaused(source: string, paused: boolean): Promise<void>;
  /** Starts to look for missed calls; gives the run. Throws a RefusedError where one is under way, or there is no list to compare. */
  catchUp(source: string, since: string | undefined): Promise<{ run: string }>;
  /** Opens the time in which a secret of this source may change, or ends it with 0 minutes; `withdraw` takes back the key that was taken in it. */
  window(
    source: string,
    key: KeptSecret,
    minutes: number,
    end?: { readonly withdraw: boolean },
  ): Promise<void>;
}

/** Throws a UsageError where nothing says where the app is, or its key would not be safe; what it answers badly is a RefusedError or an UpstreamError. */
export function runningApp(
  { app: { url, key, staffClientId } }: Pick<Setup, 'app'>,
  signal?: AbortSignal,
): RunningApp {
  if (url === undefined) {
    throw new UsageError('Where is the app? Set ASSET_WEBHOOKS_URL, or PUBLIC_URL, to its address.');
  }
  if (key !== undefined && isReadableOnTheWay(url)) {
    throw new UsageError(
      `The function key is not sent to ${url}: over plain http anybody on the way can read it. Set ASSET_WEBHOOKS_URL to the https address of the app.`,
    );
  }
  if (staffClientId !== undefined && isReadableOnTheWay(url)) {
    throw new UsageError(
      `Nobody signs in at ${url}: over plain http anybody on the way can read the token. Set ASSET_WEBHOOKS_URL to the https address of the app.`,
    );
  }
  let token: Promise<string> | undefined;
  const call = async (
    path: string,
    init: { method?: 'GET' | 'POST'; body?: string } = {},
  ): Promise<{ status: number; bytes: Uint8Array; json: unknown }> => {
    const headers = {
      accept: 'application/json',
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'x-functions-key': key }),
      ...(staffClientId === undefined
        ? {}
        : { authorization: `Bearer ${await (token ??= entraToken(staffClientId))}` }),
    };
    const limits = { maxBytes, timeLimitMs, now: Date.now, ...(signal === undefined ? {} : { signal }) };
    const { status, bytes } = await callSource(
      `Asset Webhooks at ${url}`,
      new URL(url + path),
      { ...init, headers },
      limits,
    ).catch((error: unknown) => {
      if (!(error instanceof UpstreamError) || error.status !== undefined) throw error;
      throw new AppAwayError(error.code, error.message, { cause: error });
    });
    if (staffClientId !== undefined && (status === 401 || status === 403)) {
      throw new RefusedError(
        `The app at ${url} does not let you in as whom you are signed in with Entra. Sign in as somebody else (az login), or ask who looks after the app registration ${staffClientId}.`,
      );
    }
    if (status === 401 || status === 403) {
      throw new RefusedError(
        `The app at ${url} wants a function key${key === undefined ? '' : ', and not this one'}: set ASSET_WEBHOOKS_KEY.`,
      );
    }
    return { status, bytes, json: readJson(bytes) };
  };
  const asked = async <T>(shape: z.ZodType<T>, ...given: Parameters<typeof call>): Promise<T> => {
    const { status, json } = await call(...given);
    if (status === 200 || status === 202) {
      const answer = shape.safeParse(json);
      if (answer.success) return answer.data;
      throw another;
    }
    throw refusal(url, status, json);
  };
  const another = new RefusedError(`What answers at ${url} is not this app, or another version of it.`);
  const byId = async (
    id: string,
    path: (whole: string) => string,
    init?: Parameters<typeof call>[1],
  ): ReturnType<typeof call> => {
    const answer = await call(path(id), init);
    const [only, ...more] = NotFound.safeParse(answer.json).data?.candidates ?? [];
    if (answer.status !== 404 || only === undefined) return answer;
    if (more.length > 0) throw ambiguous(id, [only, ...more]);
    return await call(path(only), init);
  };
  /** What the app has by an id, or does with it; undefined where it has none. */
  const askedById = async <T>(
    shape: z.ZodType<T>,
    ...[id, path, init]: Parameters<typeof byId>
  ): Promise<T | undefined> => {
    const { status, json } = await byId(id, path, init);
    if (status === 404) return undefined;
    if (status !== (init?.method === 'POST' ? 202 : 200)) throw refusal(url, status, json);
    const answer = shape.safeParse(json);
    if (answer.success) return answer.data;
    throw another;
  };
  const assetPath = (source: string, id: string): string =>
    `/assets/${encodeURIComponent(source)}/${encodeURIComponent(id)}`;
  return {
    url,
    async events(query) {
      const { events, next, unread = 0 } = await asked(EventPage, `/events?${query.toString()}`);
      let odd = 0;
      const read = readEach(events, ListedEvent, (count) => void (odd = count));
      if (read === undefined) throw another;
      return { events: read, next, unread: unread + odd };
    },
    async event(id, { body = false, source } = {}) {
      const query = new URLSearchParams({
        ...(body ? { body: '1' } : {}),
        ...(source === undefined ? {} : { source }),
      });
      return await askedById(ShownEvent, id, (whole) =>
        [`/events/${encodeURIComponent(whole)}`, ...(query.size > 0 ? [query.toString()] : [])].join('?'),
      );
    },
    async replay(id) {
      const path = (whole: string): string => `/events/${encodeURIComponent(whole)}/replay`;
      return await askedById(Queued, id, path, { method: 'POST' });
    },
    runs: async (query) => await asked(RunPage, `/runs?${query.toString()}`),
    async run(id) {
      return await askedById(ShownRun, id, (whole) => `/runs/${encodeURIComponent(whole)}`);
    },
    async replayRun(id) {
      const path = (whole: string): string => `/runs/${encodeURIComponent(whole)}/replay`;
      return await askedById(z.object({ id: z.string() }), id, path, { method: 'POST' });
    },
    async countReplay(filter) {
      const body = JSON.stringify({ ...filter, dryRun: true });
      return await asked(Counted, '/replays', { method: 'POST', body });
    },
    async replayMany(wanted) {
      return await asked(Started, '/replays', { method: 'POST', body: JSON.stringify(wanted) });
    },
    async shownReplay(replayId) {
      return await asked(ShownReplay, `/replays/${encodeURIComponent(replayId)}`);
    },
    async asset(source, id) {
      const { status, json } = await byId(id, (whole) => assetPath(source, whole));
      if (status === 404) throw new RefusedError(Refusal.safeParse(json).data?.error ?? another.message);
      if (status !== 200) throw refusal(url, status, json);
      const record = AssetRecord.safeParse(json);
      if (record.success) return record.data;
      throw another;
    },
    async thumbnail(source, id) {
      const { status, bytes, json } = await call(`${assetPath(source, id)}/thumbnail`);
      if (status === 404) return undefined;
      if (status !== 200) throw refusal(url, status, json);
      return bytes;
    },
    async sources() {
      const nonce = randomBytes(24).toString('base64url');
      const { sources } = await asked(SourceStates, `/sources?proof=${nonce}`);
      return sources.map(({ proofs, ...state }) => ({
        ...state,
        takes(secret) {
          const proof = secretProof(secret, { source: state.name, nonce });
          if (proof === undefined || proofs === undefined) return undefined;
          if (proofs.includes(proof)) return true;
          // A secret that gives no proof may be the one.
          return proofs.includes(null) ? undefined : false;
        },
      }));
    },
    async setPaused(source, paused) {
      const path = `/sources/${source}/${paused ? 'pause' : 'resume'}`;
      await asked(Changed, path, { method: 'POST' });
    },
    async catchUp(source, since) {
      const body = JSON.stringify(since === undefined ? {} : { since });
      return await asked(z.object({ run: z.string() }), `/sources/${source}/catch-up`, {
        method: 'POST',
        body,
      });
    },
    async window(source, which, minutes, { withdraw } = { withdraw: false }) {
      const body = JSON.stringify({ key: which, minutes, ...(withdraw ? { withdraw } : {}) });
      await asked(Window, `/sources/${source}/window`, { method: 'POST', body });
    },
  };
}

const Refusal = z.object({ error: z.string().max(500) });
const NotFound = z.object({ candidates: z.array(z.string().max(200)).max(1_000) });

/** What a status of the app means for whoever asked: 400 is what it says of a question that makes no sense. */
function refusal(url: string, status: number, json: unknown): RefusedError | UsageError {
  const said = Refusal.safeParse(json).data?.error;
  if (status === 400 && said !== undefined) return new UsageError(said);
  return new RefusedError(
    `The app at ${url} answered ${status}${said === undefined ? '.' : `: ${said}`}`,
    status,
  );
}

/** A token of whoever is signed in on this machine. Throws a UsageError where nobody is. */
async function entraToken(clientId: string): Promise<string> {
  const { azureCredential } = await import('../azure/credential.ts');
  const credential = await azureCredential({ managedIdentity: false, clientId: undefined });
  const token = await credential.getToken(`api://${clientId}/.default`).catch(() => null);
  if (token !== null) return token.token;
  throw new UsageError(`Nobody is signed in with Entra who may ask for api://${clientId}. Sign in: az login`);
}
