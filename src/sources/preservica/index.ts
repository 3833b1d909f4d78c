import type { SourceKind } from '../../pipeline/ports/source-kind.ts';
import { preservicaReceiver } from './receiver.ts';
import { preservicaSettings, type PreservicaSource } from './settings.ts';

export const preservica: SourceKind<PreservicaSource> = {
  settings: preservicaSettings,
  receiver: preservicaReceiver,
  client: async (source, deps) => (await import('./client.ts')).preservicaClient({ source, ...deps }),
  doctor: async () => (await import('./doctor.ts')).preservicaDoctor,
  hasSecurityTags: true,
  selfContainedEvents: false,
  eventuallyConsistent: false,
};
