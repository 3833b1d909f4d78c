import * as z from 'zod';
import { EventState } from '../../pipeline/model/ledger.ts';
import { isFinal } from '../../pipeline/process/event-transitions.ts';
import type { StorageAnswer, StorageRequest } from '../storage-proxy.ts';
import { changeIn } from './source.ts';

/** What a write did, as far as anybody here wants to know. */
export interface SeenWrite {
  readonly kind:
    | 'event-claimed'
    | 'event-waiting'
    | 'event-ended'
    | 'message-sent'
    | 'message-deleted'
    | 'record-written'
    | 'picture-written'
    | 'other';
}

const Lease = z.object({ owner: z.string(), until: z.string() });
const text = z.string().default('');
const EventRow = z.object({
  RowKey: z.string().startsWith('e:'),
  state: EventState,
  lease: text.transform((json) => (json === '' ? null : Lease.parse(JSON.parse(json)))),
  finishedAt: text,
});
type EventRow = z.infer<typeof EventRow>;

const Record = z.object({ title: z.string().nullable(), deleted: z.boolean() });

/**
 * Stands where all that the app writes passes, and knows of nothing but what was written. It sees whether two worked at one
 * event at the same time, whether one that had ended was worked on again, and whether a record went back.
 */
export class Witness {
  /** What must not be, each with the event or the asset. */
  readonly broken: string[] = [];
  /** Times that an event was written as ended. */
  ends = 0;
  /** Times that an event was taken for work. */
  claims = 0;
  /** Leases that others took over after their time. */
  overdue = 0;
  readonly #rows = new Map<string, EventRow>();
  readonly #letGo = new Set<string>();
  readonly #records = new Map<string, number>();

  /** A request on its way: whoever puts a message back says in it whose lease may be taken over. */
  sent({ service, method, url, body }: StorageRequest): void {
    if (service !== 'Queue' || method !== 'POST') return;
    if (!url.includes('/asset-events/messages')) return;
    const [, base64 = ''] = /<MessageText>([^<]*)<\/MessageText>/.exec(body.toString()) ?? [];
    const message = Buffer.from(base64, 'base64').toString();
    for (const [, owners = ''] of message.matchAll(/"leaseOwners":\[([^\]]*)\]/g))
      for (const [, owner = ''] of owners.matchAll(/"([^"]*)"/g)) this.#letGo.add(owner);
  }

  /** A request with its answer; undefined where nobody knows whether it took. */
  saw(request: StorageRequest, answer: StorageAnswer | undefined): SeenWrite | undefined {
    const { service, method, url } = request;
    if (method === 'GET' || method === 'HEAD') return undefined;
    if (service === 'Table') return url.includes('$batch') ? this.#sawBatch(request, answer) : undefined;
    if (answer === undefined || answer.status >= 300) return undefined;
    const path = decodeURIComponent(url.replace(/\?.*$/, ''));
    if (service === 'Queue') {
      if (method === 'DELETE') return { kind: 'message-deleted' };
      return {
        kind: method === 'POST' && path.endsWith('/asset-events/messages') ? 'message-sent' : 'other',
      };
    }
    if (path.endsWith('/record.json')) {
      this.#sawRecord(path, request.body);
      return { kind: 'record-written' };
    }
    return { kind: path.includes('/thumbnail-') && method === 'PUT' ? 'picture-written' : 'other' };
  }

  #sawBatch({ body }: StorageRequest, answer: StorageAnswer | undefined): SeenWrite | undefined {
    const failed =
      answer !== undefined && (answer.status >= 300 || /HTTP\/1\.1 [45]/.test(answer.body.toString()));
    if (failed) return undefined;
    let kind: SeenWrite['kind'] = 'other';
    for (const line of body.toString().split('\n')) {
      if (!line.startsWith('{') || !line.includes('"lease"')) continue;
      const read = EventRow.safeParse(JSON.parse(line));
      if (!read.success) continue;
      const id = read.data.RowKey.slice(2);
      // The write may have taken or not: what comes next is not compared with it.
      if (answer === undefined) this.#rows.delete(id);
      else kind = this.#sawRow(id, read.data);
    }
    return answer === undefined ? undefined : { kind };
  }

  #sawRow(id: string, row: EventRow): SeenWrite['kind'] {
    const before = this.#rows.get(id);
    this.#rows.set(id, row);
    if (before !== undefined && isFinal(before.state)) {
      if (row.state !== before.state || row.lease !== null || row.finishedAt !== before.finishedAt)
        this.broken.push(`event ${id} had ended (${before.state}) and was worked on again (${row.state})`);
      return 'other';
    }
    if (before?.lease != null && row.lease != null && row.lease.owner !== before.lease.owner) {
      const isOver = Date.parse(before.lease.until) <= Date.now();
      if (isOver) this.overdue += 1;
      else if (!this.#letGo.has(before.lease.owner))
        this.broken.push(`event ${id} was taken from ${before.lease.owner}, who was still at it`);
    }
    if (row.lease !== null) {
      if (before?.lease?.owner !== row.lease.owner) this.claims += 1;
      return 'event-claimed';
    }
    if (!isFinal(row.state)) return 'event-waiting';
    this.ends += 1;
    return 'event-ended';
  }

  #sawRecord(path: string, body: Buffer): void {
    const record = Record.safeParse(JSON.parse(body.toString()));
    const change = changeIn(record.data?.title ?? null);
    if (change === undefined || record.data?.deleted === true) return;
    const before = this.#records.get(path) ?? 0;
    this.#records.set(path, change);
    if (change < before)
      this.broken.push(`the record ${path} went back from change ${before} to change ${change}`);
  }
}
