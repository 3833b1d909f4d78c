import type { TokenCredential } from '@azure/identity';

/** Who we are to Azure: the managed identity there, whatever the person is signed in with on their own machine. */
export async function azureCredential(about: {
  managedIdentity: boolean;
  clientId: string | undefined;
}): Promise<TokenCredential> {
  const { ManagedIdentityCredential, DefaultAzureCredential } = await import('@azure/identity');
  const { clientId } = about;
  if (about.managedIdentity) return new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}
