import * as z from 'zod';
import { carrying } from './event.ts';
import { EventState, HistoryEntry, Lease, Reason } from './ledger.ts';

/** Which piece of work: its kind, its id, and which run of it. */
export const JobName = carrying({
  kind: z.string().regex(/^[a-z-]{1,64}$/),
  id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
  /** Another one each time that it is started; a message of another run is of the past. */
  run: z.string().max(128),
});
export type JobName = z.infer<typeof JobName>;

/** A queue message, version 3: a piece of work that is no event. */
export const JobMessage = carrying({
  v: z.literal(3),
  job: JobName,
  /** How often it was put back by whoever worked on it; a message with a lower one than the row's is of the past. */
  turn: z.int().min(0),
  leaseOwners: z.array(z.string().max(128)).max(8).optional(),
  /** What its progress starts from, where the message itself brings the job: its row is made when it is first worked on. */
  begin: z.unknown().optional(),
});
export type JobMessage = z.infer<typeof JobMessage>;

/** A piece of work that takes many steps: how far it is, and who works on it. Times are ISO 8601 in UTC. */
export const JobRow = carrying({
  run: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  state: EventState,
  reason: Reason.nullable(),
  turn: z.int(),
  /** Steps in a row that failed. */
  failures: z.int(),
  /** How its steps ended, but for those that another followed at once; bounded. */
  history: z.array(HistoryEntry).default([]),
  lease: Lease.nullable(),
  /** When its message is expected at the latest. */
  dueAt: z.string(),
  /** What its kind keeps from step to step. */
  progress: z.unknown(),
});
export type JobRow = z.infer<typeof JobRow>;
