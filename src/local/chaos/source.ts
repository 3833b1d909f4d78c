import type { SimulatorServer } from '../simulators/serve.ts';

/** A call to the app, as often as it takes. */
export interface Delivery {
  readonly source: string;
  /** What it tells of: the numbers of the changes. None where it is wrongly signed. */
  readonly changes: readonly number[];
  /** A copy must follow before anything else is told of the same asset. */
  readonly inOrder: boolean;
  readonly signed: 'rightly' | 'wrongly';
  /** Sends it once; the status of the answer, 0 where none came. */
  send(appUrl: string): Promise<number>;
  /** The same assets change once more. */
  again?(): Delivery;
  /** The next picture of these assets comes late: what was fetched with it is old by then. */
  delayPictures?(ms: number): void;
  /** It was taken, and so were its copies. */
  taken(): void;
}

/** What must be on record of an asset in the end. */
export interface Expected {
  readonly source: string;
  readonly assetId: string;
  readonly deleted: boolean;
  readonly title: string;
  /** The picture that the source shows now. */
  readonly picture: Uint8Array | undefined;
}

/** A system whose assets change; each change is told to the app. */
export interface ChangingSource {
  readonly name: string;
  readonly simulator: SimulatorServer;
  /** Of the app. */
  readonly settings: Readonly<Record<string, string>>;
  /** Changes at most so many assets, and tells of it in one delivery; undefined where nothing can change just now. */
  change(most: number): Delivery | undefined;
  /** Takes an asset away, where this source knows such a thing. */
  remove(): Delivery | undefined;
  /** A delivery about an asset that nothing else tells of, signed with another secret. */
  forged(): Delivery;
  /** Of the assets that changed. */
  expected(): Expected[];
}

/** Numbers the changes of all sources. */
export interface Serials {
  next(): number;
}

const lastPart = /, change (\d+)$/;

export function titled(what: string, change: number): string {
  return `${what}, change ${change}`;
}

/** The number of the change that a title came with. */
export function changeIn(title: string | null): number | undefined {
  const number = lastPart.exec(title ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}

/** A clock that never says the same millisecond twice: a time is a part of what makes an event the same. */
export function uniqueTimes(): () => number {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 1);
    return last;
  };
}

// A process that is killed closes its connections; this is for one that hangs.
export const answerWithinMs = 20_000;
