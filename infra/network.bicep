import { network } from 'types.bicep'

@description('Beginning of the names of what is made here.')
param namePrefix string

@description('Region of the network.')
param location string

@description('The ranges of its addresses.')
param ranges network

@description('Name of the storage account.')
param storageName string

@description('Name of the vault.')
param vaultName string

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: vaultName
}

resource net 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: '${namePrefix}-net'
  location: location
  properties: {
    addressSpace: { addressPrefixes: [ranges.addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: ranges.appPrefix
          delegations: [
            {
              name: 'flex'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: ranges.endpointPrefix }
      }
    ]
  }
}

var targets = [
  { name: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { name: 'queue', zone: 'privatelink.queue.${environment().suffixes.storage}' }
  { name: 'table', zone: 'privatelink.table.${environment().suffixes.storage}' }
  {
    name: 'vault'
    zone: 'privatelink${replace(environment().suffixes.keyvaultDns, 'vault.', 'vaultcore.')}'
  }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: {
    name: target.zone
    location: 'global'
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, index) in targets: {
    parent: zones[index]
    name: namePrefix
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: net.id }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for (target, index) in targets: {
    name: '${namePrefix}-${target.name}'
    location: location
    dependsOn: [links[index]]
    properties: {
      subnet: { id: '${net.id}/subnets/endpoints' }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: target.name == 'vault' ? vault.id : account.id
            groupIds: [target.name]
          }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: target.name
          properties: { privateDnsZoneId: zones[index].id }
        }
      ]
    }
  }
]

output appSubnetId string = '${net.id}/subnets/app'
