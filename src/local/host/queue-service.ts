import type { QueueServiceClient } from '@azure/storage-queue';

type Environment = Readonly<Record<string, string | undefined>>;

/** A client for the connection that a queue function names: a connection string, or the identity form of one. */
export async function queueService(
  environment: Environment,
  connection: string,
): Promise<QueueServiceClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  // What a retry does not cure soon is left to the message's lease, which brings it back anyway.
  const retryOptions = { maxTries: 2, tryTimeoutInMs: 30_000, retryDelayInMs: 200 };

  const setting = environment[connection] ?? environment[`AzureWebJobs${connection}`];
  if (setting !== undefined && setting !== '') {
    return QueueServiceClient.fromConnectionString(setting, { retryOptions });
  }
  const address = identityAddress(environment, connection);
  if (address === undefined) {
    throw new Error(
      `The connection ${connection} is neither a connection string nor has it an account name or address.`,
    );
  }
  const { DefaultAzureCredential } = await import('@azure/identity');
  const clientId = environment[`${connection}__clientId`];
  const credential = new DefaultAzureCredential(
    clientId === undefined ? {} : { managedIdentityClientId: clientId },
  );
  return new QueueServiceClient(address, credential, { retryOptions });
}

function identityAddress(environment: Environment, connection: string): string | undefined {
  const account = environment[`${connection}__accountName`];
  return (
    environment[`${connection}__queueServiceUri`] ??
    (account === undefined ? undefined : `https://${account}.queue.core.windows.net`)
  );
}
