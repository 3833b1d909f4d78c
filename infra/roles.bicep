@description('Object id of the identity that gets the roles. A parameter, because its name must be made of it: another identity is another assignment.')
param principalId string

@description('Name of the storage account.')
param storageName string

@description('Name of the vault.')
param vaultName string

@description('Name of the Application Insights component.')
param componentName string

@description('Names of the vault secrets that the app writes: keys that change in a window.')
param writtenSecretNames string[]

// By id, because a name may be given to another role.
var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-09-01' existing = {
  parent: account
  name: 'default'
}

var queueNames = ['action-runs', 'action-runs-poison', 'asset-events', 'asset-events-poison']

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-09-01' existing = [
  for name in queueNames: {
    parent: queueService
    name: name
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2026-09-01' existing = {
  parent: account
  name: 'default'
}

var tableNames = ['jobs', 'ledger', 'runs', 'sources']

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2026-09-01' existing = [
  for name in tableNames: {
    parent: tableService
    name: name
  }
]

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// The Functions host keeps leases and its keys in containers that it makes itself, and reads the package: for that it needs
// this role on the account (the app would do with less). It reaches the blobs of the whole account with it: records,
// pictures and bodies. It reaches no queue and no table.
resource hostOnBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principalId, roles.storageBlobDataOwner)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
  }
}

resource appOnQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in queueNames: {
    scope: queues[index]
    name: guid(queues[index].id, principalId, roles.storageQueueDataContributor)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataContributor
      )
    }
  }
]

resource appOnTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in tableNames: {
    scope: tables[index]
    name: guid(tables[index].id, principalId, roles.storageTableDataContributor)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageTableDataContributor
      )
    }
  }
]

resource appReadsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

// A role on a secret needs the secret. This one is disabled, which the app takes for one that is missing.
@onlyIfNotExists()
resource writtenSecrets 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = [
  for secretName in writtenSecretNames: {
    parent: vault
    name: secretName
    properties: {
      value: 'a place for what the app writes'
      attributes: { enabled: false }
    }
  }
]

resource appWritesSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secretName, index) in writtenSecretNames: {
    scope: writtenSecrets[index]
    name: guid(vault.id, secretName, principalId, roles.keyVaultSecretsOfficer)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    }
  }
]

resource appSendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, principalId, roles.monitoringMetricsPublisher)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}
