import { isObject } from './json-object.ts';

/** What of `host.json` this host follows. */
export interface HostSettings {
  readonly routePrefix: string;
  readonly functionTimeoutMs: number;
  readonly queues: QueueSettings;
}

export interface QueueSettings {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

const override = 'AzureFunctionsJobHost__';

/** Reads `host.json` with the platform's defaults, and its way of overriding one setting from the environment. */
export function hostSettings(
  hostJson: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): HostSettings {
  const overrides = new Map(
    Object.entries(environment)
      .filter(([name]) => name.startsWith(override))
      .map(([name, value]) => [name.slice(override.length).replaceAll('__', '.').toLowerCase(), value]),
  );
  const read = (path: string): unknown => overrides.get(path.toLowerCase()) ?? at(hostJson, path);

  const batchSize = whole(read('extensions.queues.batchSize')) ?? 16;
  return {
    routePrefix: text(read('extensions.http.routePrefix')) ?? 'api',
    functionTimeoutMs: milliseconds(read('functionTimeout')) ?? 1_800_000,
    queues: {
      batchSize,
      newBatchThreshold: whole(read('extensions.queues.newBatchThreshold')) ?? Math.floor(batchSize / 2),
      maxDequeueCount: whole(read('extensions.queues.maxDequeueCount')) ?? 5,
      visibilityTimeoutMs: milliseconds(read('extensions.queues.visibilityTimeout')) ?? 0,
      maxPollingIntervalMs: milliseconds(read('extensions.queues.maxPollingInterval')) ?? 60_000,
      messageEncoding: read('extensions.queues.messageEncoding') === 'none' ? 'none' : 'base64',
    },
  };
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inside, name) => (isObject(inside) ? inside[name] : undefined), value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function whole(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** `00:00:30` and `00:00:00.250`, as .NET writes a length of time. */
function milliseconds(value: unknown): number | undefined {
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec(text(value) ?? '');
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days ?? 0) * 24 + (hours ?? 0)) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000);
}
