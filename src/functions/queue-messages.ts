import type { StorageQueueHandler } from '@azure/functions';
import { handleMessage } from '../pipeline/process/handle-message.ts';
import type { ProcessDeps } from '../pipeline/process/process-deps.ts';
import { logOf } from './log.ts';

/** The queues `asset-events` and `action-runs`. Throws only when our own storage failed: then the platform brings the message again. */
export function queueMessages(deps: Omit<ProcessDeps, 'log'>): StorageQueueHandler {
  return async (item, context) => {
    const messageId = context.triggerMetadata?.['id'];
    await handleMessage(
      {
        item,
        messageId: typeof messageId === 'string' ? messageId : context.invocationId,
        traceparent: context.traceContext?.traceParent,
      },
      { ...deps, log: logOf(context) },
    );
  };
}
