import * as z from 'zod';
import { UpstreamError } from '../../../pipeline/ports/errors.ts';
import { readJson } from '../../../pipeline/model/read-json.ts';
import { readEach } from '../../read-each.ts';
import { callService, systemName, unexpected, unreadable, type Caller } from './service-call.ts';

const Page = z.looseObject({ next_start: z.int().optional() });

// The most that a page may hold.
const pageOf = 100;
// The original can list no more.
const most = 100_000;
const maxListBytes = 268_435_456;

/** How far a long list is read. */
export type Progress = (found: number) => void;

/** Every record of a list, page after page to its end. Throws an UpstreamError, also where the list does not end. */
export async function listPages<T>(
  caller: Caller,
  { path, name, shape }: { path: string; name: string; shape: z.ZodType<T> },
  progress: Progress = () => undefined,
): Promise<T[]> {
  const found: T[] = [];
  let bytesRead = 0;
  let start = 0;
  while (found.length < most && bytesRead < maxListBytes) {
    const answer = await callService(caller, `${path}?start=${start}&limit=${pageOf}`, {
      as: 'caller',
      answer: 'page',
    });
    if (answer.status === 204) return found;
    if (answer.status !== 200) throw unexpected(answer);
    const page = Page.safeParse(readJson(answer.bytes)).data;
    const records = readEach(page?.[name], shape, caller.onUnread);
    if (page === undefined || records === undefined) throw unreadable(`lists ${name}`);
    found.push(...records);
    bytesRead += answer.bytes.byteLength;
    progress(found.length);
    if (page.next_start === undefined) return found;
    // One that stands still or goes back would never end.
    if (page.next_start <= start) throw unreadable(`lists ${name}`);
    start = page.next_start;
  }
  throw new UpstreamError('UPSTREAM_TOO_LARGE', `${systemName} lists more ${name} than are taken.`);
}
