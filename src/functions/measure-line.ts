import { metrics, type Attributes, type Meter } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import type { LogName } from '../pipeline/ports/log.ts';

type Fields = Readonly<Record<string, unknown>>;

const severities = { info: SeverityNumber.INFO, warn: SeverityNumber.WARN, error: SeverityNumber.ERROR };

/** Makes of a log line what metrics and a collector of logs want of it. Costs next to nothing where there are none. */
export function measureLine(level: keyof typeof severities, name: LogName, fields: Fields): void {
  measures[name]?.(instruments(), fields);
  logs.getLogger('asset-webhooks').emit({
    severityNumber: severities[level],
    severityText: level.toUpperCase(),
    body: name,
    attributes: { event: name, ...attributesOf(fields) },
  });
}

function attributesOf(fields: Fields): Attributes {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? [[name, value]]
        : [],
    ),
  );
}

type Measure = (the: Instruments, fields: Fields) => void;

const delivery =
  (verdict: string): Measure =>
  (the, fields) =>
    the.deliveries.add(1, only(fields, ['source', 'why', 'secret'], { verdict }));

const measures: Partial<Record<LogName, Measure>> = {
  'delivery-kept': delivery('kept'),
  'delivery-refused': delivery('refused'),
  'delivery-not-kept': delivery('not-kept'),
  'unknown-source': delivery('unknown-source'),
  'handshake-answered': delivery('handshake'),
  'secret-kept': delivery('secret-kept'),
  'secret-refused': delivery('secret-refused'),
  'event-ended': (the, fields) => {
    the.events.add(1, only(fields, ['source', 'type', 'state', 'code']));
    the.lag.record(Number(fields['lagMs']) / 1_000, only(fields, ['source', 'state']));
  },
  'run-ended': (the, fields) => {
    the.runs.add(1, only(fields, ['action', 'state', 'code']));
    the.runLag.record(Number(fields['lagMs']) / 1_000, only(fields, ['action', 'state']));
  },
  'event-duplicate': (the, fields) => the.duplicates.add(1, only(fields, ['source', 'type'])),
  'event-waiting': (the, fields) => the.retries.add(1, only(fields, ['source', 'code'])),
  'source-watched': (the, fields) => {
    const source = only(fields, ['source']);
    the.circuit.record(fields['circuit'] === null ? 0 : 1, source);
    the.oldest.record(Number(fields['oldestWaitingMinutes'] ?? 0) * 60, source);
  },
  'queue-watched': (the, fields) => {
    const queue = only(fields, ['queue']);
    the.queueLength.record(Number(fields['messages']), queue);
    the.queueOldest.record(Number(fields['oldestMinutes'] ?? 0) * 60, queue);
  },
  'changes-recovered': (the, fields) => {
    the.recovered.add(Number(fields['recovered']), only(fields, ['source']));
    the.missed.add(Number(fields['missed']), only(fields, ['source']));
  },
};

function only(fields: Fields, names: readonly string[], more: Attributes = {}): Attributes {
  return { ...attributesOf(Object.fromEntries(names.map((name) => [name, fields[name]]))), ...more };
}

type Instruments = ReturnType<typeof createInstruments>;

const lagInSeconds = {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800] },
};

function createInstruments(meter: Meter) {
  const counter = (name: string, description: string) =>
    meter.createCounter(`asset_webhooks.${name}`, { description });
  return {
    deliveries: counter('deliveries', 'Calls of webhooks, by source and verdict'),
    events: counter('events', 'Events that ended, by source, type, state and reason'),
    runs: counter('runs', 'Runs of actions that ended, by action, state and reason'),
    duplicates: counter('event.duplicates', 'Deliveries of events that had come already, by source and type'),
    retries: counter('event.retries', 'Tries after which an event waits for another, by source and reason'),
    recovered: counter('changes.recovered', 'Changes that no call told of, by source'),
    missed: counter('changes.missed', 'Changes of assets without any record, by source'),
    lag: meter.createHistogram('asset_webhooks.event.lag', {
      description: 'Time from receipt to the end of an event',
      ...lagInSeconds,
    }),
    runLag: meter.createHistogram('asset_webhooks.run.lag', {
      description: 'Time from the receipt of an event to the end of a run',
      ...lagInSeconds,
    }),
    circuit: meter.createGauge('asset_webhooks.source.circuit', {
      description: '1 while a source is left alone',
    }),
    oldest: meter.createGauge('asset_webhooks.source.oldest_waiting', {
      description: 'Age of the event of a source that waits longest',
      unit: 's',
    }),
    queueLength: meter.createGauge('asset_webhooks.queue.messages', { description: 'Messages in a queue' }),
    queueOldest: meter.createGauge('asset_webhooks.queue.oldest', {
      description: 'Age of the message of a queue that is its oldest',
      unit: 's',
    }),
  };
}

let known: { provider: unknown; instruments: Instruments } | undefined;

/** The instruments of today's provider: one that is set later gives others. */
function instruments(): Instruments {
  const provider = metrics.getMeterProvider();
  if (known?.provider !== provider)
    known = { provider, instruments: createInstruments(provider.getMeter('asset-webhooks')) };
  return known.instruments;
}
