import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';

export const pictureSizes: Readonly<Record<string, number>> = { small: 64, medium: 150, large: 400 };

const drawn = new Map<string, Buffer>();

/** A landscape that is this asset's own: sky, sun and hills from the digest of its reference; always the same PNG. */
export function drawPicture(ref: string, size: number): Buffer {
  const key = `${ref}/${size}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const seed = createHash('sha256').update(ref).digest();
  const byte = (index: number): number => seed[index % seed.length] ?? 0;
  // As many photographs are: not square, but fitted into the square that was asked for.
  const [width, height] =
    byte(0) % 2 === 0 ? [size, Math.round(size * 0.7)] : [Math.round(size * 0.75), size];
  const png = new PNG({ width, height });
  const hills = [1, 2, 3].map((layer) => ({
    base: height * (0.4 + layer * 0.14 + byte(layer) / 3000),
    swing: height * (0.05 + byte(layer + 3) / 2500),
    waves: 1 + (byte(layer + 6) % 4),
    shift: byte(layer + 9) / 40,
    shade: [byte(12) / 3 + 30, byte(13) / 3 + 70, byte(14) / 3 + 30].map(
      (part) => part / (0.6 + layer * 0.35),
    ),
  }));
  const sun = {
    x: (width * byte(15)) / 255,
    y: height * (0.1 + byte(16) / 1200),
    radius: size * (0.05 + byte(17) / 3000),
  };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const hill = hills.findLast(
        ({ base, swing, waves, shift }) => y > base + swing * Math.sin((x / width) * waves * 6.28 + shift),
      );
      const light = y / height;
      const sky = [110 + byte(18) / 3 + 60 * light, 140 + byte(19) / 5 + 50 * light, 200 + 40 * light];
      const inSun = Math.hypot(x - sun.x, y - sun.y) < sun.radius;
      const colour = hill?.shade ?? (inSun ? [255, 236, 170] : sky);
      const place = (y * width + x) * 4;
      for (let part = 0; part < 3; part += 1)
        png.data[place + part] = Math.max(0, Math.min(255, colour[part] ?? 0));
      png.data[place + 3] = 255;
    }
  }
  const bytes = PNG.sync.write(png);
  if (drawn.size < 2_000) drawn.set(key, bytes);
  return bytes;
}
