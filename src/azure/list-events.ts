import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { EventPage, EventQuery, EventSummary } from '../pipeline/model/ledger.ts';
import { listPrefix, partitionOf, partitionsOf, placeOf, readSummary } from './ledger-rows.ts';
import { stored } from './storage-errors.ts';

// What `type` and `q` make one request read at most; it then answers with what it has, and with `next`.
const mostRowsRead = 2_000;

/** A page of events, newest first, merged from the ranges of all partitions that may hold some. */
export async function listEvents(
  home: TableClient,
  searched: readonly (string | null)[],
  query: EventQuery,
): Promise<EventPage> {
  // A source that is no longer in the settings has its partition still.
  const sources = query.source === undefined ? searched : [query.source];
  const { assetId } = query;
  const places = sources.flatMap((source) =>
    (assetId === undefined ? partitionsOf(source) : [partitionOf(source, assetId)]).map((partition) => ({
      source,
      partition,
    })),
  );
  const wanted = query.type === undefined && query.q === undefined ? query.limit + 1 : 500;
  // Each gives its share, and a row over: most are asked once.
  const pageSize = Math.min(wanted, Math.ceil((2 * wanted) / places.length) + 1);
  const ranges = places.map((place) => new Range(home, place, { ...query, pageSize }));

  const events: EventSummary[] = [];
  let unread = 0;
  const page = (next: string | null): EventPage => ({ events, next, ...(unread > 0 ? { unread } : {}) });
  let last: string | null = null;
  for (let read = 0; ; read += 1) {
    await Promise.all(ranges.map(async (range) => await range.fill()));
    const newest = ranges.filter((range) => range.head !== undefined).toSorted(byPlace)[0];
    if (newest?.head === undefined) return page(null);
    if (events.length === query.limit || read === mostRowsRead) return page(last);
    const { place, listed } = newest.head;
    if (listed === undefined) unread += 1;
    else if (matches(listed, query)) events.push(listed.summary);
    last = place;
    newest.take();
  }
}

function byPlace(a: Range, b: Range): number {
  return (a.head?.place ?? '') < (b.head?.place ?? '') ? -1 : 1;
}

type Listed = ReturnType<typeof readSummary>;

function matches({ summary: event, identifiers }: Listed, { state, type, q }: EventQuery): boolean {
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
    ...identifiers.map(({ value }) => value),
  ];
  const wanted = q.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(wanted) === true);
}

function listedOf(source: string | null, row: unknown): Listed | undefined {
  try {
    return readSummary(source, row);
  } catch {
    return undefined;
  }
}

export const mostKeys = 21;
const mostPages = 5;

/** Some keys of a partition that begin with a text of harmless characters, in their order. */
export async function keysBeginning(
  home: TableClient,
  partition: string,
  beginning: string,
): Promise<string[]> {
  // Every harmless character comes before a tilde.
  const range = `RowKey ge '${quoted(beginning)}' and RowKey lt '${quoted(beginning)}~'`;
  const filter = `PartitionKey eq '${quoted(partition)}' and ${range}`;
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
  /** The newest event not yet taken, after `fill`; its place alone where this version cannot read it. */
  head: { listed: Listed | undefined; place: string } | undefined;

  constructor(
    home: TableClient,
    { source, partition }: { source: string | null; partition: string },
    query: EventQuery & { pageSize: number },
  ) {
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
    const filter = `PartitionKey eq '${quoted(partition)}' and RowKey ge '${first}' and RowKey lt '${end}'${after}`;
    this.#pages = home.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: query.pageSize });
  }

  async fill(): Promise<void> {
    while (this.head === undefined) {
      const row = this.#rows.shift();
      if (row !== undefined) {
        const place = (row.rowKey ?? '').slice(this.#prefix.length);
        this.head = { listed: listedOf(this.#source, row), place };
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
