import type { SourceKind } from '../../pipeline/ports/source-kind.ts';
import { woodwingReceiver } from './receiver.ts';
import { woodwingSettings, type WoodwingSource } from './settings.ts';

export const woodwing: SourceKind<WoodwingSource> = {
  settings: woodwingSettings,
  receiver: () => woodwingReceiver,
  client: async (source, deps) => (await import('./client.ts')).woodwingClient({ source, ...deps }),
  doctor: async () => (await import('./doctor.ts')).woodwingDoctor,
  hasSecurityTags: false,
  selfContainedEvents: false,
  eventuallyConsistent: true,
};
