import { UpstreamError } from '../pipeline/ports/errors.ts';
import type { AgainResult, FoundThumbnail } from '../pipeline/ports/source-client.ts';

/** A part of an asset that could not be read, and why, for people. */
export interface MissingPart {
  readonly part: string;
  readonly why: string;
}

// A volume of hundreds of files may lack all of them; its record need not say so of each.
const mostListed = 20;

/** Collects what of an asset could not be read, so that one part that fails does not cost the others. */
export class MissingParts {
  readonly #missing: MissingPart[] = [];
  #again: AgainResult | undefined;

  /** What `read` gives; undefined where that part is missing. Throws what concerns every part, such as a refused login. */
  async read<T>(part: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.note(part, error);
      return undefined;
    }
  }

  /** Notes why a part is missing; throws the error where it concerns every part. */
  note(part: string, error: unknown): void {
    if (!(error instanceof UpstreamError) || error.code === 'UPSTREAM_LOGIN_REFUSED') throw error;
    this.#missing.push({ part, why: error.message });
    // What the source has just listed and does not find is often only not there yet.
    if (mayPass(error) || error.status === 404) this.#again = moreUrgent(this.#again, againOf(error));
  }

  get some(): boolean {
    return this.#missing.length > 0;
  }

  /** What is missing because the source could not give it now; undefined where no part may still come. */
  get unfinished(): AgainResult | undefined {
    return this.#again;
  }

  /** The member of a record's details that says what is missing; empty where nothing is. */
  get details(): { incomplete?: MissingPart[] } {
    if (!this.some) return {};
    // Sorted, because the calls end in any order and the same record should be the same bytes.
    const sorted = this.#missing.toSorted((a, b) => (a.part < b.part ? -1 : Number(a.part > b.part)));
    const more = sorted.length - mostListed;
    const rest = { part: `${more} more parts`, why: 'They could not be read either.' };
    return { incomplete: more > 0 ? [...sorted.slice(0, mostListed), rest] : sorted };
  }
}

/** True where the source may give later what it did not give now. */
export function mayPass({ code, status = 0 }: UpstreamError): boolean {
  // A redirect is the way of many a maintenance page and login.
  if (code === 'UPSTREAM_STATUS')
    return status >= 500 || (status >= 300 && status < 400) || [408, 425, 429].includes(status);
  return code === 'UPSTREAM_TIMEOUT' || code === 'UPSTREAM_CONNECTION';
}

function againOf({ status, message, retryAfterMs }: UpstreamError): AgainResult {
  const code = status === 429 ? 'rate-limited' : 'source-unavailable';
  return { kind: 'again', code, text: message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The one that asks for the longer pause. */
function moreUrgent(one: AgainResult | undefined, other: AgainResult): AgainResult {
  if (one === undefined) return other;
  const [oneMs, otherMs] = [one.retryAfterMs ?? 0, other.retryAfterMs ?? 0];
  if (oneMs !== otherMs) return oneMs > otherMs ? one : other;
  return other.code === 'rate-limited' ? other : one;
}

/** What a picture that could not be read means for its record: it may come later, it is refused, or there is none for us. */
export function thumbnailWithout(error: unknown, missing: MissingParts): FoundThumbnail {
  if (error instanceof UpstreamError && error.code === 'UPSTREAM_TOO_LARGE') return { kind: 'too-large' };
  missing.note('thumbnail', error);
  return { kind: error instanceof UpstreamError && mayPass(error) ? 'pending' : 'none' };
}
