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

// Whoever shows a picture unpacks it whole: four bytes for each of these.
const longestSide = 8_192;
const mostPixels = 16_777_216;

/** Reads type and size from the bytes alone; undefined where they are no picture that we keep. Never throws. */
export function readPicture(bytes: Uint8Array): Picture | undefined {
  try {
    const { type, width, height } = imageSize(bytes);
    const contentType = contentTypes[type ?? ''];
    if (contentType === undefined || !(width > 0 && height > 0)) return undefined;
    if (width > longestSide || height > longestSide || width * height > mostPixels) return undefined;
    if (type === 'bmp' && !isBitmap(bytes)) return undefined;
    return { contentType, width, height };
  } catch {
    return undefined;
  }
}

// The headers that programs write: BITMAPINFOHEADER, with masks, and versions 4 and 5.
const infoLengths = [40, 52, 56, 108, 124];
const bitDepths = [1, 4, 8, 16, 24, 32];
// None, run lengths and masks; the others hold a JPEG or a PNG.
const compressions = [0, 1, 2, 3, 6];

/** True where the header is a bitmap's: its two letters alone begin many a text. Throws where the bytes end before it does. */
function isBitmap(bytes: Uint8Array): boolean {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataAt = header.getUint32(10, true);
  const infoLength = header.getUint32(14, true);
  return (
    infoLengths.includes(infoLength) &&
    header.getUint16(26, true) === 1 &&
    bitDepths.includes(header.getUint16(28, true)) &&
    compressions.includes(header.getUint32(30, true)) &&
    dataAt >= 14 + infoLength &&
    dataAt < bytes.byteLength
  );
}
