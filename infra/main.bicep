// Asset Webhooks in a resource group: the app, what it keeps, its secrets, and what watches it.

import { addressRange, alertThresholds as thresholds, namedSource, network, setting, source, staffSignIn } from 'types.bicep'

@description('Name of the app, the first part of its address. What belongs to it is named after it.')
@minLength(2)
@maxLength(40)
param name string

@description('Region of everything.')
param location string = resourceGroup().location

@description('The systems that call the app.')
@minLength(1)
param sources source[]

@description('Version of Node, as the platform calls it.')
param nodeVersion string = '24'

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Instances at the most.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that always wait for calls. A PyWebhooks waits five seconds for an answer, which a cold start must not use up.')
@minValue(0)
@maxValue(100)
param alwaysReadyHttp int = 1

@description('Calls that one instance takes at one time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Bytes of the largest body that is taken.')
@minValue(1)
@maxValue(100000000)
param maxDeliveryBytes int = 4194304

@description('Further app settings, such as RETENTION_DAYS.')
param settings setting[] = []

@description('Address of the app as the sources reach it, where that is not its own.')
param publicUrl string?

@description('Redundancy of the storage account.')
param storageSku ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS') = 'Standard_LRS'

@description('Days after which a body that was kept beside the queue goes.')
@minValue(60)
@maxValue(3650)
param deliveryDays int = 60

@description('Days for which a deleted or replaced record can be brought back.')
@minValue(1)
@maxValue(365)
param undeleteDays int = 14

@description('Days for which telemetry is kept.')
@minValue(30)
@maxValue(730)
param telemetryDays int = 90

@description('Who is told of alerts by e-mail.')
param alertEmails string[] = []

@description('Who is told of alerts by a call: an address, which may hold a key.')
@secure()
param alertWebhookUrl string = ''

@description('From when each alert tells somebody.')
param alertThresholds thresholds = {}

@description('Who may call the app at all. Everybody if empty: a signature is the lock of the webhooks.')
param allowedRanges addressRange[] = []

@description('Lets staff sign in with Entra; by function key if left out.')
param signIn staffSignIn?

@description('Puts storage and vault into a virtual network of their own.')
param privateNetwork network?

// 13 characters that are the same for the same group and name.
var suffix = uniqueString(resourceGroup().id, name)
var short = take(replace(toLower(name), '-', ''), 9)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-identity'
  location: location
}

module storage 'storage.bicep' = {
  name: '${name}-storage'
  params: {
    name: 'st${short}${suffix}'
    location: location
    sku: storageSku
    isPublic: privateNetwork == null
    deliveryDays: deliveryDays
    undeleteDays: undeleteDays
  }
}

module vault 'vault.bicep' = {
  name: '${name}-vault'
  params: {
    name: 'kv-${take(short, 8)}${suffix}'
    location: location
    isPublic: privateNetwork == null
  }
}

module monitoring 'monitoring.bicep' = {
  name: '${name}-monitoring'
  params: {
    workspaceName: '${name}-logs'
    componentName: '${name}-insights'
    location: location
    retentionDays: telemetryDays
  }
}

// The keys of a PyWebhooks change in a window, and the app then keeps them.
var pywebhooks = filter(sources, each => each.kind == 'pywebhooks')

module roles 'roles.bicep' = {
  name: '${name}-roles'
  params: {
    principalId: identity.properties.principalId
    storageName: storage.outputs.name
    vaultName: vault.outputs.name
    componentName: monitoring.outputs.componentName
    writtenSecretNames: flatten(map(pywebhooks, each => ['source-${each.name}-secret', 'source-${each.name}-api-key']))
  }
}

module net 'network.bicep' = if (privateNetwork != null) {
  name: '${name}-network'
  params: {
    namePrefix: name
    location: location
    ranges: privateNetwork!
    storageName: storage.outputs.name
    vaultName: vault.outputs.name
  }
}

module app 'app.bicep' = {
  name: '${name}-app'
  // The platform stores the package, and the app reads its secrets, as the identity.
  dependsOn: [roles]
  params: {
    name: name
    planName: '${name}-plan'
    location: location
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttp: alwaysReadyHttp
    httpConcurrency: httpConcurrency
    identityId: identity.id
    identityClientId: identity.properties.clientId
    packageUrl: storage.outputs.packageUrl
    blobUrl: storage.outputs.blobUrl
    queueUrl: storage.outputs.queueUrl
    tableUrl: storage.outputs.tableUrl
    vaultUrl: vault.outputs.url
    insightsConnectionString: monitoring.outputs.connectionString
    sources: sources
    publicUrl: publicUrl
    maxDeliveryBytes: maxDeliveryBytes
    settings: settings
    allowedRanges: allowedRanges
    signIn: signIn
    subnetId: net.?outputs.appSubnetId
  }
}

module alerts 'alerts.bicep' = {
  name: '${name}-alerts'
  params: {
    name: name
    location: location
    componentId: monitoring.outputs.componentId
    appId: app.outputs.id
    sources: sources
    thresholds: alertThresholds
    emails: alertEmails
    webhookUrl: alertWebhookUrl
  }
}

module workbook 'workbook.bicep' = {
  name: '${name}-workbook'
  params: {
    name: name
    location: location
    componentId: monitoring.outputs.componentId
    appUrl: app.outputs.url
  }
}

output appName string = app.outputs.name
output appUrl string = app.outputs.url
output vaultName string = vault.outputs.name
output storageName string = storage.outputs.name

@description('The sources, for whoever tells what comes next.')
output sources namedSource[] = map(sources, each => { name: each.name, kind: each.kind })
