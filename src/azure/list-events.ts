import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { EventQuery, EventSummary } from '../pipeline/ledger.ts';
import { listPrefix, partitionOf, placeOf, readSummary } from './ledger-rows.ts';
import { stored } from './storage-errors.ts';

// What `type` and `q` make one request read at most; it then answers with what it has, and with `next`.
const mostRowsRead = 2_000;

/** A page of events, newest first, merged from the ranges of all partitions that may hold some. */
export async function listEvents(
  home: TableClient,
  partitions: readonly (string | null)[],
  query: EventQuery,
): Promise<{ events: EventSummary[]; next: string | null }> {
  const ranges = partitions
    .filter((source) => query.source === undefined || source === query.source)
    .map((source) => new Range(home, source, query));

  const events: EventSummary[] = [];
  let last: string | null = null;
  for (let read = 0; ; read += 1) {
    await Promise.all(ranges.map(async (range) => await range.fill()));
    const newest = ranges.filter((range) => range.head !== undefined).toSorted(byPlace)[0];
    if (newest?.head === undefined) return { events, next: null };
    if (events.length === query.limit || read === mostRowsRead) return { events, next: last };
    const { place, summary } = newest.head;
    if (matches(summary, query)) events.push(summary);
    last = place;
    newest.take();
  }
}

function byPlace(a: Range, b: Range): number {
  return (a.head?.place ?? '') < (b.head?.place ?? '') ? -1 : 1;
}

function matches(event: EventSummary, { state, type, q }: EventQuery): boolean {
  if (state !== undefined && event.state !== state) return false;
  if (type !== undefined && event.type !== type) return false;
  if (q === undefined) return true;
  const texts = [
    event.title,
    event.id,
    event.assetId,
    event.deliveryId,
    event.type,
    event.reason?.code,
    event.reason?.text,
  ];
  const wanted = q.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(wanted) === true);
}

/** One partition's part of a list, read page by page as far as it is needed. */
class Range {
  readonly #source: string | null;
  readonly #prefix: string;
  readonly #home: TableClient;
  readonly #pages: AsyncIterator<TableEntityResult<Record<string, unknown>>[]>;
  #rows: TableEntityResult<Record<string, unknown>>[] = [];
  #ended = false;
  /** The newest event not yet taken, after `fill`. */
  head: { summary: EventSummary; place: string } | undefined;

  constructor(home: TableClient, source: string | null, query: EventQuery) {
    this.#source = source;
    this.#home = home;
    this.#prefix =
      query.assetId !== undefined
        ? listPrefix.asset(query.assetId)
        : query.state !== undefined
          ? listPrefix.state(query.state)
          : listPrefix.time;
    const first = this.#prefix + (query.to === undefined ? '' : placeOf(query.to));
    // A place is digits first: a colon comes after every one of them, and "from" itself is still inside.
    const end = this.#prefix + (query.from === undefined ? ':' : placeOf(query.from - 1));
    const after = query.after === undefined ? '' : ` and RowKey gt '${this.#prefix + query.after}'`;
    const filter = `PartitionKey eq '${partitionOf(source)}' and RowKey ge '${first}' and RowKey lt '${end}'${after}`;
    const filtering = query.type !== undefined || query.q !== undefined;
    this.#pages = home
      .listEntities({ queryOptions: { filter } })
      .byPage({ maxPageSize: filtering ? 500 : query.limit + 1 });
  }

  async fill(): Promise<void> {
    while (this.head === undefined) {
      const row = this.#rows.shift();
      if (row !== undefined) {
        const place = (row.rowKey ?? '').slice(this.#prefix.length);
        this.head = { summary: readSummary(this.#source, row), place };
      } else if (this.#ended) {
        return;
      } else {
        const page = await stored(
          'listing the ledger',
          async () => await this.#pages.next(),
          async () => await this.#home.createTable(),
        );
        if (page.done === true) this.#ended = true;
        else this.#rows = [...page.value];
      }
    }
  }

  take(): void {
    this.head = undefined;
  }
}
