import * as z from 'zod';
import { aligned } from '../../cli/columns.ts';
import { until } from './until.ts';

const Event = z.object({
  id: z.string(),
  type: z.string(),
  state: z.string(),
  title: z.string().nullable(),
  assetId: z.string().nullable(),
  reason: z.object({ code: z.string() }).nullable(),
  duplicates: z.number(),
});
const Events = z.object({ events: z.array(Event) });
export type ShownEvent = z.infer<typeof Event>;

export interface Expected {
  readonly source: string;
  /** The time of the app's first possible receipt. */
  readonly since: string;
  readonly deliveries: number;
  readonly signal?: AbortSignal;
}

/** Waits until events of a source were delivered so many times since then and none needs more work now. */
export async function settledEvents(
  appUrl: string,
  { source, since, deliveries, signal }: Expected,
): Promise<ShownEvent[]> {
  const query = new URLSearchParams({ source, from: since, limit: '200' });
  const ask = async () => {
    const answer = await fetch(`${appUrl}/events?${query.toString()}`);
    const { events } = Events.parse(await answer.json());
    const settled = events.every(({ state }) => state !== 'processing');
    const came = events.reduce((sum, { duplicates }) => sum + 1 + duplicates, 0);
    return settled && came >= deliveries ? events : undefined;
  };
  const events = await until(`the events of ${source}`, ask, signal === undefined ? {} : { signal });
  return events.toReversed();
}

/** A line an event: what became of it, and where that can be looked at. Aligned also where a letter takes two columns. */
export function eventLines(appUrl: string, source: string, events: readonly ShownEvent[]): string[] {
  const rows = events.map(({ id, type, state, reason, title, assetId, duplicates }) => {
    const outcome = [state, reason?.code, duplicates > 0 ? `came ${duplicates + 1} times` : undefined];
    const address =
      assetId === null || state === 'failed'
        ? `${appUrl}/events/${id}`
        : `${appUrl}/assets/${source}/${encodeURIComponent(assetId)}`;
    return [outcome.filter((each) => each !== undefined).join(', '), title ?? type, address];
  });
  return aligned(rows).map((line) => `  ${line}`);
}
