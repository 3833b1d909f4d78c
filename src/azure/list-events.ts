import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { EventPage, EventQuery, EventSummary } from '../pipeline/model/ledger.ts';
import { listPrefix, partitionOf, placeOf, readSummary } from './ledger-rows.ts';
import { stored } from './storage-errors.ts';

// What `type` and `q` make one request read at most; it then answers with what it has, and with `next`.
const mostRowsRead = 2_000;

/** A page of events, newest first, merged from the ranges of all partitions that may hold some. */
export async function listEvents(
  home: TableClient,
  partitions: readonly (string | null)[],
  query: EventQuery,
): Promise<EventPage> {
  // A source that is no longer in the settings has its partition still.
  const sources = query.source === undefined ? partitions : [query.source];
  const ranges = sources.map((source) => new Range(home, source, query));

  const events: EventSummary[] = [];
  let unread = 0;
  const page = (next: string | null): EventPage => ({ events, next, ...(unread > 0 ? { unread } : {}) });
  let last: string | null = null;
  for (let read = 0; ; read += 1) {
    await Promise.all(ranges.map(async (range) => await range.fill()));
    const newest = ranges.filter((range) => range.head !== undefined).toSorted(byPlace)[0];
    if (newest?.head === undefined) return page(null);
    if (events.length === query.limit || read === mostRowsRead) return page(last);
    const { place, summary } = newest.head;
    if (summary === undefined) unread += 1;
    else if (matches(summary, query)) events.push(summary);
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

function summaryOf(source: string | null, row: unknown): EventSummary | undefined {
  try {
    return readSummary(source, row);
  } catch {
    return undefined;
  }
}

const mostKeys = 21;
const mostPages = 5;

/** Some keys of a partition that begin with a text of harmless characters, in their order. */
export async function keysBeginning(
  home: TableClient,
  source: string | null,
  beginning: string,
): Promise<string[]> {
  // Every harmless character comes before a tilde.
  const range = `RowKey ge '${quoted(beginning)}' and RowKey lt '${quoted(beginning)}~'`;
  const filter = `PartitionKey eq '${quoted(partitionOf(source))}' and ${range}`;
  const keys: string[] = [];
  const pages = home
    .listEntities({ queryOptions: { filter, select: ['RowKey'] } })
    .byPage({ maxPageSize: mostKeys });
  for (let page = 0; page < mostPages && keys.length < mostKeys; page += 1) {
    const next = await stored(
      'searching the ledger',
      async () => await pages.next(),
      async () => await home.createTable(),
    );
    if (next.done === true) break;
    keys.push(...next.value.map(({ rowKey = '' }) => rowKey));
  }
  return keys.slice(0, mostKeys);
}

/** A text inside the quotes of a filter. */
function quoted(text: string): string {
  return text.replaceAll("'", "''");
}

/** One partition's part of a list, read page by page as far as it is needed. */
class Range {
  readonly #source: string | null;
  readonly #prefix: string;
  readonly #home: TableClient;
  readonly #pages: AsyncIterator<TableEntityResult<Record<string, unknown>>[]>;
  #rows: TableEntityResult<Record<string, unknown>>[] = [];
  #ended = false;
  /** The newest event not yet taken, after `fill`; without a summary where this version cannot read it. */
  head: { summary: EventSummary | undefined; place: string } | undefined;

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
    const filter = `PartitionKey eq '${quoted(partitionOf(source))}' and RowKey ge '${first}' and RowKey lt '${end}'${after}`;
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
        this.head = { summary: summaryOf(this.#source, row), place };
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
