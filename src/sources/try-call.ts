import { UpstreamError } from '../pipeline/ports/errors.ts';
import type { CallFault } from '../pipeline/ports/source-doctor.ts';
import { callSource, type CallAnswer } from './http-call.ts';

/** Calls the app as a source would. A fault where nothing answers. Never throws. */
export async function tryCall(
  url: URL,
  init: Parameters<typeof callSource>[2],
  address: string,
): Promise<Pick<CallAnswer, 'status' | 'bytes'> | CallFault> {
  try {
    const limits = { maxBytes: 65_536, timeLimitMs: 15_000, now: Date.now };
    return await callSource('Asset Webhooks', url, init, limits);
  } catch (error) {
    const why = error instanceof UpstreamError ? error.message : 'It cannot be called at all.';
    const text = `Nothing answers at ${address}, seen from here. ${why} Is the app running, and is the address right?`;
    return { kind: 'unreachable', text };
  }
}
