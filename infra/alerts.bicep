import { alertThresholds, source } from 'types.bicep'

@description('Name of the app; each rule is named after it.')
param name string

@description('Region of the rules.')
param location string

@description('Resource id of the Application Insights component.')
param componentId string

@description('Resource id of the app.')
param appId string

@description('The systems that call the app.')
param sources source[]

@description('From when each rule tells somebody.')
param thresholds alertThresholds

@description('Who is told by e-mail.')
param emails string[]

@description('Who is told by a call, an address that may hold a key; nobody if empty.')
@secure()
param webhookUrl string

var silentHours = toObject(sources, each => each.name, each => each.?silentHours ?? thresholds.?silentHours ?? 72)

// A measure of null counts the rows. What stays open ends by itself; the rest tells again after an hour.
var rules = [
  {
    name: 'events-failed'
    text: 'Events of a source have failed.'
    query: loadTextContent('queries/events-failed.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?failedEvents ?? 0
    window: 'PT15M'
    every: 'PT5M'
    severity: 2
    staysOpen: false
  }
  {
    name: 'oldest-waiting'
    text: 'An event of a source waits for longer than it should.'
    query: loadTextContent('queries/oldest-waiting.kql')
    measure: 'minutes'
    by: 'source'
    threshold: thresholds.?waitingMinutes ?? 120
    window: 'PT15M'
    every: 'PT5M'
    severity: 2
    staysOpen: true
  }
  {
    name: 'silence'
    text: 'A source has been silent for longer than it usually is.'
    query: replace(loadTextContent('queries/silence.kql'), '{{silentHours}}', string(silentHours))
    measure: 'shareOfAllowed'
    by: 'source'
    threshold: 1
    window: 'PT15M'
    every: 'PT15M'
    severity: 2
    staysOpen: true
  }
  {
    name: 'refused-signatures'
    text: 'Many calls for a source proved nothing.'
    query: loadTextContent('queries/refused-signatures.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?refusedSignatures ?? 20
    window: 'PT15M'
    every: 'PT5M'
    severity: 2
    staysOpen: false
  }
  {
    name: 'handshakes'
    text: 'More handshakes came for a source than a set-up makes.'
    query: loadTextContent('queries/handshakes.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?handshakes ?? 20
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
    staysOpen: false
  }
  {
    name: 'circuit-open'
    text: 'A source does not answer; its events wait.'
    query: loadTextContent('queries/circuit-open.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?circuitLooks ?? 1
    window: 'PT15M'
    every: 'PT5M'
    severity: 2
    staysOpen: true
  }
  {
    name: 'previous-secret'
    text: 'A source still signs with the secret before the present one.'
    query: loadTextContent('queries/previous-secret.kql')
    measure: 'hours'
    by: 'source'
    threshold: thresholds.?previousSecretHours ?? 24
    window: 'P2D'
    every: 'PT1H'
    severity: 3
    staysOpen: true
  }
  {
    name: 'secret-missing'
    text: 'The vault has no secret for a source; its calls are answered with 503.'
    query: loadTextContent('queries/secret-missing.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?secretMissingLooks ?? 1
    window: 'PT15M'
    every: 'PT5M'
    severity: 1
    staysOpen: true
  }
  {
    name: 'poison'
    text: 'A message that the platform gave up on has been in its queue for 15 minutes.'
    query: loadTextContent('queries/poison.kql')
    measure: 'messages'
    by: 'queue'
    threshold: thresholds.?poisonMessages ?? 0
    window: 'PT15M'
    every: 'PT5M'
    severity: 2
    staysOpen: true
  }
  {
    name: 'subscriptions'
    text: 'A subscription of this app is missing at a source, or disabled.'
    query: loadTextContent('queries/subscriptions.kql')
    measure: null
    by: 'source'
    threshold: thresholds.?subscriptionLooks ?? 0
    window: 'P1D'
    every: 'PT1H'
    severity: 1
    staysOpen: true
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-alerts'
  location: 'global'
  properties: {
    groupShortName: take(name, 12)
    enabled: true
    emailReceivers: [
      for (address, index) in emails: {
        name: 'mail-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: empty(webhookUrl)
      ? []
      : [{ name: 'webhook', serviceUri: webhookUrl, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${rule.name}'
      description: '${rule.text} What to do stands in the README under "${rule.name}".'
      severity: rule.severity
      enabled: true
      scopes: [componentId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: rule.measure == null ? 'Count' : 'Maximum'
            metricMeasureColumn: rule.measure
            dimensions: [{ name: rule.by, operator: 'Include', values: ['*'] }]
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: rule.staysOpen
      muteActionsDuration: rule.staysOpen ? null : 'PT1H'
      // Nothing has been logged yet when the first deployment makes the rules.
      skipQueryValidation: true
      actions: { actionGroups: [group.id] }
    }
  }
]

// Without rows there is no source to tell of.
resource noWatch 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${name}-no-watch'
  location: location
  kind: 'LogAlert'
  properties: {
    displayName: '${name}: no-watch'
    description: 'The app tells nothing of itself. What to do stands in the README under "no-watch".'
    severity: 1
    enabled: true
    scopes: [componentId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('queries/no-watch.kql')
          timeAggregation: 'Count'
          operator: 'LessThan'
          threshold: thresholds.?watchRows ?? 1
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: { actionGroups: [group.id] }
  }
}

resource serverErrors 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-server-errors'
  location: 'global'
  properties: {
    description: 'The app answers with 5xx. What to do stands in the README under "server-errors".'
    severity: 2
    enabled: true
    scopes: [appId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'http-5xx'
          metricName: 'Http5xx'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: thresholds.?serverErrors ?? 5
        }
      ]
    }
    autoMitigate: true
    actions: [{ actionGroupId: group.id }]
  }
}
