import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { readJson } from '../../../pipeline/model/read-json.ts';
import type { CallFault } from '../../../pipeline/ports/source-doctor.ts';
import { tryCall } from '../../try-call.ts';
import { challengeAnswer } from '../signature.ts';

const Answer = z.object({ challengeCode: z.string(), challengeResponse: z.string() });

/** Makes the handshake as Preservica would, and says what is wrong with the answer. Undefined where nothing is. Never throws. */
export async function tryHandshake(address: string, secret: string): Promise<CallFault | undefined> {
  const url = new URL(address);
  const code = randomBytes(16).toString('hex');
  url.searchParams.set('challengeCode', code);
  const called = await tryCall(url, { method: 'POST', headers: { 'content-length': '0' } }, address);
  if ('kind' in called) return called;
  const { status, bytes } = called;
  const answer = Answer.safeParse(readJson(bytes)).data;
  if (status === 200 && answer?.challengeCode === code) {
    if (answer.challengeResponse === challengeAnswer(secret, code)) return undefined;
    const text =
      'The app answered with another secret than the one given here. Right after a change it may still hold the old one: up to five minutes with a vault, until its next start with settings.';
    return { kind: 'other-secret', text };
  }
  return { kind: 'other-answer', text: meaningOf(status, bytes, address) };
}

// What this app answers to a call without a signature, and to one that asks for what it does not give.
const OwnRefusal = z.object({ error: z.enum(['not proved', 'bad request']) });

function meaningOf(status: number, bytes: Uint8Array, address: string): string {
  if (status === 404)
    return `The app at ${address} knows no such source: the last part of the address must be a name in its SOURCES, of kind preservica.`;
  if (status === 405 || ([400, 401].includes(status) && OwnRefusal.safeParse(readJson(bytes)).success))
    return `The source at ${address} is of another kind: the last part of the address must be a name in the app's SOURCES, of kind preservica.`;
  if (status === 503)
    return 'The app cannot answer a handshake now: it has no webhook secret for this source, or its settings are faulty. Its log says which.';
  if (status >= 300 && status < 400)
    return `${address} answers with a redirect, which Preservica need not follow: give the address that it leads to.`;
  return `What answers at ${address} gave ${status} to the handshake: it is not this app, or something stands in front of it.`;
}
