import type { Clock } from '../../pipeline/ports/clock.ts';
import pLimit from 'p-limit';
import { UpstreamError } from '../../pipeline/ports/errors.ts';
import type { Permit } from '../../pipeline/ports/permit.ts';
import { callSource, type CallAnswer } from '../http-call.ts';
import type { LargePlace } from '../large-answers.ts';
import { mayPass } from '../missing-parts.ts';
import type { Expected } from '../page-for-people.ts';
import { readInTurn } from '../read-in-turn.ts';
import type { Session } from '../session.ts';
import { localName, readXml, type Xml, type XmlElement } from './xml.ts';

/**
 * What each kind of document may hold at the most, elements and attributes counted together. An entity needs kilobytes;
 * only a representation is long by nature, with some 170 bytes and two elements for each content object.
 */
const documents = {
  EntityResponse: { maxBytes: 524_288, maxParts: 5_000 },
  IdentifiersResponse: { maxBytes: 524_288, maxParts: 10_000 },
  RepresentationsResponse: { maxBytes: 524_288, maxParts: 5_000 },
  RepresentationResponse: { maxBytes: 2_097_152, maxParts: 25_000 },
  GenerationsResponse: { maxBytes: 524_288, maxParts: 5_000 },
  GenerationResponse: { maxBytes: 524_288, maxParts: 5_000 },
  BitstreamResponse: { maxBytes: 262_144, maxParts: 2_000 },
  EntitiesResponse: { maxBytes: 2_097_152, maxParts: 10_000 },
};
type DocumentName = keyof typeof documents;

// Of one event, so that a volume leaves places to others where there are more.
const askedAtOnce = 8;
const failuresOfAnOutage = 5;

export interface Asking extends Clock {
  readonly base: string;
  readonly session: Session;
  /** A place for an answer that turns out to be large, of those that all share who ask this source. */
  largePlace(): LargePlace;
  readonly permit: Permit;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
}

/** Takes what is wanted from the root of a document; throws an UpstreamError where it is not as expected. */
type Read<T> = (root: XmlElement) => T;

interface Wanted<T> {
  readonly accept: string;
  readonly expects: Expected;
  readonly maxBytes: number;
  /** Throws an UpstreamError. */
  read(this: void, bytes: Uint8Array): T;
}

type Answer<T> = Omit<CallAnswer, 'bytes'> & { readonly found?: T };

/**
 * What one event asks Preservica: every call with a token, in its turn, at the configured base. Paths are made of our own
 * words, of numbers and of references that are UUIDs; no address that stands in a document is followed.
 */
export class EntityApi {
  readonly #asking: Asking;
  readonly #limit = pLimit(askedAtOnce);
  #failedInARow = 0;
  #outage: UpstreamError | undefined;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /**
   * What `read` takes from a document of the Entity API, by its path below it and the name of its root; undefined on 404.
   * The document itself is let go at once: it takes much more room than what is wanted of it. Throws an UpstreamError.
   */
  async document<T>(path: string, rootName: DocumentName, read: Read<T>): Promise<T | undefined> {
    const url = new URL(`${this.#asking.base}/api/entity/${path}`);
    const { maxBytes, maxParts } = documents[rootName];
    return await this.#get(url, {
      accept: 'application/xml;charset=UTF-8',
      expects: 'xml',
      maxBytes,
      // A copy, because a part of a text keeps the whole of it in memory.
      read: (bytes) => structuredClone(read(rootOf(readXml(decoder.decode(bytes), maxParts), rootName))),
    });
  }

  /** The same of a document that is part of what is there; throws an UpstreamError also where it is not there. */
  async part<T>(path: string, rootName: DocumentName, read: Read<T>): Promise<T> {
    const found = await this.document(path, rootName, read);
    if (found !== undefined) return found;
    throw new UpstreamError('UPSTREAM_STATUS', 'Preservica answered 404.', { status: 404 });
  }

  /** A thumbnail by the Content API's id; undefined on 404. Throws an UpstreamError, also where it is too large. */
  async thumbnail(id: string, size: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const url = new URL(`${this.#asking.base}/api/content/thumbnail`);
    url.searchParams.set('id', id);
    url.searchParams.set('size', size);
    return await this.#get(url, {
      accept: 'image/png',
      expects: 'picture',
      maxBytes,
      read: (bytes) => bytes,
    });
  }

  async #get<T>(url: URL, wanted: Wanted<T>): Promise<T | undefined> {
    return await this.#limit(async () => {
      if (this.#outage !== undefined) throw this.#outage;
      try {
        const found = await this.#getNow(url, wanted);
        this.#failedInARow = 0;
        return found;
      } catch (error) {
        if (error instanceof UpstreamError && mayPass(error)) this.#noteFailure(error);
        throw error;
      }
    });
  }

  // One part that fails costs itself; where nothing else comes, the source is down and need not be asked for the rest.
  #noteFailure(error: UpstreamError): void {
    this.#failedInARow += 1;
    if (error.status === 429 || this.#failedInARow >= failuresOfAnOutage) this.#outage = error;
  }

  async #getNow<T>(url: URL, wanted: Wanted<T>): Promise<T | undefined> {
    const { status, found, retryAfterMs } = await this.#askWithToken(url, wanted);
    if (status === 200) return found;
    if (status === 404) return undefined;
    const redirected = status >= 300 && status < 400;
    const text = `Preservica answered ${status}${redirected ? ', a redirect, which is not followed' : ''}.`;
    throw new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
  }

  async #askWithToken<T>(url: URL, wanted: Wanted<T>): Promise<Answer<T>> {
    const { session, permit, signal } = this.#asking;
    // What still stood in the queue when the look-up ended takes nobody's place.
    signal.throwIfAborted();
    return await session.ask(permit, async (token) => await this.#ask(url, wanted, token));
  }

  async #ask<T>(url: URL, { accept, expects, maxBytes, read }: Wanted<T>, token: string): Promise<Answer<T>> {
    const { permit, signal, timeLimitMs } = this.#asking;
    const now = (): number => this.#asking.now();
    const headers = { accept, 'preservica-access-token': token };
    const large = this.#asking.largePlace();
    const limits = { maxBytes, timeLimitMs, signal, now, large, expects };
    return await permit.call(async () => {
      try {
        const { bytes, ...answer } = await callSource('Preservica', url, { headers }, limits);
        if (answer.status !== 200) return answer;
        // In the place of the call: what waits to be read must not pile up behind the places.
        return { ...answer, found: await readInTurn(bytes.byteLength, () => read(bytes)) };
      } finally {
        large.leave();
      }
    });
  }
}

const decoder = new TextDecoder();

/** The root, where the document is what was asked for. */
function rootOf(xml: Xml, name: DocumentName): XmlElement {
  switch (xml.kind) {
    case 'document':
      if (localName(xml.root.name) !== name) throw notAsExpected(name);
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

/** A document that says something else than its place promises: no retry makes it another. */
export function notAsExpected(what: string): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_UNREADABLE',
    `Preservica sent a document that is not as expected (${what}).`,
  );
}
