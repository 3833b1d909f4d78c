import pLimit from 'p-limit';
import { UpstreamError } from '../../errors.ts';
import type { Turn } from '../../pipeline/call-gate.ts';
import { callSource, type CallAnswer } from '../http-call.ts';
import type { Session } from '../session.ts';
import { localName, readXml, type XmlElement } from './xml.ts';

const maxXmlBytes = 8_388_608;
// Of one event, so that a volume leaves places to others where there are more.
const askedAtOnce = 8;

export interface Asking {
  readonly base: string;
  readonly session: Session;
  readonly turn: Turn;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
  now(): number;
}

/**
 * What one event asks Preservica: every call with a token, in its turn, at the configured base. Paths are made of our own
 * words, of numbers and of references that are UUIDs; no address that stands in a document is followed.
 */
export class Questions {
  readonly #asking: Asking;
  readonly #limit = pLimit(askedAtOnce);

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** A document of the Entity API by its path below it and the name of its root; undefined on 404. Throws an UpstreamError. */
  async document(path: string, rootName: string): Promise<XmlElement | undefined> {
    const url = new URL(`${this.#asking.base}/api/entity/${path}`);
    const bytes = await this.#get(url, 'application/xml;charset=UTF-8', maxXmlBytes);
    if (bytes === undefined) return undefined;
    const xml = readXml(new TextDecoder().decode(bytes));
    switch (xml.kind) {
      case 'document':
        if (localName(xml.root.name) !== rootName) throw notAsExpected(rootName);
        return xml.root;
      case 'forbidden':
        throw new UpstreamError(
          'UPSTREAM_UNREADABLE',
          `Preservica sent a document with ${xml.why}, which is not read.`,
        );
      case 'malformed':
        throw new UpstreamError('UPSTREAM_CONNECTION', 'Preservica sent a document that is broken.');
      default:
        return xml satisfies never;
    }
  }

  /** A document that is part of what is there; throws where it is gone, for then the whole changed while we looked. */
  async part(path: string, rootName: string): Promise<XmlElement> {
    const found = await this.document(path, rootName);
    if (found !== undefined) return found;
    throw new UpstreamError('UPSTREAM_CONNECTION', 'A part of the asset was gone while it was looked up.');
  }

  /** A thumbnail by the Content API's id (section 3.7); undefined on 404. Throws an UpstreamError, also where it is too large. */
  async thumbnail(id: string, size: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const url = new URL(`${this.#asking.base}/api/content/thumbnail`);
    url.searchParams.set('id', id);
    url.searchParams.set('size', size);
    return await this.#get(url, 'image/png', maxBytes);
  }

  async #get(url: URL, accept: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const { status, bytes, retryAfterMs } = await this.#limit(
      async () => await this.#askWithToken(url, accept, maxBytes),
    );
    if (status === 200) return bytes;
    if (status === 404) return undefined;
    const redirected = status >= 300 && status < 400;
    const text = `Preservica answered ${status}${redirected ? ', a redirect, which is not followed' : ''}.`;
    throw new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
  }

  async #askWithToken(url: URL, accept: string, maxBytes: number): Promise<CallAnswer> {
    const { session, turn, signal } = this.#asking;
    // What still stood in the queue when the look-up ended takes nobody's place.
    signal.throwIfAborted();
    return await session.ask(turn, async (token) => await this.#ask(url, accept, maxBytes, token));
  }

  async #ask(url: URL, accept: string, maxBytes: number, token: string): Promise<CallAnswer> {
    const { turn, signal, timeLimitMs } = this.#asking;
    const now = (): number => this.#asking.now();
    const headers = { accept, 'preservica-access-token': token };
    return await turn.call(
      async () => await callSource('Preservica', url, { headers }, { maxBytes, timeLimitMs, signal, now }),
    );
  }
}

/** A document that says something else than its place promises: no retry makes it another. */
export function notAsExpected(what: string): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_UNREADABLE',
    `Preservica sent a document that is not as expected (${what}).`,
  );
}
