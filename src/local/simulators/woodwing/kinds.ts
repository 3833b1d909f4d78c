const domains: Readonly<Record<string, readonly string[]>> = {
  image: ['jpg', 'jpeg', 'png', 'tif', 'tiff', 'gif', 'psd'],
  audio: ['wav', 'mp3', 'aif'],
  video: ['mp4', 'mov'],
  pdf: ['pdf'],
};

const contentTypes: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  gif: 'image/gif',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  pdf: 'application/pdf',
};

export function extensionOf(filename: string): string {
  return /\.([^.]+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
}

/** The value of `assetDomain`. */
export function domainOf(filename: string): string {
  const extension = extensionOf(filename);
  const [domain] = Object.entries(domains).find(([, extensions]) => extensions.includes(extension)) ?? [];
  return domain ?? 'document';
}

/** What the bytes are, or else what their name says. */
export function contentTypeOf(filename: string, bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  if (start === '89504e47') return 'image/png';
  if (start.startsWith('ffd8ff')) return 'image/jpeg';
  return contentTypes[extensionOf(filename)] ?? 'application/octet-stream';
}
