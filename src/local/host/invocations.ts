import { randomUUID } from 'node:crypto';
import type { ProgrammingModel, RegisteredFunction, TypedData } from './core-types.ts';
import { InFlight } from './in-flight.ts';
import { describe, type HostLog } from './log.ts';

export interface Call {
  readonly id: string;
  readonly target: RegisteredFunction;
  readonly input: TypedData;
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  /** The `traceparent` that came with the call, if one did. */
  readonly traceParent?: string | undefined;
}

export type Outcome =
  | { kind: 'done'; result: unknown }
  | { kind: 'threw' }
  /** The function ended, but what it returned is nothing that the library can answer with. */
  | { kind: 'unanswerable' }
  | { kind: 'timed-out' };

export interface Invocations {
  run(call: Call): Promise<Outcome>;
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>;
}

/** Runs functions through the library, and says one line about each. */
export function invocations(deps: {
  readonly model: ProgrammingModel;
  readonly timeoutMs: number;
  readonly log: HostLog;
}): Invocations {
  const { model, timeoutMs, log } = deps;
  const inFlight = new InFlight();

  return {
    run: async (call) =>
      await inFlight.run(async () => {
        const startedAt = performance.now();
        const outcome = await withTimeout(invoke(model, call, log), timeoutMs);
        const tookMs = Math.round(performance.now() - startedAt);
        log.host(`${call.target.metadata.name} ${call.id.slice(0, 8)} ${said[outcome.kind]} ${tookMs} ms`);
        return outcome;
      }),
    idle: async () => await inFlight.fallsTo(0),
  };
}

const said: Record<Outcome['kind'], string> = {
  done: 'succeeded',
  threw: 'failed',
  unanswerable: 'failed',
  'timed-out': 'timed out',
};

async function invoke(model: ProgrammingModel, call: Call, log: HostLog): Promise<Outcome> {
  const { metadata, callback, triggerName } = call.target;
  const failed = (kind: 'threw' | 'unanswerable', error: unknown): Outcome => {
    log.host(`${metadata.name} ${call.id.slice(0, 8)}: ${describe(error)}`);
    return { kind };
  };

  let invocation;
  let args;
  try {
    invocation = model.getInvocationModel({
      invocationId: call.id,
      metadata,
      request: {
        invocationId: call.id,
        functionId: metadata.name,
        inputData: [{ name: triggerName, data: call.input }],
        triggerMetadata: call.triggerMetadata,
        traceContext: { traceParent: childOf(call.traceParent), traceState: null, attributes: {} },
        retryContext: null,
      },
      log: (level, category, message) => {
        if (category === 'user') log.app(level, message);
        else if (level !== 'trace' && level !== 'debug') log.host(message);
      },
    });
    args = await invocation.getArguments();
  } catch (error) {
    return failed('unanswerable', error);
  }

  let result: unknown;
  try {
    result = await invocation.invokeFunction(args.context, args.inputs, callback);
  } catch (error) {
    return failed('threw', error);
  }

  try {
    await invocation.getResponse(args.context, result);
    return { kind: 'done', result };
  } catch (error) {
    return failed('unanswerable', error);
  }
}

async function withTimeout(work: Promise<Outcome>, timeoutMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'timed-out' }), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The trace goes on where the caller has one; the step in it is always a new one. */
function childOf(traceParent: string | undefined): string {
  const [, trace, flags] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(traceParent ?? '') ?? [];
  return `00-${trace ?? randomHex()}-${randomHex().slice(16)}-${flags ?? '01'}`;
}

// Node keeps random bytes ready for UUIDs, and for nothing else.
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}
