import { addressRange, setting, source, staffSignIn } from 'types.bicep'

@description('Name of the function app, which is a part of its address.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of its plan.')
@minLength(1)
@maxLength(60)
param planName string

@description('Region of the app.')
param location string

@description('Version of Node that the platform runs.')
param nodeVersion string

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('Instances at the most.')
param maximumInstanceCount int

@description('Instances that always wait for calls: a sender that waits five seconds is answered in time.')
param alwaysReadyHttp int

@description('Calls that one instance takes at one time.')
param httpConcurrency int

@description('Resource id of the identity.')
param identityId string

@description('Client id of the identity.')
param identityClientId string

@description('The container that the package is kept in, as an address.')
param packageUrl string

@description('Addresses of the storage account.')
param blobUrl string

param queueUrl string

param tableUrl string

@description('Address of the vault.')
param vaultUrl string

@description('Names the Application Insights component; it opens nothing by itself.')
param insightsConnectionString string

@description('The systems that call the app.')
param sources source[]

@description('Address of the app as the sources reach it; its own if left out.')
param publicUrl string?

@description('Bytes of the largest body that is taken.')
param maxDeliveryBytes int

@description('Further app settings.')
param settings setting[]

@description('Who may call the app at all; everybody if left out.')
param allowedRanges addressRange[]

@description('Sign-in for the staff routes; by function key if left out.')
param signIn staffSignIn?

@description('Resource id of the subnet that the app calls from; none if left out.')
param subnetId string?

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: empty(allowedRanges) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: [
        for (allowed, index) in allowedRanges: {
          name: allowed.name
          action: 'Allow'
          priority: 100 + index
          ipAddress: allowed.range
          tag: contains(allowed.range, '/') ? 'Default' : 'ServiceTag'
        }
      ]
      scmIpSecurityRestrictionsUseMain: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyHttp > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttp }] : []
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }
}

// Each source's settings, of what was given of it.
var perSource = [
  for each in sources: filter(
    [
      { name: 'KIND', value: each.kind }
      { name: 'URL', value: each.?url }
      { name: 'USERNAME', value: each.?username }
      { name: 'TENANT', value: each.?tenant }
      { name: 'PORTAL_URL', value: each.?portalUrl }
      { name: 'THUMBNAIL_SIZE', value: each.?thumbnailSize }
      { name: 'METADATA_FIELDS', value: each.?metadataFields == null ? null : join(each.metadataFields!, ',') }
      { name: 'HANDSHAKE', value: each.?handshake }
      { name: 'TITLE_POINTER', value: each.?titlePointer }
      { name: 'ASSET_ID_POINTER', value: each.?assetIdPointer }
      { name: 'LINK_POINTER', value: each.?linkPointer }
      { name: 'DEDUPLICATE_SECONDS', value: each.?deduplicateSeconds == null ? null : string(each.deduplicateSeconds!) }
      { name: 'CATCH_UP', value: each.?catchUp }
      { name: 'CATCH_UP_FROM', value: each.?catchUpFrom }
      { name: 'MAX_CALLS_AT_ONCE', value: each.?maxCallsAtOnce == null ? null : string(each.maxCallsAtOnce!) }
      { name: 'MAX_CALLS_PER_SECOND', value: each.?maxCallsPerSecond == null ? null : string(each.maxCallsPerSecond!) }
    ],
    entry => entry.value != null
  )
]
var sourceSettings = flatten(map(
  range(0, length(sources)),
  index =>
    map(perSource[index], entry => {
      name: 'SOURCE_${toUpper(replace(sources[index].name, '-', '_'))}_${entry.name}'
      value: entry.value!
    })
))

// Written whole: a setting that was made by hand is gone after a deployment.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    {
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsStorage__blobServiceUri: blobUrl
      AzureWebJobsStorage__queueServiceUri: queueUrl
      AzureWebJobsStorage__tableServiceUri: tableUrl
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      // What the exporter would send of itself.
      APPLICATION_INSIGHTS_NO_STATSBEAT: '1'
      APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
      APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: 'true'
      // Somewhat more than the app itself takes: what is over its own limit is refused by it, in words.
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(maxDeliveryBytes + 1048576)
      ASSET_WEBHOOKS_HOSTING: 'azure'
      AZURE_CLIENT_ID: identityClientId
      KEY_VAULT_URL: vaultUrl
      MAX_DELIVERY_BYTES: string(maxDeliveryBytes)
      PUBLIC_URL: publicUrl ?? 'https://${app.properties.defaultHostName}'
      SOURCES: join(map(sources, each => each.name), ',')
    },
    signIn == null ? {} : { STAFF_CLIENT_ID: signIn!.clientId },
    toObject(sourceSettings, entry => entry.name, entry => entry.value),
    toObject(settings, entry => entry.name, entry => entry.value)
  )
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource auth 'Microsoft.Web/sites/config@2025-03-01' = if (signIn != null) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    login: { tokenStore: { enabled: false } }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: ['/webhooks/*', '/health', '/v1/*']
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signIn!.clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${signIn!.tenantId}/v2.0'
        }
        validation: { allowedAudiences: ['api://${signIn!.clientId}'] }
      }
    }
  }
}

output name string = app.name
output id string = app.id
output url string = 'https://${app.properties.defaultHostName}'
