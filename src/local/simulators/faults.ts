import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What goes wrong, with which calls: `path` is matched against path and query, `times` is how often (always if left out). */
export type Fault = { readonly path: RegExp; readonly method?: string; times?: number } & (
  | { kind: 'status'; status: number; retryAfter?: string }
  | { kind: 'slow'; ms: number }
  | {
      kind:
        | 'hang'
        | 'cut'
        | 'wrong-length'
        | 'broken-xml'
        | 'doctype'
        | 'huge'
        | 'namespace'
        | 'other-host'
        | 'not-a-picture'
        | 'huge-picture';
    }
  | { kind: 'redirect'; to: string }
  /** Something else in the place of the right answer, such as an error page. */
  | { kind: 'answer'; status: number; contentType: string; body: string }
);

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

const bomb =
  '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]>\n';

/** Sends an answer, or what the fault makes of it. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  ended: AbortSignal,
): Promise<void> {
  const send = ({ status, headers, body }: Answer): void => {
    response.writeHead(status, { 'content-length': String(body.byteLength), ...headers }).end(body);
  };
  const changed = (change: (text: string) => string): void => {
    send({ ...answer, body: Buffer.from(change(Buffer.from(answer.body).toString())) });
  };
  switch (fault?.kind) {
    case undefined:
      send(answer);
      return;
    case 'slow':
      await pause(fault.ms, ended);
      send(answer);
      return;
    case 'status':
      send({
        status: fault.status,
        headers: fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter },
        body: Buffer.from('no'),
      });
      return;
    case 'redirect':
      send({ status: 302, headers: { location: fault.to }, body: Buffer.alloc(0) });
      return;
    case 'answer':
      send({
        status: fault.status,
        headers: { 'content-type': fault.contentType },
        body: Buffer.from(fault.body),
      });
      return;
    case 'hang':
      return;
    case 'cut': {
      const half = answer.body.subarray(0, Math.floor(answer.body.byteLength / 2));
      response.writeHead(answer.status, {
        ...answer.headers,
        'content-length': String(answer.body.byteLength),
      });
      response.write(half, () => response.destroy());
      return;
    }
    case 'wrong-length':
      response.writeHead(answer.status, {
        ...answer.headers,
        'content-length': String(answer.body.byteLength + 10),
      });
      response.write(answer.body, () => response.destroy());
      return;
    case 'broken-xml':
      changed((text) => text.slice(0, Math.floor(text.length / 2)));
      return;
    case 'doctype':
      changed((text) => bomb + text.replace(/^<\?xml.*\n/, '').replace(/(<xip:Title>)/, '$1&c;&x;'));
      return;
    case 'namespace':
      changed((text) =>
        text
          .replaceAll(/\/v\d+\.\d+"/g, '/v9.9"')
          .replaceAll('xip:', 'p:')
          .replaceAll('xmlns:xip=', 'xmlns:p='),
      );
      return;
    case 'other-host':
      changed((text) => text.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.2:9'));
      return;
    case 'huge':
      await sendHuge(response, answer.headers, 200_000_000);
      return;
    case 'not-a-picture':
      send({ ...answer, body: Buffer.from('<html>This is no picture.</html>') });
      return;
    case 'huge-picture':
      send({ ...answer, body: Buffer.concat([answer.body, Buffer.alloc(20_000_000)]) });
      return;
    default:
      return fault satisfies never;
  }
}

async function sendHuge(
  response: ServerResponse,
  headers: Record<string, string>,
  size: number,
): Promise<void> {
  response.writeHead(200, headers);
  const piece = Buffer.alloc(1_000_000, '<a/>');
  const pieces = function* (): Generator<Buffer> {
    yield Buffer.from('<EntityResponse>');
    for (let sent = 0; sent < size; sent += piece.byteLength) yield piece;
    yield Buffer.from('</EntityResponse>');
  };
  // Whoever asked goes away long before its end.
  await pipeline(Readable.from(pieces()), response).catch(() => undefined);
}

/** Waits so long, or until all ends. */
export async function pause(ms: number, ended: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal: ended }).catch(() => undefined);
}
