/**
 * Every log line: its name, and the fields that it may have beside `event`, its name, and `traceId`, where it is part of a
 * trace. Queries of the workbook and of the alerts rely on these names;
 * a test holds each of them against this table.
 */
export const logLines = {
  // What came
  'delivery-kept': ['source', 'delivery', 'events', 'bytes', 'secret', 'status'],
  'delivery-refused': ['source', 'why', 'status', 'refusals', 'bytes', 'delivery'],
  'delivery-not-kept': ['source', 'error', 'status'],
  'delivery-split': ['source', 'delivery', 'events', 'messages'],
  'handshake-answered': ['source', 'status'],
  'unknown-source': ['status', 'refusals'],
  'secret-kept': ['source', 'which', 'status'],
  'secret-refused': ['source', 'which', 'why', 'status', 'refusals'],
  'secret-not-kept': ['source', 'which', 'error', 'status', 'refusals'],
  'secret-not-withdrawn': ['source', 'which', 'error'],

  // What became of it
  'event-waiting': [
    'source',
    'eventId',
    'delivery',
    'type',
    'state',
    'code',
    'attempts',
    'lagMs',
    'nextAttemptAt',
  ],
  'event-ended': ['source', 'eventId', 'delivery', 'type', 'state', 'code', 'attempts', 'lagMs'],
  'event-duplicate': ['source', 'eventId', 'delivery', 'type'],
  'event-put-back': ['source', 'eventId', 'delivery', 'delayMs'],
  'message-put-back': ['stumbles', 'delayMs', 'error'],
  'message-of-later-version': ['version'],
  'lease-not-renewed': ['eventId', 'error'],
  'waiting-not-told': ['eventId', 'error'],
  'poison-message': ['message', 'recorded'],
  'poison-not-recorded': ['message', 'error'],
  'poison-not-put-back': ['message', 'error'],

  // The actions
  'run-ended': ['run', 'action', 'source', 'eventId', 'type', 'state', 'code', 'attempts', 'lagMs'],

  // The sources
  'look-up-broke': ['source', 'error'],
  'circuit-open': ['source', 'code', 'until'],
  'permits-not-renewed': ['source', 'error'],
  'source-state-not-kept': ['source', 'error'],
  'source-paused': ['source'],
  'source-resumed': ['source'],
  'catch-up-started': ['source', 'from', 'until'],
  'catch-up-not-started': ['source', 'error'],
  'changes-recovered': ['source', 'recovered', 'missed', 'from', 'to'],

  'source-watched': [
    'source',
    'kind',
    'lastReceivedAt',
    'silentMinutes',
    'oldestWaitingAt',
    'oldestWaitingMinutes',
    'oldestWaitingId',
    'pausedAt',
    'circuit',
    'circuitUntil',
    'hasSecret',
  ],
  'source-not-watched': ['source', 'error'],
  'queue-watched': ['queue', 'messages', 'oldestMinutes'],
  'queue-not-watched': ['queue', 'error'],
  'subscriptions-watched': ['source', 'state', 'subscriptions', 'text'],

  // Secrets, settings and telemetry
  'action-off': ['action', 'faults'],
  'telemetry-not-started': ['error'],
  'secret-shared': ['sources'],
  'secret-unusable': ['secret', 'wanted'],
  'secrets-stale': ['secret', 'knownForSeconds', 'error'],
  'settings-warning': ['warnings'],
  'settings-faulty': ['faults'],

  // What people and timers do
  'replay-started': ['replay', 'to', 'all'],
  'job-ended': ['kind', 'id', 'state', 'reason'],
  'job-broke': ['kind', 'id', 'error'],
  'job-unknown': ['kind', 'id'],
  'old-rows-removed': ['events', 'digests', 'assets', 'sources', 'jobs', 'runs', 'complete'],
  'old-rows-not-removed': ['error'],
  'pictures-swept': ['removed'],
  'pictures-not-swept': ['error'],
  'refusals-not-kept': ['source', 'error'],
  'rows-not-read': ['rows'],
  'staff-endpoint-failed': ['error'],
  'sign-in-is-off': [],
} as const satisfies Record<string, readonly string[]>;

export type LogName = keyof typeof logLines;

type LogFields<Name extends LogName> = {
  readonly [Field in (typeof logLines)[Name][number]]?: string | number | boolean | null | undefined;
};

/** One log line: a name and flat fields. No body, secret, signature, token or signed address ever goes in. */
export type Log = <Name extends LogName>(
  level: 'info' | 'warn' | 'error',
  name: Name,
  fields?: LogFields<Name>,
) => void;
