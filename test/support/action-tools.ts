import type { ActionTools, Occasion, OutgoingAnswer, OutgoingCall } from '../../src/pipeline/ports/action.ts';
import type { AssetRecord } from '../../src/pipeline/model/record.ts';

export const record: AssetRecord = {
  v: 1,
  source: 'archive',
  assetId: '11111111-2222-4333-8444-555555555555',
  kind: 'asset',
  title: 'Harbour, looking north',
  description: null,
  securityTag: 'open',
  identifiers: [{ type: 'CatalogueRef', value: 'MS/42/7' }],
  fileCount: 1,
  files: [{ name: 'harbour.tif', sizeBytes: 1_048_576, fixity: [] }],
  links: { page: 'https://archive.example.org/IO_1' },
  details: {},
  thumbnail: null,
  thumbnailState: 'none',
  deleted: false,
  fetchedAt: '2026-01-05T09:08:07.065Z',
};

export const occasion: Occasion = {
  event: {
    id: 'event-1',
    type: 'FULL_TEXT_INDEXED',
    occurredAt: '2026-01-05T09:08:07.065Z',
    receivedAt: '2026-01-05T09:08:08.000Z',
  },
  idempotencyKey: 'run_0123456789',
};

/** Tools that keep what an action calls, and answer as they are told. */
export function actionTools({
  secrets = {},
  answer = {},
}: {
  secrets?: Readonly<Record<string, readonly string[]>>;
  answer?: Partial<OutgoingAnswer>;
}) {
  const calls: OutgoingCall[] = [];
  const tools: ActionTools = {
    call: async (call) => {
      calls.push(call);
      return { status: 200, bytes: new Uint8Array(), retryAfterMs: undefined, ...answer };
    },
    secret: async (name) => secrets[name] ?? [],
    now: () => Date.parse('2026-01-05T09:10:00Z'),
  };
  return { tools, calls };
}
