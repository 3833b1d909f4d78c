import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { UpstreamError } from '../../../pipeline/ports/errors.ts';
import { readJson } from '../../../pipeline/model/read-json.ts';
import { callSource } from '../../http-call.ts';

const Answer = z.object({ echo: z.string() });

// Section 8: the service waits so long for a connection, and then for each piece of the answer.
const patienceMs = 5_000;

/** What is wrong with an endpoint, in a sentence. */
export interface EchoFault {
  readonly kind: 'unreachable' | 'other-answer';
  readonly text: string;
}

/**
 * Asks for an echo as PyWebhooks would (reference/pywebhooks.md, 8.1), and says what is wrong with the answer. Undefined
 * where nothing is. Never throws.
 */
export async function tryEcho(address: string): Promise<EchoFault | undefined> {
  const wrong = (text: string): EchoFault => ({ kind: 'other-answer', text });
  if (!URL.canParse(address)) return wrong(`${address} is no address that can be called.`);
  const url = new URL(address);
  const echo = randomBytes(20).toString('hex');
  url.searchParams.set('echo', echo);
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const limits = { maxBytes: 65_536, timeLimitMs: 15_000, now: Date.now };
  const beganAt = performance.now();
  let status: number;
  let bytes: Uint8Array;
  try {
    ({ status, bytes } = await callSource('Asset Webhooks', url, { headers }, limits));
  } catch (error) {
    const why = error instanceof UpstreamError ? error.message : 'It cannot be called at all.';
    const text = `Nothing answers at ${address}, seen from here. ${why} Is the app running, and is the address right?`;
    return { kind: 'unreachable', text };
  }
  if (status !== 200 || Answer.safeParse(readJson(bytes)).data?.echo !== echo)
    return wrong(meaningOf(status, address));
  const tookMs = performance.now() - beganAt;
  if (tookMs < patienceMs) return undefined;
  return wrong(
    `The app at ${address} took ${Math.round(tookMs / 1000)} seconds for its answer; PyWebhooks waits five.`,
  );
}

function meaningOf(status: number, address: string): string {
  if (status === 404)
    return `The app at ${address} knows no such source: the last part of the address must be a name in its SOURCES, of kind pywebhooks.`;
  if (status === 405)
    return `The source at ${address} is of another kind: the last part of the address must be a name in the app's SOURCES, of kind pywebhooks.`;
  if (status === 503) return 'The app answers nobody now: its settings are faulty. Its log says which.';
  if (status >= 300 && status < 400)
    return `${address} answers with a redirect, on which PyWebhooks would lose what it sends: give the address that it leads to.`;
  return `What answers at ${address} gave ${status} and no echo: it is not this app, or something stands in front of it.`;
}
