import { UpstreamError } from '../../errors.ts';
import type { Turn } from '../../pipeline/call-gate.ts';
import { callPreservica, type CallAnswer } from './http-call.ts';
import type { Session } from './session.ts';
import { readXml, type XmlElement } from './xml.ts';

const maxXmlBytes = 8_388_608;

/** What one event asks Preservica: every call with a token, in its turn, at the configured base. */
export class Questions {
  readonly #base: string;
  readonly #session: Session;
  readonly #turn: Turn;
  readonly #signal: AbortSignal;
  readonly #now: () => number;

  constructor(about: { base: string; session: Session; turn: Turn; signal: AbortSignal; now: () => number }) {
    this.#base = about.base;
    this.#session = about.session;
    this.#turn = about.turn;
    this.#signal = about.signal;
    this.#now = about.now;
  }

  /** A document of the Entity API by its path below it; undefined on 404. Throws an UpstreamError. */
  async document(path: string): Promise<XmlElement | undefined> {
    const url = new URL(`${this.#base}/api/entity/${path}`);
    const bytes = await this.#get(url, 'application/xml;charset=UTF-8', maxXmlBytes);
    if (bytes === undefined) return undefined;
    const xml = readXml(new TextDecoder().decode(bytes));
    switch (xml.kind) {
      case 'document':
        return xml.root;
      case 'forbidden':
        throw new UpstreamError(
          'UPSTREAM_UNREADABLE',
          'Preservica sent a document with a document type or entities, which is not read.',
        );
      case 'malformed':
        throw new UpstreamError('UPSTREAM_CONNECTION', 'Preservica sent a document that is broken.');
      default:
        return xml satisfies never;
    }
  }

  /** A document that is part of what is there; throws where it is gone, for then the whole changed while we looked. */
  async part(path: string): Promise<XmlElement> {
    const found = await this.document(path);
    if (found !== undefined) return found;
    throw new UpstreamError('UPSTREAM_CONNECTION', 'A part of the asset was gone while it was looked up.');
  }

  /** A thumbnail by the Content API's id (section 3.7); undefined on 404. Throws an UpstreamError, also where it is too large. */
  async thumbnail(id: string, size: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const url = new URL(`${this.#base}/api/content/thumbnail`);
    url.searchParams.set('id', id);
    url.searchParams.set('size', size);
    return await this.#get(url, 'image/png', maxBytes);
  }

  async #get(url: URL, accept: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const first = await this.#session.token(this.#turn);
    let answer = await this.#ask(url, accept, maxBytes, first);
    if (answer.status === 401) {
      this.#session.drop(first);
      answer = await this.#ask(url, accept, maxBytes, await this.#session.token(this.#turn));
      if (answer.status === 401) throw this.#session.refuse();
    }
    const { status, bytes, retryAfterMs } = answer;
    if (status === 200) return bytes;
    if (status === 404) return undefined;
    const redirected = status >= 300 && status < 400;
    const text = `Preservica answered ${status}${redirected ? ', a redirect, which is not followed' : ''}.`;
    throw new UpstreamError('UPSTREAM_STATUS', text, { status, retryAfterMs });
  }

  async #ask(url: URL, accept: string, maxBytes: number, token: string): Promise<CallAnswer> {
    const headers = { accept, 'preservica-access-token': token };
    const limits = { maxBytes, signal: this.#signal, now: this.#now };
    return await this.#turn.call(async () => await callPreservica(url, { headers }, limits));
  }
}
