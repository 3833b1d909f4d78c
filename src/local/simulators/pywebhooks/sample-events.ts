import type { PyWebhooksSimulator } from './simulator.ts';

const scanned = (number: number, title: string): object => ({
  id: `scan-${String(number).padStart(4, '0')}`,
  title,
  link: `https://scans.example.org/items/${number}`,
});

/** Registers the events of a digitisation workshop to try things out with, as that account's; returns the registrations. */
export function addSampleEvents(
  simulator: Pick<PyWebhooksSimulator, 'addRegistration'>,
  ownerAccountId: string,
): { id: string }[] {
  const events = [
    {
      event: 'scan.finished',
      description: 'A scan is done and checked',
      event_data: {
        asset: scanned(1, 'Café du Port, façade'),
        pages: 12,
        resolution: { dpi: 600, colour: true },
        sizeMb: 48.5,
      },
    },
    {
      event: 'record.updated',
      description: 'The description of a scan was changed',
      event_data: {
        asset: scanned(2, '東京の港、夜明け'),
        changed: ['title', 'date'],
        by: { name: 'Žofia Nováková', note: null },
      },
    },
    {
      event: 'scan.rejected',
      description: 'A scan is to be made again',
      event_data: {
        asset: scanned(3, 'Ångström’s diary 📓'),
        reason: 'blurred',
        headers: { 'x-desk': 'checking', 'content-type': 'image/tiff' },
      },
    },
    {
      event: 'batch.delivered',
      description: 'A box of originals went back to the stacks',
      event_data: { box: 'MS 42', originals: 240, returned: '2024-03-05T09:08:07Z' },
    },
    {
      event: null,
      description: 'A scan was published, by a station that names no event',
      event_data: { asset: scanned(4, 'Le phare, vu de la jetée'), public: true },
    },
  ];
  return events.map((each) => simulator.addRegistration(ownerAccountId, each));
}
