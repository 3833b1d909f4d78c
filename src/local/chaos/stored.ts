import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { readEntry, rowKey } from '../../azure/ledger-rows.ts';
import { assetKey } from '../../pipeline/model/asset-key.ts';
import type { EventEntry } from '../../pipeline/model/ledger.ts';
import { AssetRecord } from '../../pipeline/model/record.ts';

/** What is kept of an asset. */
export interface Kept {
  readonly record: AssetRecord;
  /** Of the bytes of the picture that the record names; undefined where there is none of that name. */
  readonly pictureSha256: string | undefined;
}

/** The storage as somebody sees it who reads it past the app. */
export class Stored {
  readonly #connectionString: string;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  /** Messages in the queue and in that of poison, those that are hidden too. */
  async messages(): Promise<number> {
    const queues = QueueServiceClient.fromConnectionString(this.#connectionString);
    let count = 0;
    for (const name of ['asset-events', 'asset-events-poison']) {
      const queue = queues.getQueueClient(name);
      if (!(await queue.exists())) continue;
      count += (await queue.getProperties()).approximateMessagesCount ?? 0;
    }
    return count;
  }

  /** Every event in the ledger. */
  async events(): Promise<EventEntry[]> {
    const table = TableClient.fromConnectionString(this.#connectionString, 'ledger', {
      allowInsecureConnection: true,
    });
    const from = rowKey.event('');
    const filter = `RowKey ge '${from}' and RowKey lt '${from.slice(0, -1)};'`;
    const entries: EventEntry[] = [];
    for await (const row of table.listEntities({ queryOptions: { filter } })) {
      const { partitionKey } = z.object({ partitionKey: z.string() }).parse(row);
      const source = partitionKey === '~' ? null : (partitionKey.split(':')[0] ?? null);
      entries.push(readEntry(source, row));
    }
    return entries;
  }

  async asset(source: string, assetId: string): Promise<Kept | undefined> {
    const folder = `${source}/${assetKey(assetId)}`;
    const bytes = await this.#blob('assets', `${folder}/record.json`);
    if (bytes === undefined) return undefined;
    const record = AssetRecord.parse(JSON.parse(bytes.toString()));
    const named = record.thumbnail?.sha256.slice(0, 16);
    const picture =
      named === undefined ? undefined : await this.#blob('assets', `${folder}/thumbnail-${named}`);
    return { record, pictureSha256: picture && createHash('sha256').update(picture).digest('hex') };
  }

  /** A message or a body that could not be read. */
  async unread(name: string): Promise<Buffer | undefined> {
    return await this.#blob('deliveries', name);
  }

  async #blob(container: string, name: string): Promise<Buffer | undefined> {
    const blob = BlobServiceClient.fromConnectionString(this.#connectionString)
      .getContainerClient(container)
      .getBlobClient(name);
    return (await blob.exists()) ? await blob.downloadToBuffer() : undefined;
  }
}
