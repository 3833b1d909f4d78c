@description('Name of the app; the workbook is shown under it.')
param name string

@description('Region of the workbook.')
param location string

@description('Resource id of the Application Insights component.')
param componentId string

@description('Address of the app, for links to its events.')
param appUrl string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  kind: 'shared'
  properties: {
    displayName: name
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: componentId
    serializedData: replace(
      replace(loadTextContent('workbook.json'), '{{componentId}}', componentId),
      '{{appUrl}}',
      appUrl
    )
  }
}
