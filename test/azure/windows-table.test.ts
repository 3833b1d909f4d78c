import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../../src/local/azurite.ts';
import { tableLedger } from '../../src/azure/ledger-table.ts';
import { storageClients } from '../../src/azure/storage-clients.ts';
import { tableWindows } from '../../src/azure/windows-table.ts';
import { configFor } from '../support/config.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite({ inMemory: true });
});
afterAll(async () => await azurite.stop());
const clients = () => storageClients(configFor(azurite.connectionString));

describe('a storage account that is new', () => {
  it('has no windows', async () => {
    expect(await tableWindows(clients()).read('photos')).toEqual([]);
  });

  it('has no events', async () => {
    expect(await tableLedger(clients(), ['photos']).list({ limit: 10 })).toEqual({ events: [], next: null });
  });
});

describe('the windows', () => {
  it('are those of one source, one for each key, the last one that was set', async () => {
    const windows = tableWindows(clients());
    await windows.set('photos', { which: 'secret', until: 1_000 });
    await windows.set('photos', { which: 'secret', until: 2_000 });
    await windows.set('photos', { which: 'api-key', until: 3_000 });
    await windows.set('photos-2', { which: 'secret', until: 4_000 });
    const found = await windows.read('photos');
    expect(found.toSorted((a, b) => a.until - b.until)).toEqual([
      { which: 'secret', until: 2_000 },
      { which: 'api-key', until: 3_000 },
    ]);
  });
});
