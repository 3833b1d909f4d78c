import * as z from 'zod';
import { until } from './until.ts';

const Event = z.object({
  id: z.string(),
  type: z.string(),
  state: z.string(),
  title: z.string().nullable(),
  assetId: z.string().nullable(),
  reason: z.object({ code: z.string() }).nullable(),
  finishedAt: z.string().nullable(),
});
const Events = z.object({ events: z.array(Event) });
export type ShownEvent = z.infer<typeof Event>;

/** Waits until so many events of a source came in since then and none needs more work now, and shows where each can be looked at. */
export async function showEvents(
  appUrl: string,
  { source, since, count }: { source: string; since: string; count: number },
): Promise<ShownEvent[]> {
  const query = new URLSearchParams({ source, from: since, limit: '200' });
  const events = await until(`the events of ${source}`, async () => {
    const answer = await fetch(`${appUrl}/events?${query.toString()}`);
    const { events: found } = Events.parse(await answer.json());
    const settled = found.filter(({ state }) => state !== 'processing');
    return settled.length >= count && settled.length === found.length ? found : undefined;
  });
  for (const { id, type, state, reason, title, assetId } of events.toReversed()) {
    const outcome = reason === null ? state : `${state}, ${reason.code}`;
    const address =
      assetId === null
        ? `${appUrl}/events/${id}`
        : `${appUrl}/assets/${source}/${encodeURIComponent(assetId)}`;
    console.log(`  ${outcome.padEnd(27)} ${(title ?? type).padEnd(36)} ${address}`);
  }
  return events;
}
