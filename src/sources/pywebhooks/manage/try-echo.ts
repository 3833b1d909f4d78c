import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { readJson } from '../../../pipeline/model/read-json.ts';
import type { CallFault } from '../../../pipeline/ports/source-doctor.ts';
import { tryCall } from '../../try-call.ts';

const Answer = z.object({ echo: z.string() });

// The service waits so long for a connection, and then for each piece of the answer.
const patienceMs = 5_000;

/** Asks for an echo as PyWebhooks would, and says what is wrong with the answer. Undefined where nothing is. Never throws. */
export async function tryEcho(address: string): Promise<CallFault | undefined> {
  const wrong = (text: string): CallFault => ({ kind: 'other-answer', text });
  if (!URL.canParse(address)) return wrong(`${address} is no address that can be called.`);
  const url = new URL(address);
  const echo = randomBytes(20).toString('hex');
  url.searchParams.set('echo', echo);
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const beganAt = performance.now();
  const called = await tryCall(url, { headers }, address);
  if ('kind' in called) return called;
  const { status, bytes } = called;
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
