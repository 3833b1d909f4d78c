import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { Reason, EventState, HistoryEntry } from '../pipeline/ledger.ts';
import { readJson } from '../pipeline/read-json.ts';
import { Refusals } from '../pipeline/refusals.ts';
import { secretProof } from '../pipeline/secret-proof.ts';
import type { KeptSecret } from '../pipeline/secrets.ts';
import { callSource } from '../sources/http-call.ts';
import { RefusedError, UsageError } from './faults.ts';
import { isReadableOnTheWay } from './loopback.ts';
import type { Setup } from './setup.ts';

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
const EventPage = z.object({ events: z.array(ListedEvent), next: z.string().nullable() });
const ShownEvent = ListedEvent.extend({ history: z.array(HistoryEntry), data: z.unknown() });
export type ShownEvent = z.infer<typeof ShownEvent>;

const SourceState = z.object({
  name: z.string(),
  kind: z.string(),
  secrets: z.number(),
  waiting: z.number(),
  failed: z.number(),
  latest: z.object({ receivedAt: z.string() }).nullish(),
  refused: Refusals.default([]),
  proofs: z.array(z.string().nullable()).optional(),
});
const SourceStates = z.object({ sources: z.array(SourceState) });

/** How a source does, as the app says. */
export interface SourceState extends Omit<z.infer<typeof SourceState>, 'proofs'> {
  /** Whether the app takes what this secret signs. Undefined where it does not show that. */
  takes(secret: string): boolean | undefined;
}

const Window = z.object({ source: z.string(), key: z.string(), until: z.string() });

const timeLimitMs = 60_000;
const maxBytes = 33_554_432;
const askedAs = 'Asset Webhooks';

/** The running app, asked by its address and a function key; its storage may be closed to whoever asks. */
export interface RunningApp {
  readonly url: string;
  alive(): Promise<boolean>;
  events(query: URLSearchParams): Promise<z.infer<typeof EventPage>>;
  event(id: string): Promise<ShownEvent | undefined>;
  sources(): Promise<SourceState[]>;
  /** Opens the time in which a secret of this source may change, or ends it with 0 minutes. */
  window(source: string, key: KeptSecret, minutes: number): Promise<void>;
}

/** Throws a UsageError where nothing says where the app is, or its key would not be safe; what it answers badly is a RefusedError or an UpstreamError. */
export function runningApp({ app: { url, key } }: Pick<Setup, 'app'>): RunningApp {
  if (url === undefined) {
    throw new UsageError('Where is the app? Set ASSET_WEBHOOKS_URL, or PUBLIC_URL, to its address.');
  }
  if (key !== undefined && isReadableOnTheWay(url)) {
    throw new UsageError(
      `The function key is not sent to ${url}: over plain http anybody on the way can read it. Set ASSET_WEBHOOKS_URL to the https address of the app.`,
    );
  }
  const call = async (
    path: string,
    init: { method?: 'GET' | 'POST'; body?: string } = {},
  ): Promise<{ status: number; json: unknown }> => {
    const headers = {
      accept: 'application/json',
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'x-functions-key': key }),
    };
    const limits = { maxBytes, timeLimitMs, now: Date.now };
    const { status, bytes } = await callSource(askedAs, new URL(url + path), { ...init, headers }, limits);
    if (status === 401 || status === 403) {
      throw new RefusedError(
        `The app at ${url} wants a function key${key === undefined ? '' : ', and not this one'}: set ASSET_WEBHOOKS_KEY.`,
      );
    }
    return { status, json: readJson(bytes) };
  };
  const asked = async <T>(shape: z.ZodType<T>, ...given: Parameters<typeof call>): Promise<T> => {
    const { status, json } = await call(...given);
    if (status === 200) {
      const answer = shape.safeParse(json);
      if (answer.success) return answer.data;
      throw new RefusedError(`What answers at ${url} is not this app, or another version of it.`);
    }
    throw refusal(url, status, json);
  };
  return {
    url,
    alive: async () => (await call('/health')).status === 200,
    events: async (query) => await asked(EventPage, `/events?${query.toString()}`),
    async event(id) {
      const { status, json } = await call(`/events/${encodeURIComponent(id)}`);
      if (status === 404) return undefined;
      const event = ShownEvent.safeParse(json);
      if (status === 200 && event.success) return event.data;
      throw refusal(url, status, json);
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
    async window(source, which, minutes) {
      const body = JSON.stringify({ key: which, minutes });
      await asked(Window, `/sources/${source}/window`, { method: 'POST', body });
    },
  };
}

const Refusal = z.object({ error: z.string().max(500) });

/** What a status of the app means for whoever asked: 400 is what it says of a question that makes no sense. */
function refusal(url: string, status: number, json: unknown): RefusedError | UsageError {
  const said = Refusal.safeParse(json).data?.error;
  if (status === 400 && said !== undefined) return new UsageError(said);
  return new RefusedError(
    `The app at ${url} answered ${status}${said === undefined ? '.' : `: ${said}`}`,
    status,
  );
}
