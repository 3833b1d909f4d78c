import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest, IncomingMessage } from 'node:http';
import { isObject } from './json-object.ts';

interface StorageWrite {
  readonly method: string;
  /** Of the path without its query, and without the account name that Azurite puts first. */
  readonly path: RegExp;
  /** Which of the matching writes are meant, counted from 1; all of them if left out. */
  readonly among?: (nth: number) => boolean;
}

/**
 * The writes at which a test can end the process. They are watched on Node's own HTTP client, so that the app holds
 * no code for it.
 */
export const storageWrites: Readonly<Record<string, StorageWrite>> = {
  'claim-written': { method: 'PUT', path: /^\/deliveries\/./ },
  'message-queued': { method: 'POST', path: /^\/asset-events\/messages$/ },
  'message-put-back': { method: 'PUT', path: /^\/asset-events\/messages\/./ },
  'message-deleted': { method: 'DELETE', path: /^\/asset-events\/messages\/./ },
  'poison-queued': { method: 'POST', path: /^\/asset-events-poison\/messages$/ },
  'ledger-written': { method: 'POST', path: /^\/\$batch$/ },
  'event-begun': { method: 'POST', path: /^\/\$batch$/, among: (nth) => nth === 1 },
  'event-finished': { method: 'POST', path: /^\/\$batch$/, among: (nth) => nth > 1 },
  'row-inserted': { method: 'POST', path: /^\/(?!Tables$)\w+$/ },
  'row-updated': { method: 'PUT', path: /^\/\w+\(.+\)$/ },
  'row-merged': { method: 'PATCH', path: /^\/\w+\(.+\)$/ },
  'thumbnail-written': { method: 'PUT', path: /^\/assets\/.+\/thumbnail-[0-9a-f]+$/ },
  'record-written': { method: 'PUT', path: /^\/assets\/.+\/record\.json$/ },
};

export type FaultPoint = {
  readonly when: 'before' | 'after';
  readonly write: StorageWrite;
  readonly nth: number;
};

/** Reads `after:record-written#2`; without the front it is after, without the end the first. */
export function readFaultPoint(text: string): FaultPoint | undefined {
  const [, when, name, nth] = /^(?:(before|after):)?([a-z-]+)(?:#(\d+))?$/.exec(text) ?? [];
  const write = Object.entries(storageWrites).find(([known]) => known === name)?.[1];
  if (write === undefined) return undefined;
  return { when: when === 'before' ? 'before' : 'after', write, nth: Number(nth ?? 1) };
}

/**
 * Ends this process with SIGKILL at the fault point: before the request leaves, or once storage has said that it is
 * written and before whoever wrote it hears of that.
 */
export function armFaultPoint(point: FaultPoint): void {
  let seen = 0;
  let meant = 0;
  const count = (request: unknown): void => {
    if (!(request instanceof ClientRequest) || !isWrite(point.write, request)) return;
    seen += 1;
    if (point.write.among?.(seen) === false) return;
    meant += 1;
    if (meant === point.nth) process.kill(process.pid, 'SIGKILL');
  };
  if (point.when === 'before') {
    subscribe('http.client.request.created', (message) => {
      if (isObject(message)) count(message['request']);
    });
    return;
  }
  // Named for the response's end, yet published when its head is read.
  subscribe('http.client.response.finish', (message) => {
    if (!isObject(message)) return;
    const { request, response } = message;
    const status = response instanceof IncomingMessage ? (response.statusCode ?? 500) : 500;
    if (status >= 200 && status < 300) count(request);
  });
}

function isWrite(write: StorageWrite, request: ClientRequest): boolean {
  // Storage gets its version with every request; the source systems and the library do not.
  if (!request.hasHeader('x-ms-version')) return false;
  const path = request.path.replace(/\?.*$/, '').replace(/^\/devstoreaccount1(?=\/)/, '');
  return request.method === write.method && write.path.test(path);
}
