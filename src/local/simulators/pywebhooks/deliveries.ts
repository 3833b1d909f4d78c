import { createHmac } from 'node:crypto';
import pLimit from 'p-limit';
import { pause } from '../faults.ts';
import { newKey } from './api-keys.ts';
import { callEndpoint } from './call-endpoint.ts';
import { readAnswer, type Calling } from './endpoints.ts';
import { pythonJson } from './python-json.ts';
import type { Settings } from './settings.ts';
import type { Account, Registration, Store, Subscription } from './store.ts';

/** The secret's text is the key. */
export function signEvent(secret: string, body: Uint8Array): string {
  return createHmac('sha1', secret).update(body).digest('hex');
}

interface Job {
  readonly subscription: Subscription;
  readonly secret: string;
  readonly endpoint: unknown;
}

/** Starts what a trigger sends to every subscriber; `complete` is false where a subscriber's account made it stop half-way. */
export function startDeliveries(
  registration: Registration,
  about: { store: Store; calling: Calling },
): { complete: boolean; ended: Promise<void> } {
  const { store, calling } = about;
  const { settings } = calling;
  const jobs: Job[] = [];
  let complete = true;
  for (const subscription of store.subscriptionsTo(registration.id)) {
    const account = store.accounts.get(subscription.account_id);
    if (account?.failed_count === undefined) {
      complete = false;
      break;
    }
    if (account.failed_count >= settings.maxFailedCount) continue;
    const job = { subscription, secret: account.secret_key, endpoint: account.endpoint };
    jobs.push(...Array.from({ length: settings.copies }, () => job));
  }
  if (settings.shuffled) jobs.sort(() => Math.random() - 0.5);
  const body = Buffer.from(pythonJson(registration.event_data));
  const limit = pLimit(settings.deliveriesAtOnce);
  const send = async (job: Job): Promise<void> => {
    const delays = [0, ...settings.retryDelaysMs.slice(0, 3)];
    for (const [index, delayMs] of delays.entries()) {
      await pause(delayMs, calling.closed);
      const attempt = { job, event: registration.event, body, attempt: index + 1 };
      const outcome = await limit(() => attemptDelivery(attempt, about));
      if (outcome !== 'failed') return;
    }
  };
  return { complete, ended: Promise.all(jobs.map(send)).then(() => undefined) };
}

async function attemptDelivery(
  { job, event, body, attempt }: { job: Job; event: unknown; body: Buffer; attempt: number },
  { store, calling }: { store: Store; calling: Calling },
): Promise<'done' | 'failed' | 'gone'> {
  const { settings, note, closed } = calling;
  if (closed.aborted) return 'gone';
  const { subscription } = job;
  const account = store.accounts.get(subscription.account_id);
  if (!settings.snapshot && (account === undefined || !store.subscriptions.has(subscription.id)))
    return 'gone';
  const fresh = settings.snapshot ? undefined : account;
  const endpoint = fresh === undefined ? job.endpoint : fresh.endpoint;
  const url = typeof endpoint === 'string' ? endpoint : pythonJson(endpoint);
  const named = eventHeader(event);
  const answer =
    named === undefined
      ? { status: 0, body: '' }
      : await callEndpoint(url, {
          body,
          headers: { ...named, ...signatureHeader(fresh?.secret_key ?? job.secret, body, settings) },
          framing: settings.framing,
          answerWithinMs: settings.answerWithinMs,
          followRedirects: settings.followRedirects,
          ended: closed,
        });
  if (closed.aborted) return 'gone';
  note({ kind: 'event', url, status: answer.status, body: body.toString(), answer: answer.body, attempt });
  const done = answer.status === 200 && readAnswer(answer.body) !== undefined;
  count(store.accounts.get(subscription.account_id), done);
  return done ? 'done' : 'failed';
}

/** Undefined where the value cannot be a header, so that nothing is sent at all. */
function eventHeader(event: unknown): Record<string, string> | undefined {
  if (event === null || event === '') return {};
  if (typeof event !== 'string' || !/^(?=\S)[\t -~\u0080-\u00ff]+$/.test(event)) return undefined;
  return { event };
}

function signatureHeader(secret: string, body: Buffer, { signature }: Settings): Record<string, string> {
  if (signature === 'missing') return {};
  const value = signEvent(signature === 'wrong-secret' ? newKey() : secret, body);
  return { 'pywebhooks-signature': signature === 'upper-case' ? value.toUpperCase() : value };
}

function count(account: Account | undefined, done: boolean): void {
  if (account === undefined) return;
  account.failed_count = done ? 0 : (account.failed_count ?? 0) + 1;
}
