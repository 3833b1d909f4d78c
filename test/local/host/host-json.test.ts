import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostSettings } from '../../../src/local/host/host-json.ts';

describe('host.json', () => {
  it('has the platform’s defaults', () => {
    expect(hostSettings({}, {})).toEqual({
      routePrefix: 'api',
      functionTimeoutMs: 1_800_000,
      queues: {
        batchSize: 16,
        newBatchThreshold: 8,
        maxDequeueCount: 5,
        visibilityTimeoutMs: 0,
        maxPollingIntervalMs: 60_000,
        messageEncoding: 'base64',
      },
    });
  });

  it('of this app is read', async () => {
    const text = await readFile(join(import.meta.dirname, '..', '..', '..', 'host.json'), 'utf8');
    expect(hostSettings(JSON.parse(text), {})).toMatchObject({
      routePrefix: '',
      functionTimeoutMs: 600_000,
      queues: { maxDequeueCount: 10, visibilityTimeoutMs: 30_000, maxPollingIntervalMs: 2000 },
    });
  });

  it('is overridden by the environment, setting by setting', () => {
    const environment = {
      AzureFunctionsJobHost__extensions__queues__batchSize: '4',
      AzureFunctionsJobHost__extensions__http__routePrefix: '',
      AzureFunctionsJobHost__functionTimeout: '1.02:00:00.5',
    };
    const settings = hostSettings(
      { extensions: { queues: { batchSize: 9, maxDequeueCount: 7 } } },
      environment,
    );
    expect(settings).toMatchObject({
      routePrefix: '',
      functionTimeoutMs: 26 * 3_600_000 + 500,
      queues: { batchSize: 4, newBatchThreshold: 2, maxDequeueCount: 7 },
    });
  });
});
