import type { Clock } from '../../../pipeline/ports/clock.ts';
import * as z from 'zod';
import { UpstreamError } from '../../../pipeline/ports/errors.ts';
import { sanitizeText } from '../../../pipeline/model/sanitize-text.ts';
import { readJson } from '../../../pipeline/model/read-json.ts';
import type { Permit } from '../../../pipeline/ports/permit.ts';
import { callSource, type CallAnswer } from '../../http-call.ts';
import { readEach, type OnUnread } from '../../read-each.ts';
import type { Session } from '../../session.ts';
import { redactSecrets } from '../../redact-secrets.ts';

/** What Preservica is known to send; there may be more. */
export const knownTriggers = [
  'FULL_TEXT_INDEXED',
  'MOVED',
  'CHANGED_SECURITY_DESCRIPTOR',
  'INGEST_FAILED',
  'CHANGE_ASSET_VISIBILITY',
] as const;

/** What may be the id of a subscription: it becomes part of a path, so it is no way out of it. */
export const subscriptionId = /^(?!\.+$)[\x21-\x7e]{1,200}$/;

const Subscription = z.object({
  id: z.string().regex(subscriptionId),
  url: z.string().max(8192).optional(),
  triggerType: z.string().max(200).optional(),
  // It is sent as a text, and comes back as a boolean.
  includeIdentifiers: z.union([z.boolean(), z.stringbool()]).optional().catch(undefined),
});
export type PreservicaSubscription = z.infer<typeof Subscription>;

/** What became of a wish to subscribe; `said` is what Preservica gave as its reason. */
export type Subscribed =
  | { kind: 'subscribed'; subscription: PreservicaSubscription }
  | { kind: 'refused'; status: number; said: string };

/** The subscriptions of a whole tenant. All of it may throw an UpstreamError. */
export interface PreservicaSubscriptions {
  list(): Promise<PreservicaSubscription[]>;
  /** Preservica calls the URL before it answers: the receiver must be up. */
  create(wanted: { url: string; triggerType: string; secret: string }): Promise<Subscribed>;
  /** False where there is none of that id. */
  remove(id: string): Promise<boolean>;
}

// The SDK gives the handshake's call a minute.
const timeLimitMs = 70_000;
const maxBytes = 8_388_608;

export function preservicaSubscriptions(
  asking: {
    base: string;
    session: Session;
    permit: Permit;
    onUnread?: OnUnread;
  } & Clock,
): PreservicaSubscriptions {
  const { base, session, permit } = asking;
  const limits = { maxBytes, timeLimitMs, now: () => asking.now() };
  // What Preservica says about an error might hold what it was sent.
  const unspeakable = new Set<string>();
  const ask = async (
    path: string,
    init: { method?: 'POST' | 'DELETE'; body?: string } = {},
  ): Promise<CallAnswer> =>
    await session.ask(permit, async (token) => {
      unspeakable.add(token);
      const headers = {
        accept: 'application/json',
        'content-type': 'application/json',
        'preservica-access-token': token,
      };
      const url = new URL(`${base}/api/webhook/subscriptions${path}`);
      return await permit.call(async () => await callSource('Preservica', url, { ...init, headers }, limits));
    });
  const unexpected = (answer: CallAnswer): UpstreamError => {
    const { status } = answer;
    if (status === 403) {
      const text =
        'Preservica does not let this account manage subscriptions: it needs the role of a manager.';
      return new UpstreamError('UPSTREAM_STATUS', text, { status });
    }
    const said = sentence(answer, unspeakable);
    const text = `Preservica answered ${status}${said === '' ? '.' : `: ${said}`}`;
    return new UpstreamError('UPSTREAM_STATUS', text, { status });
  };
  return {
    async list() {
      const answer = await ask('');
      if (answer.status !== 200) throw unexpected(answer);
      const subscriptions = readEach(readJson(answer.bytes), Subscription, asking.onUnread);
      if (subscriptions !== undefined) return subscriptions;
      throw new UpstreamError(
        'UPSTREAM_UNREADABLE',
        'Preservica listed its subscriptions in a way that is not known.',
      );
    },
    async create({ url, triggerType, secret }) {
      unspeakable.add(secret);
      const body = JSON.stringify({ url, triggerType, secret, includeIdentifiers: 'true' });
      const answer = await ask('', { method: 'POST', body });
      const { status } = answer;
      if (status === 403) throw unexpected(answer);
      // Which status a handshake that failed comes to is unknown, so a 5xx may be one.
      if (status !== 200) return { kind: 'refused', status, said: sentence(answer, unspeakable) };
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

/** What Preservica says for people, where it is no page, without what nobody may read. */
function sentence({ bytes }: CallAnswer, unspeakable: ReadonlySet<string>): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 65_536)).trim();
  return text.startsWith('<') ? '' : sanitizeText(redactSecrets(text, unspeakable), 300);
}
