import { UpstreamError } from '../../pipeline/ports/errors.ts';
import { isJsonObject, readJson } from '../../pipeline/model/read-json.ts';
import { callSource, systemCode } from '../../sources/http-call.ts';
import type { Unreachable } from './findings.ts';

/** What answers at an address of the app. */
export type Reached =
  | { kind: 'alive' }
  /** Something, and not this app as it should be. */
  | { kind: 'other'; status: number }
  | { kind: 'nothing'; how: Unreachable };

/** Asks `/health` there, which needs no key. Never throws. */
export async function reach(url: string, timeLimitMs = 10_000): Promise<Reached> {
  try {
    const limits = { maxBytes: 65_536, timeLimitMs, now: Date.now };
    const { status, bytes } = await callSource('Asset Webhooks', new URL(`${url}/health`), {}, limits);
    const json = readJson(bytes);
    const alive = status === 200 && isJsonObject(json) && json['status'] === 'ok';
    return alive ? { kind: 'alive' } : { kind: 'other', status };
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'UPSTREAM_TOO_LARGE')
      return { kind: 'other', status: error.status ?? 200 };
    return { kind: 'nothing', how: howOf(error) };
  }
}

const ways: readonly (readonly [RegExp, Unreachable])[] = [
  [/^(?:ENOTFOUND|EAI_)/, 'no-such-name'],
  [/^ECONNREFUSED$/, 'refused'],
  [/^(?:ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT)$/, 'timeout'],
  [/CERT|SELF_SIGNED|UNABLE_TO_|SSL|TLS|^EPROTO$/, 'tls'],
  [/^(?:ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/, 'no-network'],
];

function howOf(error: unknown): Unreachable {
  if (!(error instanceof UpstreamError)) return 'broke-off';
  if (error.code === 'UPSTREAM_TIMEOUT') return 'timeout';
  const code = systemCode(error.cause) ?? '';
  return ways.find(([pattern]) => pattern.test(code))?.[1] ?? 'broke-off';
}
