import type { HttpHandler, TimerHandler } from '@azure/functions';
import * as z from 'zod';
import { CatchUpProgress, newCatchUp } from '../pipeline/process/catch-up.ts';
import { startJob, type JobDeps } from '../pipeline/process/jobs.ts';
import type { SourceConfig } from '../pipeline/ports/source-config.ts';
import type { Bodies } from './bodies.ts';
import { time } from './events.ts';
import { readObject } from './json-body.ts';
import { logOf } from './log.ts';
import { pathSegments } from './path-segments.ts';
import { noSuchSource, staffEndpoint, type StaffAnswer } from './staff-endpoint.ts';

export interface CatchUpDeps extends Pick<JobDeps, 'jobs' | 'queue' | 'now' | 'newId'> {
  readonly config: { readonly sources: ReadonlyMap<string, SourceConfig> };
}

/** A timer that looks for missed calls at every source that has a list of changes. */
export function catchUpAll(deps: CatchUpDeps): TimerHandler {
  return async (_timer, context) => {
    const log = logOf(context);
    for (const source of deps.config.sources.values()) {
      if (source.catchUp?.isOn !== true) continue;
      try {
        await start(source, undefined, deps);
      } catch (error) {
        log('error', 'catch-up-not-started', { source: source.name, error: String(error) });
      }
    }
  };
}

const Wanted = z.strictObject({ since: time.optional() });

/** `POST /sources/{source}/catch-up`: looks for missed calls now, since the last time or since the time given. */
export function catchUpOne(deps: CatchUpDeps & { readonly bodies: Bodies }): HttpHandler {
  return staffEndpoint(async (request, log): Promise<StaffAnswer> => {
    const [, name = ''] = pathSegments(request);
    const source = deps.config.sources.get(name);
    if (source === undefined) return noSuchSource;
    const example = '{"since":"2026-01-05"}';
    const read = await readObject(request, Wanted, { bodies: deps.bodies, example });
    if (read.kind === 'refused') return read.answer;
    if (source.catchUp === undefined)
      return { status: 409, jsonBody: { error: `A source of kind ${source.kind} has no list of changes.` } };
    const { since } = read.value;
    if (since !== undefined && since > deps.now())
      return { status: 400, jsonBody: { error: '"since" must not be in the future.' } };
    const started = await start(source, since, deps);
    if (started === undefined) {
      const error = `${name} is being compared already; GET /sources shows how far that is.`;
      return { status: 409, jsonBody: { error } };
    }
    log('info', 'catch-up-started', { source: name, from: started.slice?.from, until: started.until });
    const { run, slice, until } = started;
    return { status: 202, jsonBody: { source: name, run, from: slice?.from ?? until, until } };
  });
}

async function start(
  { name, catchUp }: SourceConfig,
  since: number | undefined,
  deps: CatchUpDeps,
): Promise<(CatchUpProgress & { run: string }) | undefined> {
  const about = { now: deps.now(), since, first: catchUp?.from };
  const row = await startJob({ kind: 'catch-up', id: name }, (before) => newCatchUp(before, about), deps);
  return row && { ...CatchUpProgress.parse(row.progress), run: row.run };
}

/** How far a source is compared; null where it was never. */
export async function shownCatchUp(
  { name, catchUp }: SourceConfig,
  { jobs }: Pick<JobDeps, 'jobs'>,
): Promise<object | null> {
  const row = catchUp === undefined ? null : await jobs.read('catch-up', name);
  const progress = CatchUpProgress.safeParse(row?.progress).data;
  if (row === null || progress === undefined) return null;
  const { run, state, reason, startedAt, finishedAt } = row;
  const { coveredUntil, slice, until, seen, recovered, missed } = progress;
  const at = slice?.from ?? until;
  return { run, state, reason, startedAt, finishedAt, coveredUntil, at, until, seen, recovered, missed };
}
