import { randomUUID } from 'node:crypto';
import { tableLedger } from '../../azure/ledger-table.ts';
import { storageClients } from '../../azure/storage-clients.ts';
import { readConfig } from '../../config.ts';
import type { EventCopy } from '../../pipeline/process/event-copy.ts';
import { claimEvent, settle } from '../../pipeline/process/event-transitions.ts';
import type { Ledger } from '../../pipeline/model/ledger.ts';
import { startAzurite } from '../azurite.ts';
import { settings } from './app-process.ts';
import { inTurn, perSecond } from './measure.ts';

const events = 600;
const hands = 16;
// What Azure promises for one partition of a table, in rows of 1 KiB a second.
const azureRowsPerSecond = 2_000;

/** Events a second that the ledger takes from beginning to end: all in one source's partition, and spread over four. */
export async function benchLedger() {
  const azurite = await startAzurite({ inMemory: true });
  try {
    const read = readConfig(settings(azurite.connectionString, 'http://127.0.0.1:9'));
    if (!read.ok) throw new Error('The settings of this measurement are faulty.');
    const ledger = tableLedger(storageClients(read.config), ['a', 'b', 'c', 'd']);
    const over = (sources: readonly string[]) => async () =>
      await perSecond(
        events,
        hands,
        async (index) => await oneEvent(ledger, sources[index % sources.length] ?? ''),
      );
    await over(['a'])();
    const { a, b, ratio } = await inTurn(3, over(['a']), over(['a', 'b', 'c', 'd']));
    // Begun: the event, its three copies and the asset. Ended: the same, and the copy of the state before taken away.
    const rowsAnEvent = 5 + 6;
    return {
      onePartitionPerSecond: a,
      fourPartitionsPerSecond: b,
      ratio,
      rowsAnEvent,
      azureCeilingPerSecond: azureRowsPerSecond / rowsAnEvent,
    };
  } finally {
    await azurite.stop();
  }
}

async function oneEvent(ledger: Ledger, source: string): Promise<void> {
  const assetId = randomUUID();
  const now = new Date();
  const event = {
    id: randomUUID(),
    type: 'FULL_TEXT_INDEXED',
    assetKind: 'asset' as const,
    assetId,
    occurredAt: now.toISOString(),
    identifiers: [],
    data: { tenant: 'ACME', version: '8.1', trigger: 'FULL_TEXT_INDEXED' },
  };
  const head = {
    v: 1 as const,
    deliveryId: randomUUID(),
    source,
    receivedAt: now.toISOString(),
    attempt: 0,
    replayId: null,
  };
  const copy: EventCopy = { event, head, owner: 'h', content: { event } };
  const keys = { source, eventId: event.id, subject: assetId, assetId };
  const lease = { owner: 'h', until: new Date(now.getTime() + 120_000).toISOString() };
  const begun = await ledger.change(keys, { event: undefined, asset: undefined }, (rows) =>
    claimEvent(rows, copy, lease, now),
  );
  const asset = begun.rows.asset?.value;
  await ledger.change(keys, begun.rows, (rows) =>
    settle(
      rows,
      copy,
      { state: 'done', reason: null, title: 'Harbour' },
      {
        now,
        owner: 'h',
        countsAsTry: true,
        ...(asset === undefined ? {} : { asset }),
      },
    ),
  );
}
