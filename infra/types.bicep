@export()
@description('A system that calls the app. What its kind does not have is a fault at start; the README lists the settings.')
type source = {
  @description('Lower case letters, digits and hyphens.')
  @minLength(1)
  @maxLength(40)
  name: string

  kind: 'preservica' | 'woodwing' | 'pywebhooks'

  @description('Base address of its API.')
  url: string?

  @description('Whom we ask as.')
  username: string?

  @description('Preservica: the tenant.')
  tenant: string?

  @description('Where people look at an asset.')
  portalUrl: string?

  thumbnailSize: ('small' | 'medium' | 'large')?

  @description('WoodWing Assets: names of metadata fields that records keep beside the usual ones.')
  metadataFields: string[]?

  @description('Preservica: what is said of a body or a signature beside a challenge.')
  handshake: ('strict' | 'lenient')?

  @description('PyWebhooks: where the title stands in a payload.')
  titlePointer: string?

  @description('PyWebhooks: where the id of the asset stands in a payload.')
  assetIdPointer: string?

  @description('PyWebhooks: where a link stands in a payload.')
  linkPointer: string?

  @description('PyWebhooks: the same payload within so many seconds is the same event.')
  @minValue(0)
  deduplicateSeconds: int?

  @description('Whether missed calls are looked for.')
  catchUp: ('on' | 'off')?

  @description('From when the first look for missed calls goes, a date or a time.')
  catchUpFrom: string?

  @description('Calls at once, over all instances.')
  @minValue(1)
  @maxValue(1000)
  maxCallsAtOnce: int?

  @minValue(0)
  @maxValue(10000)
  maxCallsPerSecond: int?

  @description('Hours for which it may be silent before an alert says so.')
  @minValue(1)
  silentHours: int?
}

@export()
@description('An app setting that the other parameters do not give, such as RETENTION_DAYS.')
type setting = {
  name: string
  value: string
}

@export()
@description('Addresses that may call the app.')
type addressRange = {
  @minLength(1)
  name: string

  @description('In CIDR notation, or the name of a service tag.')
  range: string
}

@export()
@description('Sign-in with Entra for the staff routes.')
type staffSignIn = {
  @description('Client id of the app registration that stands for this app.')
  clientId: string

  tenantId: string
}

@export()
@description('A virtual network of its own for the app, its storage and its vault.')
type network = {
  @description('Of the whole network, such as 10.20.0.0/24.')
  addressPrefix: string

  @description('Of the subnet that the app calls from; /26 leaves room to grow.')
  appPrefix: string

  @description('Of the subnet in which storage and vault are reached.')
  endpointPrefix: string
}

@export()
@description('A source in an output.')
type namedSource = {
  name: string
  kind: string
}

@export()
@description('From when each alert tells somebody: more than so many, or longer than so long.')
type alertThresholds = {
  @description('Failed events of a source in 15 minutes. 0 if left out.')
  failedEvents: int?

  @description('Minutes for which an event may wait. 120 if left out.')
  waitingMinutes: int?

  @description('Hours for which a source may be silent, where it does not say so itself. 72 if left out.')
  @minValue(1)
  silentHours: int?

  @description('Calls of a source that prove nothing, in 15 minutes. 20 if left out.')
  refusedSignatures: int?

  @description('Handshakes of a source in an hour. 20 if left out.')
  handshakes: int?

  @description('Looks in 15 minutes, one every 5, at which the circuit of a source was open. 1 if left out.')
  circuitLooks: int?

  @description('Hours for which a source may go on signing with its previous secret. 24 if left out.')
  previousSecretHours: int?

  @description('Looks in 15 minutes, one every 5, at which a source had no secret. 1 if left out.')
  secretMissingLooks: int?

  @description('Messages in a poison queue for 15 minutes. 0 if left out.')
  poisonMessages: int?

  @description('Looks in a day, one a day, at which a subscription was missing or disabled. 0 if left out.')
  subscriptionLooks: int?

  @description('Lines on its sources that the app writes in half an hour at the least. 1 if left out.')
  watchRows: int?

  @description('Answers with 5xx in 15 minutes. 5 if left out.')
  serverErrors: int?
}
