import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readPicture } from '../../../src/pipeline/process/picture.ts';

/** A PNG as far as its header: nobody looks further. */
function png(width: number, height: number): Buffer {
  const bytes = PNG.sync.write(new PNG({ width: 1, height: 1 }));
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

interface Bitmap {
  info: number;
  width: number;
  height: number;
  planes: number;
  bits: number;
  compression: number;
  dataAt: number;
}

function bmp(given: Partial<Bitmap> = {}): Buffer {
  const info = given.info ?? 40;
  const bitmap = { width: 3, height: 2, planes: 1, bits: 24, compression: 0, dataAt: 14 + info, ...given };
  const bytes = Buffer.alloc(14 + Math.max(info, 40) + 24);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.byteLength, 2);
  bytes.writeUInt32LE(bitmap.dataAt, 10);
  bytes.writeUInt32LE(info, 14);
  bytes.writeInt32LE(bitmap.width, 18);
  bytes.writeInt32LE(bitmap.height, 22);
  bytes.writeUInt16LE(bitmap.planes, 26);
  bytes.writeUInt16LE(bitmap.bits, 28);
  bytes.writeUInt32LE(bitmap.compression, 30);
  return bytes;
}

describe('the sides of a picture', () => {
  it.each([
    [1, 1],
    [8192, 1],
    [1, 8192],
    [4096, 4096],
    [8192, 2048],
  ])('may be %i by %i', (width, height) => {
    expect(readPicture(png(width, height))).toEqual({ contentType: 'image/png', width, height });
  });

  it.each([
    [8193, 1],
    [1, 8193],
    [4096, 4097],
    [65_535, 65_535],
    [4_294_967_295, 4_294_967_295],
    [0, 5],
  ])('may not be %i by %i', (width, height) => {
    expect(readPicture(png(width, height))).toBeUndefined();
  });
});

describe('a bitmap', () => {
  it.each<[string, Partial<Bitmap>]>([
    ['of 24 bits', {}],
    ['from top to bottom', { height: -2 }],
    ['with a palette', { bits: 8, dataAt: 60 }],
    ['with a longer header', { info: 124 }],
    ['of 32 bits with masks', { info: 108, bits: 32, compression: 3 }],
  ])('is a picture %s', (_name, given) => {
    expect(readPicture(bmp(given))).toEqual({ contentType: 'image/bmp', width: 3, height: 2 });
  });

  it.each<[string, Buffer]>([
    ['two letters', Buffer.from('BM')],
    ['text that begins with them', Buffer.from('BM<html><script>alert(1)</script></html>'.padEnd(200, ' '))],
    ['cut off in its header', bmp().subarray(0, 40)],
    ['a header of no length that is known', bmp({ info: 41 })],
    ['the header of a system of 1988', bmp({ info: 12 })],
    ['of two planes', bmp({ planes: 2 })],
    ['of seven bits', bmp({ bits: 7 })],
    ['another picture inside', bmp({ compression: 4 })],
    ['with its data inside the header', bmp({ dataAt: 20 })],
    ['with its data behind its end', bmp({ dataAt: 4_000 })],
    ['of no width', bmp({ width: 0 })],
    ['of a width below nothing', bmp({ width: -3 })],
    ['too wide', bmp({ width: 65_536, height: 65_536 })],
  ])('is none: %s', (_name, bytes) => {
    expect(readPicture(bytes)).toBeUndefined();
  });
});
