import type { HttpHandler } from '@azure/functions';
import * as z from 'zod';
import { claimedEvents } from '../pipeline/claimed-events.ts';
import { eventStates, type EventEntry, type EventQuery, type Ledger } from '../pipeline/ledger.ts';
import type { Receiver } from '../pipeline/receiver.ts';
import type { DeliveryStore } from '../pipeline/stores.ts';
import { staffDoor, type StaffAnswer } from './staff-door.ts';

const time = z.iso
  .datetime({ offset: true, local: true })
  .or(z.iso.date())
  .transform((text) =>
    Date.parse(/T/.test(text) && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? `${text}Z` : text),
  );

const Query = z.object({
  source: z.string().optional(),
  state: z.enum(eventStates, { error: `must be one of: ${eventStates.join(', ')}` }).optional(),
  type: z.string().optional(),
  assetId: z.string().max(1024).optional(),
  from: time.optional(),
  to: time.optional(),
  q: z.string().max(200).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be a number from 1 to 200')
    .transform((text) => Math.min(Number(text), 200))
    .default(50),
  after: z
    .string()
    .regex(/^\d{13}:[A-Za-z0-9_-]{0,128}$/, 'must be what an earlier answer gave as next')
    .optional(),
});

/** `GET /events`: the ledger, newest first. */
export function listEvents(ledger: Ledger): HttpHandler {
  return staffDoor(async (request): Promise<StaffAnswer> => {
    const given = Object.fromEntries(
      [...new URL(request.url).searchParams].filter(([, value]) => value !== ''),
    );
    const query = Query.safeParse(given);
    if (!query.success) {
      const faults = query.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      return { status: 400, jsonBody: { error: faults.join('; ') } };
    }
    const asked = Object.fromEntries(Object.entries(query.data).filter(([, value]) => value !== undefined));
    return {
      status: 200,
      jsonBody: await ledger.list({ ...asked, limit: query.data.limit } satisfies EventQuery),
    };
  });
}

export interface EventDeps {
  readonly ledger: Ledger;
  readonly sources: ReadonlyMap<string, { receiver: Receiver }>;
  readonly deliveries: DeliveryStore;
}

/** `GET /events/{id}`: one event, what the source said, and what was tried when. */
export function showEvent(deps: EventDeps): HttpHandler {
  return staffDoor(async (request): Promise<StaffAnswer> => {
    const id = new URL(request.url).pathname.replace(/\/$/, '').split('/').at(-1) ?? '';
    const entry = /^[A-Za-z0-9_-]{1,128}$/.test(id) ? await deps.ledger.find(id) : undefined;
    if (entry === undefined) return { status: 404, jsonBody: { error: 'There is no event with this id.' } };
    const { summary, history } = entry;
    return { status: 200, jsonBody: { ...summary, history, data: await dataOf(entry, deps) } };
  });
}

/** The source's own members; null where they were never read, or are gone from storage. */
async function dataOf({ summary, content }: EventEntry, deps: EventDeps): Promise<object | null> {
  if ('event' in content) return content.event.data;
  const source = deps.sources.get(summary.source ?? '');
  if (!('claim' in content) || source === undefined || summary.source === null) return null;
  const head = { ...summary, source: summary.source };
  const [event] = await claimedEvents(head, content.claim, source.receiver, deps.deliveries);
  return event?.data ?? null;
}
