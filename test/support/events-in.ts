import type { AssetEvent } from '../../src/pipeline/model/event.ts';
import type { Reading } from '../../src/pipeline/ports/receiver.ts';

/** All events of a reading, made at once. */
export function eventsIn(reading: Reading): AssetEvent[] {
  if (reading.kind !== 'events') throw new Error(reading.why);
  return reading.events.slice(0, reading.events.length);
}
