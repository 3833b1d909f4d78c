/** What can happen at each simulated system on request, and what it is. */
export const simulations = {
  archive: {
    ingest: 'an asset with a picture is ingested',
    move: 'an asset moves to another folder',
    'send-twice': 'an asset is ingested, and the call comes twice',
    fail: 'an asset is ingested that the account may not read',
  },
  photos: {
    upload: 'a picture is uploaded',
    edit: 'a caption is changed',
    delete: 'a picture is removed',
    preview: 'the preview is made of a picture that had none',
    'send-twice': 'a picture is uploaded, and the call comes twice',
    fail: 'a picture is uploaded that the account does not see: it waits, and fails in the end',
  },
  scans: {
    finish: 'a scan is finished',
    update: 'the description of a scan is changed',
    'send-twice': 'a scan is finished, and the call comes twice',
    fail: 'a call is signed rightly, and nobody can read it',
  },
} as const;

export type Simulated = keyof typeof simulations;

/** What happened, for people, and how many deliveries of an event come of it. */
export interface Happened {
  readonly said: string;
  readonly deliveries: number;
}

export type Happenings<System extends Simulated> = Readonly<
  Record<keyof (typeof simulations)[System], () => Promise<Happened>>
>;
