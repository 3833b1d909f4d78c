import ipaddr from 'ipaddr.js';
import { lookup } from 'node:dns';
import { request as requestPlain } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import {
  actionPrefixOf,
  CallNotAllowedError,
  type OutgoingAnswer,
  type OutgoingCall,
} from '../pipeline/ports/action.ts';
import { hasCode, UpstreamError } from '../pipeline/ports/errors.ts';
import { readRetryAfter } from '../pipeline/ports/retry-after.ts';
import { tracedCall } from '../pipeline/ports/telemetry.ts';

const timeLimitMs = 30_000;
const maxAnswerBytes = 65_536;
const notAllowed = 'ERR_ADDRESS_NOT_ALLOWED';

/**
 * One call of an action: over https and at public addresses only, unless its settings name the host; the address that is
 * checked is the one that is dialled. No redirect is followed. Neither a span nor an error holds the address, which may be
 * a secret. Throws an UpstreamError where no whole answer comes, and a CallNotAllowedError.
 */
export async function outgoingCall(
  action: string,
  call: OutgoingCall,
  now: () => number,
): Promise<OutgoingAnswer> {
  const url = new URL(call.url);
  const isAllowed = url.host === call.allowedHost;
  const attributes = { 'http.request.method': call.method, 'server.address': url.hostname };
  const about = { system: action, operation: `${call.method} ${action}`, attributes };
  return await tracedCall(about, async () => {
    if (!isAllowed && (url.protocol !== 'https:' || !isPublicHost(url))) throw refused(action, url);
    return await send(action, url, call, { isAllowed, now });
  });
}

async function send(
  action: string,
  url: URL,
  { method, headers, body }: OutgoingCall,
  { isAllowed, now }: { isAllowed: boolean; now: () => number },
): Promise<OutgoingAnswer> {
  const timeUp = AbortSignal.timeout(timeLimitMs);
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'asset-webhooks',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    signal: timeUp,
    ...(isAllowed ? {} : { lookup: lookupPublic }),
  };
  try {
    return await new Promise<OutgoingAnswer>((resolve, reject) => {
      const sent = (url.protocol === 'http:' ? requestPlain : request)(url, options, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const answered = (): void =>
          resolve({
            status: response.statusCode ?? 0,
            bytes: Buffer.concat(chunks),
            retryAfterMs: readRetryAfter(response.headers['retry-after'] ?? null, now()),
          });
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          // What it says matters less than that it has answered.
          if (size > maxAnswerBytes) {
            answered();
            response.destroy();
          } else chunks.push(chunk);
        });
        response.on('end', answered);
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  } catch (error) {
    if (hasCode(error, notAllowed)) throw refused(action, url);
    if (timeUp.aborted) {
      const text = `The other side of the action ${action} did not answer within ${timeLimitMs / 1000} seconds.`;
      throw new UpstreamError('UPSTREAM_TIMEOUT', text);
    }
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    const text = `The connection to the other side of the action ${action} failed or broke off${code}.`;
    throw new UpstreamError('UPSTREAM_CONNECTION', text);
  }
}

function refused(action: string, { protocol }: URL): CallNotAllowedError {
  const why = protocol === 'https:' ? 'is at an address that is not public' : 'is not called over https';
  return new CallNotAllowedError(
    `The other side of the action ${action} ${why}. If that is meant, name its host in ${actionPrefixOf(action)}ALLOW_HOST.`,
  );
}

function isPublicHost({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 || isPublic(host);
}

/** True for an address that anybody can reach, and nobody's own network. */
function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

// Called for the very connection that is made: whatever the name meant a moment ago does not count.
const lookupPublic: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, []);
    const [first] = addresses;
    if (first === undefined || !addresses.every(({ address }) => isPublic(address)))
      return done(Object.assign(new Error('an address that is not public'), { code: notAllowed }), []);
    if (options.all === true) done(null, addresses);
    else done(null, first.address, first.family);
  });
};
