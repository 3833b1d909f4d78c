import { disableTypes, imageSize, types } from 'image-size';

/** What the bytes of a thumbnail really are. */
export interface Picture {
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
}

// Pictures that every browser shows and that can hold no script; whatever else a thumbnail may claim to be is refused.
const contentTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
};
disableTypes(types.filter((type) => !Object.hasOwn(contentTypes, type)));

/** Reads type and size from the bytes alone; undefined where they are no picture that we keep. Never throws. */
export function readPicture(bytes: Uint8Array): Picture | undefined {
  try {
    const { type, width, height } = imageSize(bytes);
    const contentType = contentTypes[type ?? ''];
    return contentType === undefined || !(width > 0 && height > 0)
      ? undefined
      : { contentType, width, height };
  } catch {
    return undefined;
  }
}
