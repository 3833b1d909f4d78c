import type { HttpHandler } from '@azure/functions';
import * as z from 'zod';
import { eventStates } from '../pipeline/model/ledger.ts';
import { sanitizeText } from '../pipeline/model/sanitize-text.ts';
import type { ListedRun, RunStore } from '../pipeline/ports/run-store.ts';
import { sourceName } from '../pipeline/ports/source-config.ts';
import type { WorkQueue } from '../pipeline/ports/stores.ts';
import { isFinal } from '../pipeline/process/event-transitions.ts';
import { startJob } from '../pipeline/process/jobs.ts';
import { actionOfRun, RunProgress, runsBeginning } from '../pipeline/process/runs.ts';
import { listQuery, paging } from './list-query.ts';
import { pathSegments } from './path-segments.ts';
import { staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

const Query = z.object({
  action: z.string().regex(sourceName, 'must be the name of an action').optional(),
  state: z.enum(eventStates, { error: `must be one of: ${eventStates.join(', ')}` }).optional(),
  ...paging,
});

export interface RunRouteDeps {
  readonly runs: RunStore;
  /** That `ACTIONS` names. */
  readonly actionNames: readonly string[];
}

/** `GET /runs`: what the actions did, newest first. Of an action that `ACTIONS` names no more, where it is asked for by name. */
export function listRuns({ runs, actionNames }: RunRouteDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const query = listQuery(request, Query);
    if ('error' in query) return { status: 400, jsonBody: query };
    const { action, ...others } = query.value;
    const page = await runs.list({ ...others, actions: action === undefined ? actionNames : [action] });
    return { status: 200, jsonBody: { runs: page.runs.map(shown), next: page.next } };
  });
}

/** `GET /runs/{id}`: one run, and what was tried when. */
export function showRun(deps: RunRouteDeps): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const id = pathSegments(request)[1] ?? '';
    const run = await runOf(id, deps.runs);
    if (run === undefined) return await noSuchRun(id, deps);
    return { status: 200, jsonBody: { ...shown(run), history: run.row.history } };
  });
}

/** `POST /runs/{id}/replay`: lets the action work on the asset once more, as it is now. */
export function replayRun(
  deps: RunRouteDeps & { readonly queue: WorkQueue; now(): number; newId(): string },
): HttpHandler {
  return staffEndpoint(async (request): Promise<StaffAnswer> => {
    const id = pathSegments(request)[1] ?? '';
    const run = await runOf(id, deps.runs);
    if (run === undefined) return await noSuchRun(id, deps);
    const { row } = run;
    const started = await startJob(
      { kind: 'run', id, history: row.history },
      (before) => ({ ...RunProgress.parse(before), result: null }),
      { ...deps, jobs: deps.runs },
    );
    return started === undefined
      ? { status: 409, jsonBody: { error: `This run has not ended: it is ${row.state}.` } }
      : { status: 202, jsonBody: { id } };
  });
}

/** The runs of an event, of every action that `ACTIONS` names. */
export async function runsOfEvent(
  event: { source: string; eventId: string },
  { runs, actionNames }: RunRouteDeps,
): Promise<object[]> {
  const found = await Promise.all(
    actionNames.map(async (action) => await runs.beginning(action, runsBeginning(action, event))),
  );
  return found.flat().map(shown);
}

/** Beside that there is none: which ids begin like this one. */
async function noSuchRun(id: string, { runs, actionNames }: RunRouteDeps): Promise<StaffAnswer> {
  const possible = /^[a-z0-9-]{4,128}$/.test(id)
    ? actionNames.filter((name) => id.startsWith(`${name}-`))
    : [];
  const found = await Promise.all(possible.map(async (name) => await runs.beginning(name, id)));
  const candidates = found.flat().map((run) => run.id);
  const error = 'There is no run with this id.';
  return { status: 404, jsonBody: { error, ...(candidates.length > 0 ? { candidates } : {}) } };
}

async function runOf(id: string, runs: RunStore): Promise<ListedRun | undefined> {
  if (!/^[a-z0-9-]{1,128}$/.test(id) || !sourceName.test(actionOfRun(id))) return undefined;
  const row = await runs.read('run', id);
  return row === null ? undefined : { id, row };
}

/** A run as people see it. */
function shown({ id, row }: ListedRun): object {
  const { state, reason, startedAt, finishedAt, turn } = row;
  const progress = RunProgress.safeParse(row.progress).data;
  const { action, source, assetId, eventId, type, title, result } = progress ?? {};
  return {
    id,
    action: action ?? sanitizeText(actionOfRun(id), 100),
    source,
    assetId,
    eventId,
    type,
    title,
    state,
    reason,
    result,
    attempts: turn + (isFinal(state) ? 1 : 0),
    startedAt,
    finishedAt,
  };
}
