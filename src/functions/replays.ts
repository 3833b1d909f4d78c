import type { HttpHandler } from '@azure/functions';
import * as z from 'zod';
import { EventId } from '../pipeline/model/event.ts';
import { mostListed } from '../pipeline/model/list-limit.ts';
import type { Ledger } from '../pipeline/model/ledger.ts';
import { startJob, type JobDeps } from '../pipeline/process/jobs.ts';
import { replayEvent, type ReplayDeps } from '../pipeline/process/replay-event.ts';
import { newReplay, queryOf, ReplayProgress, type ReplayFilter } from '../pipeline/process/replay-many.ts';
import type { Bodies } from './bodies.ts';
import { EventFilter, isKnownSource, noSource, noSuch } from './events.ts';
import { readObject } from './json-body.ts';
import { pathSegments } from './path-segments.ts';
import { staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

export interface ReplayRouteDeps extends Omit<ReplayDeps, 'log'>, Pick<JobDeps, 'jobs'> {
  readonly bodies: Bodies;
  newId(): string;
}

/** `POST /events/{id}/replay`: does the work of one event again. */
export function replayOne(deps: ReplayRouteDeps): HttpHandler {
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

const text = (length: number) => z.string(`must be a text`).max(length, `must be at most ${length} long`);
const Filter = z.strictObject({
  ...EventFilter.shape,
  source: text(100).optional(),
  type: text(200).optional(),
});
const Wanted = z.strictObject({
  ...Filter.shape,
  filter: Filter.optional(),
  dryRun: z.boolean('must be true or false').default(false),
  confirm: z.int('must be a whole number').min(0, 'must be a whole number').optional(),
});
const example = '{"state":"failed","from":"2026-01-05","dryRun":true}';

// A count that would take longer than a request may is one of "so many or more".
const mostCounted = 20_000;
const countForMs = 30_000;

/** `POST /replays`: does the work of all events that a filter finds again, or counts them. */
export function replayMany(deps: ReplayRouteDeps): HttpHandler {
  return staffEndpoint(async (request, log): Promise<StaffAnswer> => {
    const read = await readObject(request, Wanted, { bodies: deps.bodies, example });
    if (read.kind === 'refused') return read.answer;
    const { dryRun, confirm, filter: inner, ...outer } = read.value;
    const given = { ...outer, ...inner };
    if (given.source !== undefined && !(await isKnownSource(given.source, deps)))
      return { status: 400, jsonBody: { error: noSource(given.source, deps.sources) } };
    const progress = newReplay(given, deps.now());
    const { filter } = progress;
    const to = new Date(filter.to ?? deps.now()).toISOString();
    const needsConfirm = Object.entries(given).every(([name, value]) => value === undefined || name === 'to');
    if (dryRun || needsConfirm || confirm !== undefined) {
      const counted = await count(filter, deps);
      if (dryRun) return { status: 200, jsonBody: { ...counted, to } };
      if (confirm !== counted.matches) {
        const which = counted.complete ? `${counted.matches}` : `${counted.matches} or more`;
        const all = needsConfirm ? 'This filter leaves nothing out. ' : '';
        const error = `${all}It finds ${which} events up to ${to}. To work on them again, send "confirm": ${counted.matches} and "to": "${to}" with it.`;
        return { status: 409, jsonBody: { error, ...counted, to } };
      }
    }
    const replayId = deps.newId();
    await startJob({ kind: 'replay', id: replayId }, () => progress, deps);
    log('info', 'replay-started', { replay: replayId, to, all: needsConfirm });
    return { status: 202, jsonBody: { replayId, to } };
  });
}

async function count(
  filter: ReplayFilter,
  { ledger }: Pick<ReplayRouteDeps, 'ledger'>,
): Promise<{ matches: number; complete: boolean }> {
  const startedAt = performance.now();
  let matches = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Ledger['list']>> = await ledger.list(
      queryOf(filter, { limit: mostListed, after }),
    );
    matches += page.events.length;
    after = page.next;
  } while (after !== null && matches < mostCounted && performance.now() - startedAt < countForMs);
  return { matches, complete: after === null };
}

/** `GET /replays/{id}`: how far a replay of many is. */
export function showReplay(deps: Pick<JobDeps, 'jobs'>): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const [, id = ''] = pathSegments(request);
    const row = EventId.safeParse(id).success ? await deps.jobs.read('replay', id) : null;
    if (row === null)
      return { status: 404, jsonBody: { error: 'There is no replay of many events with this id.' } };
    const { state, reason, startedAt, finishedAt } = row;
    const progress = ReplayProgress.safeParse(row.progress).data;
    const { filter, matched, queued, refused, refusals } = progress ?? newReplay({}, 0);
    const shown = {
      ...filter,
      ...(filter.from === undefined ? {} : { from: iso(filter.from) }),
      to: iso(filter.to ?? 0),
    };
    return {
      status: 200,
      jsonBody: {
        replayId: id,
        state,
        reason,
        startedAt,
        finishedAt,
        filter: shown,
        matched,
        queued,
        refused,
        refusals,
      },
    };
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
