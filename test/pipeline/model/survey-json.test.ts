import { expect, it } from 'vitest';
import { readJson, whyUnread } from '../../../src/pipeline/model/read-json.ts';
import { isParsable } from '../../../src/pipeline/model/survey-json.ts';

const list = <T>(length: number, each: (at: number) => T): T[] => Array.from({ length }, (_, at) => each(at));
const map = (length: number, each: (at: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(list(length, (at) => [`SKU-${String(at).padStart(7, '0')}`, each(at)]));
const word = (at: number): string => at.toString(36).padStart(5, '0');

it.each<[string, unknown]>([
  ['15,790 prices by name', map(15_790, (at) => at / 4)],
  ['100,000 prices by name', map(100_000, (at) => at / 4)],
  ['20,000 assets by name', map(20_000, (at) => ({ title: `Harbour ${at}`, state: 'ok' }))],
  ['ten maps of 5,000 names', list(10, (of) => map(5_000, (at) => ({ of, at })))],
  ['25,600 points', list(25_600, (at) => [at % 640, at % 480])],
  ['40,000 short ids', list(40_000, word)],
  ['30,000 words of a page', list(30_000, (at) => ({ t: word(at), b: [at % 900, at % 700, 40, 12] }))],
  ['a manifest of 20,000 files', list(20_000, (at) => ({ n: `f${at}.tif`, s: at, h: word(at).repeat(8) }))],
  ['10,000 tags, each under a name of its own', list(10_000, (at) => ({ [word(at)]: at }))],
])('what people send is read: %s', (_what, payload) => {
  expect(readJson(Buffer.from(JSON.stringify({ id: 'x', payload })))).toEqual({ id: 'x', payload });
});

it.each<[string, string]>([
  ['objects of ever new names', list(30_000, (at) => `{"${word(at)}":0}`).join(',')],
  [
    'objects of ever new orders',
    list(2_000, (at) => `{${list(20, (of) => `"${word(at * 20 + of)}":0`).join(',')}}`).join(','),
  ],
  ['empty objects', '{},'.repeat(200_000) + '0'],
  ['empty lists', '[],'.repeat(200_000) + '0'],
  ['new short texts', list(400_000, (at) => `"${word(at)}"`).join(',')],
  ['members of new names in one object', `{${list(400_000, (at) => `"${word(at)}":0`).join(',')}}`],
  ['objects in turns with others', list(100_000, (at) => `{"${word(at % 3_000)}":0}`).join(',')],
  ['levels', '['.repeat(201) + ']'.repeat(201)],
])('what would cost too much says so: %s', (_what, text) => {
  const bytes = Buffer.from(`[${text}]`);
  expect(readJson(bytes)).toBeUndefined();
  expect(whyUnread(bytes)).toBe('too-dense');
});

it('what is no JSON says so', () => {
  expect(whyUnread(Buffer.from('{"a":'))).toBe('not-json');
});

it('names that were chosen to be taken for each other are counted all the same', () => {
  // As anybody can compute who reads the source, but for where the hash begins.
  const mix = (hash: number, value: number): number => {
    const mixed = Math.imul(hash ^ value, 0x01000193);
    return mixed ^ (mixed >>> 15);
  };
  const begin = 0x811c9dc5 | 0;
  const names: string[] = [];
  for (let at = 0; names.length < 40_000; at += 1) {
    const name = at.toString(36).padStart(6, '0');
    let hash = begin;
    for (let index = 0; index < name.length; index += 1) hash = mix(hash, name.charCodeAt(index));
    if ((mix(0, hash) & 0xf_ff_ff) < 2 ** 13) names.push(name);
  }
  expect(isParsable(Buffer.from(`[${names.map((name) => `{"${name}":0}`).join(',')}]`))).toBe(false);
});
