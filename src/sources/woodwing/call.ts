import * as z from 'zod';
import { readJson } from '../../pipeline/model/read-json.ts';
import { callSource, type CallAnswer, type CallInit, type CallLimits } from '../http-call.ts';

export const systemName = 'WoodWing Assets';

const mostOfAnError = 65_536;
const SoftError = z.object({
  errorcode: z.union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ]),
});

/**
 * One call to Assets. Its errors may come with a status of 200 and the real one inside, also in place of bytes; the
 * answer here always has the real one. Throws an UpstreamError.
 */
export async function callAssets(url: URL, init: CallInit, limits: CallLimits): Promise<CallAnswer> {
  const answer = await callSource(systemName, url, init, limits);
  if (answer.status !== 200 || !mayBeError(answer.bytes)) return answer;
  const error = SoftError.safeParse(readJson(answer.bytes));
  if (!error.success) return answer;
  const { errorcode } = error.data;
  return { ...answer, status: errorcode >= 400 && errorcode <= 599 ? errorcode : 500 };
}

function mayBeError(bytes: Uint8Array): boolean {
  if (bytes.byteLength > mostOfAnError) return false;
  const first = bytes.find((byte) => !/\s/.test(String.fromCharCode(byte)));
  return first === '{'.charCodeAt(0);
}
