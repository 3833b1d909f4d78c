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
    const first = await windows.replace('photos', { which: 'secret', until: 1_000 }, undefined);
    await windows.replace('photos', { which: 'secret', until: 2_000 }, first);
    await windows.replace('photos', { which: 'api-key', until: 3_000 }, undefined);
    await windows.replace('photos-2', { which: 'secret', until: 4_000 }, undefined);
    const found = await windows.read('photos');
    expect(found.toSorted((a, b) => a.until - b.until)).toMatchObject([
      { which: 'secret', until: 2_000 },
      { which: 'api-key', until: 3_000 },
    ]);
  });

  it('are replaced only as they were read, by one of many', async () => {
    const windows = tableWindows(clients());
    const window = { which: 'secret', until: 1_000 } as const;
    const offer = { digest: 'd', state: 'claimed', claim: 'c', at: 500 } as const;
    const many = async (version: string | undefined) =>
      await Promise.all(
        [1, 2, 3].map(async () => await windows.replace('archive', { ...window, offer }, version)),
      );
    const [first, ...none] = (await many(undefined)).filter((version) => version !== undefined);
    expect(none).toEqual([]);
    expect(await windows.read('archive')).toEqual([{ ...window, offer, version: first }]);
    const [second, ...others] = (await many(first)).filter((version) => version !== undefined);
    expect(others).toEqual([]);
    expect(await windows.replace('archive', window, first)).toBeUndefined();
    const third = await windows.replace('archive', window, second);
    expect(await windows.read('archive')).toEqual([{ ...window, offer: undefined, version: third }]);
  });
});
