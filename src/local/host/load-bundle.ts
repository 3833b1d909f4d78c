import Module, { createRequire } from 'node:module';
import type {
  FunctionCallback,
  FunctionMetadata,
  LogLevel,
  ProgrammingModel,
  RegisteredFunction,
} from './core-types.ts';
import { describe, type HostLog } from './log.ts';

export interface LoadedBundle {
  readonly functions: readonly RegisteredFunction[];
  /** Absent where the bundle registered nothing, or threw. */
  readonly model: ProgrammingModel | undefined;
}

type Load = (request: string, parent: { filename?: string } | undefined, isMain: boolean) => unknown;

const coreModule = '@azure/functions-core';
const stubs = new Map<string, object>();

/**
 * Loads the app as the platform's worker does: the bundle's `require` of the core module gets ours, and what it
 * registers there is what the host serves. A bundle that throws has no functions, whatever it registered before.
 */
export function loadBundle(path: string, log: HostLog): LoadedBundle {
  const require = createRequire(path);
  const file = require.resolve(path);
  const functions: RegisteredFunction[] = [];
  let model: ProgrammingModel | undefined;

  stubs.set(file, {
    version: '1.0.0',
    hostVersion: '4.1037.0',
    setProgrammingModel: (given: ProgrammingModel) => {
      model = given;
    },
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => {
      functions.push(registered(metadata, callback));
      return { dispose: () => undefined };
    },
    registerHook: (name: string) => {
      log.host(`The hook ${name} is not run by this host.`);
      return { dispose: () => undefined };
    },
    log: (level: LogLevel, _category: string, message: string) => {
      if (level === 'warning' || level === 'error' || level === 'critical') log.problem(message);
    },
  });
  answerForCoreModule();
  delete require.cache[file];
  try {
    require(file);
  } catch (error) {
    log.problem(`The app could not be loaded, so it has no functions: ${describe(error)}`);
    return { functions: [], model: undefined };
  }
  return { functions, model };
}

function registered(metadata: FunctionMetadata, callback: FunctionCallback): RegisteredFunction {
  const trigger = Object.entries(metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (trigger === undefined) throw new Error(`The function ${metadata.name} has no trigger.`);
  return { metadata, callback, trigger: trigger[1], triggerName: trigger[0] };
}

let answering = false;

// The module exists only through a `require` that the worker patches, so there is nothing else to patch here either.
function answerForCoreModule(): void {
  if (answering) return;
  answering = true;
  const load: Load = Reflect.get(Module, '_load');
  const patched: Load = (request, parent, isMain) => {
    const stub = request === coreModule ? stubs.get(parent?.filename ?? '') : undefined;
    return stub ?? load(request, parent, isMain);
  };
  Reflect.set(Module, '_load', patched);
}
