import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startControl } from '../../../src/local/start/control.ts';
import { runningIn, takeFolder } from '../../../src/local/start/one-a-folder.ts';

async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'one-a-folder-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const start = async () => {
    const control = await startControl({ appUrl: () => 'http://127.0.0.1:9', simulate: async () => [] });
    onTestFinished(() => control.close());
    return control;
  };
  return { folder, start };
}

it.each([
  ['nothing', undefined],
  ['what a crash left', '{"pid":1,"url":"http://127.0.0.1:1","token":"x"}'],
  ['half a file', '{"pid"'],
])('of many that begin at one time one has the folder, where there was %s', async (_name, left) => {
  const { folder, start } = await setup();
  if (left !== undefined) await writeFile(join(folder, 'start.json'), left);
  const controls = await Promise.all(Array.from({ length: 12 }, start));
  const places = await Promise.all(controls.map(async ({ address }) => await takeFolder(folder, address)));
  const taken = places.flatMap((place) => (place.kind === 'taken' ? [place] : []));
  expect(taken).toHaveLength(1);
  const owner = controls[places.findIndex(({ kind }) => kind === 'taken')]?.address;
  for (const place of places) if (place.kind === 'held') expect(place.by.address).toEqual(owner);
  expect(await runningIn(folder)).toEqual({ address: owner, appUrl: 'http://127.0.0.1:9' });
  expect(await readdir(folder)).toEqual(['start.json']);
  await taken[0]?.free();
  expect(await readdir(folder)).toEqual([]);
});
