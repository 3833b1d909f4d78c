import { json } from '../exchange.ts';
import type { Answer } from '../faults.ts';

/** The one shape of all errors. */
export function refusal(status: number, message: string): Answer {
  return json({ errorcode: status, message }, status);
}

export const notFound = (): Answer => refusal(404, 'Not found');
export const wrongMethod = (): Answer => refusal(405, 'Method not allowed');
