import { canonicalAmong, type CanonicalEvent } from '../../src/pipeline/model/deduplication.ts';
import type {
  AssetState,
  EventEntry,
  Ledger,
  RowKeys,
  Rows,
  Stored,
} from '../../src/pipeline/model/ledger.ts';
import type { JobRow } from '../../src/pipeline/model/job.ts';
import type { JobStore } from '../../src/pipeline/ports/job-store.ts';
import { openSource, type SourceState } from '../../src/pipeline/model/source-state.ts';
import type { SourceStates } from '../../src/pipeline/ports/source-states.ts';
import type {
  AssetBlob,
  AssetContent,
  AssetStore,
  DeliveryStore,
  WorkQueue,
} from '../../src/pipeline/ports/stores.ts';

/** Thrown in place of the rest of a process's life: nothing after it happened. */
export class Killed extends Error {}

/** Storage in memory, with the conditions of the real one; it can be told to end everything after the nth write. */
export function memoryStores() {
  const messages: { text: string; delayMs: number }[] = [];
  const deliveries = new Map<string, Uint8Array>();
  const eventNames = new Map<string, string | undefined>();
  const blobs = new Map<string, AssetContent & { etag: string }>();
  const events = new Map<string, Stored<EventEntry>>();
  const assets = new Map<string, Stored<AssetState>>();
  const firsts = new Map<string, readonly CanonicalEvent[]>();
  const writes: string[] = [];
  let killAfter = Infinity;
  let serial = 0;
  const etag = (): string => `"${(serial += 1)}"`;
  const wrote = (what: string): void => {
    writes.push(what);
    if (writes.length >= killAfter) throw new Killed(`after ${what}`);
  };

  const queue: WorkQueue = {
    send: async (text, { delayMs = 0 } = {}) => {
      messages.push({ text, delayMs });
      wrote('message');
    },
  };
  const deliveryStore: DeliveryStore = {
    put: async (name, body) => {
      deliveries.set(name, body.bytes);
      eventNames.set(name, body.eventName);
      wrote('delivery');
    },
    get: async (name) => {
      const bytes = deliveries.get(name);
      return bytes && { bytes, eventName: eventNames.get(name) };
    },
  };
  const pathOf = (blob: AssetBlob): string => `${blob.source}/${blob.assetId}/${blob.name}`;
  const assetStore: AssetStore = {
    write: async (blob, { after, ...content }) => {
      if (after !== undefined && (blobs.get(pathOf(blob))?.etag ?? null) !== after) return undefined;
      const written = { ...content, etag: etag() };
      blobs.set(pathOf(blob), written);
      wrote(blob.name === 'record.json' ? blob.name : 'thumbnail');
      return written.etag;
    },
    read: async (blob) => blobs.get(pathOf(blob)),
    unnamedPictures: () => {
      throw new Error('this storage lists nothing');
    },
    remove: async (blob, known) => {
      if (blobs.get(pathOf(blob))?.etag === known) blobs.delete(pathOf(blob));
      wrote('remove');
    },
  };
  const states = new Map<string, Stored<SourceState>>();
  const sourceStates: SourceStates = {
    read: async (source) => states.get(source),
    change: async (source, change) => {
      const there = states.get(source);
      const value = change(there?.value ?? openSource);
      if (there !== undefined && value === there.value) return there;
      const written = { value, etag: etag() };
      states.set(source, written);
      return written;
    },
  };
  const jobRows = new Map<string, Stored<JobRow>>();
  const jobs: JobStore = {
    read: async (kind, id) => jobRows.get(`${kind}:${id}`)?.value ?? null,
    change: async (kind, id, change) => {
      const there = jobRows.get(`${kind}:${id}`);
      const value = change(there?.value ?? null);
      if (value === null || value === there?.value) return there ?? { value: null, etag: '' };
      const written = { value, etag: etag() };
      jobRows.set(`${kind}:${id}`, written);
      wrote('job');
      return written;
    },
  };
  const assetOf = ({ source, assetId }: RowKeys): string => `${source}/${assetId}`;
  const rowsOf = (keys: RowKeys): Rows => ({
    event: events.get(keys.eventId),
    asset: keys.assetId === undefined ? undefined : assets.get(assetOf(keys)),
  });
  const same = (a: Rows, b: Rows): boolean =>
    a.event?.etag === b.event?.etag && a.asset?.etag === b.asset?.etag;
  const ledger: Ledger = {
    change: async (keys, known, decide) => {
      for (let rows = known ?? rowsOf(keys); ; rows = rowsOf(keys)) {
        const { change, answer } = decide(rows);
        if (change.event === undefined && change.asset === undefined) return { answer, rows };
        const now = rowsOf(keys);
        const asRead = change.asset === undefined ? { ...rows, asset: now.asset } : rows;
        if (!same(asRead, now)) continue;
        if (change.event !== undefined) events.set(keys.eventId, { value: change.event, etag: etag() });
        if (change.asset !== undefined) assets.set(assetOf(keys), { value: change.asset, etag: etag() });
        wrote('ledger');
        return { answer, rows: rowsOf(keys) };
      }
    },
    read: async (keys) => rowsOf(keys),
    assetState: async (source, assetId) => assets.get(`${source}/${assetId}`),
    canonicalEventId: async (source, digest, candidate, withinMs) => {
      const { first, all } = canonicalAmong(firsts.get(`${source}/${digest}`) ?? [], candidate, withinMs);
      firsts.set(`${source}/${digest}`, all);
      return first.id;
    },
    list: async () => ({ events: [...events.values()].map(({ value }) => value.summary), next: null }),
    find: async (id) => events.get(id)?.value,
    idsBeginning: async (beginning, of) => {
      const ids =
        of === 'events'
          ? [...events.keys()]
          : [...assets.keys()]
              .filter((path) => path.startsWith(`${of.assetsOf}/`))
              .map((path) => path.slice(of.assetsOf.length + 1));
      return ids.filter((id) => id.startsWith(beginning));
    },
  };

  return {
    queue,
    deliveryStore,
    assetStore,
    ledger,
    jobs,
    jobRows,
    sourceStates,
    messages,
    deliveries,
    eventNames,
    blobs,
    events,
    writes,
    /** The ledger keeps nothing of any asset. */
    forgetAssets(): void {
      assets.clear();
    },
    /** The next `count` writes happen, and then nothing more. */
    killAfter(count: number): void {
      killAfter = writes.length + count;
    },
    revive(): void {
      killAfter = Infinity;
    },
  };
}
