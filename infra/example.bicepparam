using 'main.bicep'

param name = 'asset-webhooks'

param sources = [
  {
    name: 'archive'
    kind: 'preservica'
    url: 'https://eu.preservica.com'
    username: 'archivist@example.org'
    tenant: 'ACME'
  }
  {
    name: 'photos'
    kind: 'woodwing'
    url: 'https://dam.example.org'
    username: 'asset-webhooks'
    metadataFields: ['creditName', 'copyright']
  }
  {
    name: 'scans'
    kind: 'pywebhooks'
    url: 'https://webhooks.example.org'
    username: 'asset-webhooks'
    assetIdPointer: '/asset/id'
    titlePointer: '/asset/title'
  }
]
