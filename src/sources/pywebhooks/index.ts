import type { SourceKind } from '../../pipeline/ports/source-kind.ts';
import { payloadClient } from './payload.ts';
import { pywebhooksReceiver } from './receiver.ts';
import { pywebhooksSettings, type PyWebhooksSource } from './settings.ts';

export const pywebhooks: SourceKind<PyWebhooksSource> = {
  settings: pywebhooksSettings,
  receiver: pywebhooksReceiver,
  client: async (source) => payloadClient(source),
  doctor: async () => (await import('./doctor.ts')).pywebhooksDoctor,
  hasSecurityTags: false,
  selfContainedEvents: true,
  eventuallyConsistent: false,
};
