import type { Asset, Library } from './library.ts';

/** Fills a library with a small picture desk to try things out on; returns its assets. The ids never change, so that a second start finds the same ones again. */
export function addSampleLibrary(library: Library): Asset[] {
  return [
    library.add({
      id: 'Fk3_regattaAtDawn-01aB',
      filename: 'regatta-at-dawn.jpg',
      folderPath: '/Picture Desk',
      status: 'Final',
      rating: 4,
      metadata: { creatorName: 'Åsa Núñez', tags: ['sea', 'boats'], cf_assetType: { value: 'News picture' } },
    }),
    library.add({
      id: 'Qt7-marcheDeNoel_02xYz',
      filename: 'Marché de Noël – Zürich.jpg',
      folderPath: '/Picture Desk/Winter',
      status: 'Production',
      rating: 3,
      metadata: {
        creatorName: 'Jérôme Lefèvre',
        tags: ['marché', 'neige'],
        caption: 'Première neige, 1er décembre',
      },
    }),
    library.add({
      id: 'Zb9_sakuraInKyoto-03Qw',
      filename: '京都の桜.png',
      folderPath: '/Picture Desk',
      status: 'Final',
      rating: 5,
      metadata: { creatorName: '山田 花子', tags: ['桜', '京都'] },
    }),
    library.add({
      id: '-m4StormAtThePier_04eR',
      filename: 'storm at the pier (raw).tif',
      folderPath: '/Picture Desk/Incoming',
      previewState: 'no',
    }),
    library.add({
      id: 'Hd2_interviewMayor-05T',
      filename: 'interview-mayor.wav',
      folderPath: '/Picture Desk/Sound',
      status: 'Final',
      metadata: { tags: ['interview'] },
    }),
    library.add({
      id: 'Vr8-menuDuJour__-06uIo',
      filename: 'menu du jour.pdf',
      folderPath: '/Picture Desk',
      status: 'New',
    }),
  ];
}
