// Of what has not even the head of a PNG no picture can be read, and it is refused.
const headBytes = 33;
const ends = {
  png: Buffer.from('IEND\u00ae\u0042\u0060\u0082', 'latin1'),
  jpegScan: Buffer.from([0xff, 0xda]),
  jpeg: Buffer.from([0xff, 0xd9]),
};

/** True for the beginning of a picture whose end, which its format asks for, is not there. */
export function isCutOffPicture(given: Uint8Array): boolean {
  if (given.byteLength < headBytes) return false;
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const start = bytes.toString('latin1', 0, 12);
  if (start.startsWith('\u0089PNG\r\n')) return !bytes.includes(ends.png);
  // A picture in the head may have an end of its own.
  if (start.startsWith('\u00ff\u00d8\u00ff'))
    return bytes.lastIndexOf(ends.jpeg) < Math.max(0, bytes.lastIndexOf(ends.jpegScan));
  if (start.startsWith('GIF8')) return bytes.findLast((byte) => byte !== 0) !== 0x3b;
  if (/^RIFF[^]{4}WEBP$/.test(start)) return bytes.byteLength < 8 + bytes.readUInt32LE(4);
  return false;
}
