import * as z from 'zod';
import { UpstreamError } from '../../errors.ts';
import { cleanText } from '../../pipeline/clean-text.ts';
import { readJson } from '../../pipeline/read-json.ts';
import type { Turn } from '../../pipeline/call-gate.ts';
import { callSource, type CallAnswer } from '../http-call.ts';
import type { Session } from '../session.ts';

/** Section 2.4: what Preservica is known to send; there may be more. */
export const knownTriggers = [
  'FULL_TEXT_INDEXED',
  'MOVED',
  'CHANGED_SECURITY_DESCRIPTOR',
  'INGEST_FAILED',
  'CHANGE_ASSET_VISIBILITY',
] as const;

const Subscription = z.object({
  id: z.string().min(1).max(200),
  url: z.string().max(8192).optional(),
  triggerType: z.string().max(200).optional(),
  includeIdentifiers: z.coerce.boolean().optional(),
});
export type PreservicaSubscription = z.infer<typeof Subscription>;

/** What became of a wish to subscribe; `said` is what Preservica gave as its reason. */
export type Subscribed =
  | { kind: 'subscribed'; subscription: PreservicaSubscription }
  | { kind: 'refused'; status: number; said: string };

/** The subscriptions of a whole tenant (reference/preservica.md, 2.1 to 2.3). All of it may throw an UpstreamError. */
export interface PreservicaSubscriptions {
  list(): Promise<PreservicaSubscription[]>;
  /** Preservica calls the URL before it answers: the receiver must be up. */
  create(wanted: { url: string; triggerType: string; secret: string }): Promise<Subscribed>;
  /** False where there is none of that id. */
  remove(id: string): Promise<boolean>;
}

// Section 2.1: the SDK gives the handshake's call a minute.
const timeLimitMs = 70_000;
const maxBytes = 8_388_608;

export function preservicaSubscriptions(asking: {
  base: string;
  session: Session;
  turn: Turn;
  now(): number;
}): PreservicaSubscriptions {
  const { base, session, turn } = asking;
  const limits = { maxBytes, timeLimitMs, now: () => asking.now() };
  const ask = async (
    path: string,
    init: { method?: 'POST' | 'DELETE'; body?: string } = {},
  ): Promise<CallAnswer> =>
    await session.ask(turn, async (token) => {
      const headers = {
        accept: 'application/json',
        'content-type': 'application/json',
        'preservica-access-token': token,
      };
      const url = new URL(`${base}/api/webhook/subscriptions${path}`);
      return await turn.call(async () => await callSource('Preservica', url, { ...init, headers }, limits));
    });
  return {
    async list() {
      const answer = await ask('');
      if (answer.status !== 200) throw unexpected(answer);
      const subscriptions = z.array(Subscription).safeParse(readJson(answer.bytes));
      if (subscriptions.success) return subscriptions.data;
      throw new UpstreamError(
        'UPSTREAM_UNREADABLE',
        'Preservica listed its subscriptions in a way that is not known.',
      );
    },
    async create({ url, triggerType, secret }) {
      const body = JSON.stringify({ url, triggerType, secret, includeIdentifiers: 'true' });
      const answer = await ask('', { method: 'POST', body });
      if (answer.status === 403 || answer.status >= 500) throw unexpected(answer);
      if (answer.status !== 200) return { kind: 'refused', status: answer.status, said: sentence(answer) };
      const subscription = Subscription.safeParse(readJson(answer.bytes));
      if (subscription.success) return { kind: 'subscribed', subscription: subscription.data };
      throw new UpstreamError(
        'UPSTREAM_UNREADABLE',
        'Preservica confirmed the subscription in a way that is not known.',
      );
    },
    async remove(id) {
      const answer = await ask(`/${encodeURIComponent(id)}`, { method: 'DELETE' });
      if (answer.status === 404) return false;
      if (answer.status >= 200 && answer.status < 300) return true;
      throw unexpected(answer);
    },
  };
}

function unexpected(answer: CallAnswer): UpstreamError {
  const { status } = answer;
  if (status === 403) {
    const text = 'Preservica does not let this account manage subscriptions: it needs the role of a manager.';
    return new UpstreamError('UPSTREAM_STATUS', text, { status });
  }
  const said = sentence(answer);
  const text = `Preservica answered ${status}${said === '' ? '.' : `: ${said}`}`;
  return new UpstreamError('UPSTREAM_STATUS', text, { status });
}

/** What Preservica says for people, where it is short and no page. */
function sentence({ bytes }: CallAnswer): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 2000)).trim();
  return text.startsWith('<') ? '' : cleanText(text, 300);
}
