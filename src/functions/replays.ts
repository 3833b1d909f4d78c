import type { HttpHandler } from '@azure/functions';
import { EventId } from '../pipeline/model/event.ts';
import { replayEvent, type ReplayDeps } from '../pipeline/process/replay-event.ts';
import { noSuch } from './events.ts';
import { pathSegments } from './path-segments.ts';
import { staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

/** `POST /events/{id}/replay`: does the work of one event again. */
export function replayOne(deps: Omit<ReplayDeps, 'log'> & { newId(): string }): HttpHandler {
  return staffEndpoint(async (request, log): Promise<StaffAnswer> => {
    const [, id = ''] = pathSegments(request);
    const entry = EventId.safeParse(id).success ? await deps.ledger.find(id) : undefined;
    if (entry === undefined)
      return await noSuch(id, 'There is no event with this id.', 'events', deps.ledger);
    const replayId = deps.newId();
    const replayed = await replayEvent(entry, replayId, { ...deps, log });
    return replayed.kind === 'queued'
      ? { status: 202, jsonBody: { id, replayId } }
      : { status: 409, jsonBody: { error: replayed.why } };
  });
}
