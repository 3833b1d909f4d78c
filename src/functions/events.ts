import type { HttpHandler } from '@azure/functions';
import * as z from 'zod';
import { sourceName } from '../pipeline/ports/source-config.ts';
import type { ClaimedEvents } from '../pipeline/process/claimed-events.ts';
import { EventId } from '../pipeline/model/event.ts';
import { sanitizeText } from '../pipeline/model/sanitize-text.ts';
import { eventStates, type EventEntry, type EventQuery, type Ledger } from '../pipeline/model/ledger.ts';
import type { Receiver } from '../pipeline/ports/receiver.ts';
import type { DeliveryStore } from '../pipeline/ports/stores.ts';
import { listQuery, paging } from './list-query.ts';
import { runsOfEvent, type RunRouteDeps } from './runs.ts';
import { staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

/** A time in words, in milliseconds. */
export const time = z
  .union([z.iso.datetime({ offset: true, local: true }), z.iso.date()], {
    error: 'must be a date or a time, such as 2026-01-05 or 2026-01-05T09:00:00Z',
  })
  .transform((text) =>
    Date.parse(/T/.test(text) && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? `${text}Z` : text),
  );

/** What narrows a list of events, in words. */
export const EventFilter = z.object({
  source: z.string().optional(),
  state: z.enum(eventStates, { error: `must be one of: ${eventStates.join(', ')}` }).optional(),
  type: z.string().optional(),
  assetId: z.string().max(1024).optional(),
  from: time.optional(),
  to: time.optional(),
  q: z.string().max(200).optional(),
});

const Query = EventFilter.extend(paging);

export interface EventListDeps {
  readonly ledger: Ledger;
  readonly sources: ReadonlyMap<string, unknown>;
}

/** `GET /events`: the ledger, newest first. */
export function listEvents({ ledger, sources }: EventListDeps): HttpHandler {
  return staffEndpoint(async (request, log): Promise<StaffAnswer> => {
    const query = listQuery(request, Query);
    if ('error' in query) return { status: 400, jsonBody: query };
    const { source } = query.value;
    if (source !== undefined && !(await isKnownSource(source, { ledger, sources })))
      return { status: 400, jsonBody: { error: noSource(source, sources) } };
    const asked = Object.fromEntries(Object.entries(query.value).filter(([, value]) => value !== undefined));
    const page = await ledger.list({ ...asked, limit: query.value.limit } satisfies EventQuery);
    if (page.unread !== undefined) log('warn', 'rows-not-read', { rows: page.unread });
    return { status: 200, jsonBody: page };
  });
}

/** A source that is no longer in the settings can still be looked up. */
export async function isKnownSource(source: string, { ledger, sources }: EventListDeps): Promise<boolean> {
  if (sources.has(source)) return true;
  return sourceName.test(source) && (await ledger.list({ source, limit: 1 })).events.length > 0;
}

/** Says which sources there are. */
export function noSource(given: string, sources: ReadonlyMap<string, unknown>): string {
  return `There is no source "${sanitizeText(given, 100)}"; there are: ${[...sources.keys()].join(', ')}.`;
}

export interface EventDeps extends RunRouteDeps {
  readonly ledger: Ledger;
  readonly sources: ReadonlyMap<string, { receiver: Receiver }>;
  readonly deliveries: DeliveryStore;
  readonly claimedEvents: ClaimedEvents;
}

/** `GET /events/{id}`: one event, what the source said, and what was tried when. */
export function showEvent(deps: EventDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const { pathname, searchParams } = new URL(request.url);
    const id = pathname.replace(/\/$/, '').split('/').at(-1) ?? '';
    const source = searchParams.get('source') ?? undefined;
    const possible = EventId.safeParse(id).success && (source === undefined || sourceName.test(source));
    const entry = possible ? await deps.ledger.find(id, source) : undefined;
    if (entry === undefined)
      return await noSuch(id, 'There is no event with this id.', 'events', deps.ledger);
    const { summary, identifiers, history } = entry;
    const body = searchParams.get('body') === '1' ? { body: await keptBody(entry, deps) } : {};
    const data = await dataOf(entry, deps);
    const runs =
      summary.source === null ? [] : await runsOfEvent({ source: summary.source, eventId: summary.id }, deps);
    return { status: 200, jsonBody: { ...summary, identifiers, history, data, runs, ...body } };
  });
}

/** Beside that there is none: which ids begin like this one, of what has an id like it. */
export async function noSuch(
  id: string,
  error: string,
  of: Parameters<Ledger['idsBeginning']>[1],
  ledger: Pick<Ledger, 'idsBeginning'>,
): Promise<StaffAnswer> {
  const candidates = /^[A-Za-z0-9_-]{4,128}$/.test(id) ? await ledger.idsBeginning(id, of) : [];
  return { status: 404, jsonBody: { error, ...(candidates.length > 0 ? { candidates } : {}) } };
}

const maxBodyBytes = 4_194_304;

/** The bytes that came, where they were kept beside the event: as text of harmless characters, whatever they are. */
async function keptBody(
  { content }: EventEntry,
  { deliveries }: EventDeps,
): Promise<{ sizeBytes: number; truncated: boolean; base64: string } | null> {
  if ('event' in content) return null;
  const { blob } = 'unread' in content ? content.unread : content.claim;
  const body = await deliveries.get(blob);
  if (body === undefined) return null;
  const { bytes } = body;
  return {
    sizeBytes: bytes.byteLength,
    truncated: bytes.byteLength > maxBodyBytes,
    base64: Buffer.from(bytes.subarray(0, maxBodyBytes)).toString('base64'),
  };
}

/** The source's own members; null where they were never read, or are gone from storage. */
async function dataOf({ summary, content }: EventEntry, deps: EventDeps): Promise<object | null> {
  if ('event' in content) return content.event.data;
  const source = deps.sources.get(summary.source ?? '');
  if (!('claim' in content) || source === undefined || summary.source === null) return null;
  const head = { ...summary, source: summary.source };
  const events = await deps.claimedEvents(head, content.claim, source.receiver);
  const [event] = events.slice(0, 1);
  return event?.data ?? null;
}
