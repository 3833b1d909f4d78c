import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodyBudget, type HeldBody } from '../../src/functions/body-budget.ts';

const kibibyte = 1024;
const mostBytes = 4096 * kibibyte;

interface FakeBody extends HeldBody {
  beganAt: number;
  onPaceAt: number | undefined;
  heldBytes: number;
}

function setup() {
  let now = 0;
  const budget = new BodyBudget(mostBytes, () => now);
  const ended: FakeBody[] = [];
  const upload = (): FakeBody => {
    const body: FakeBody = {
      beganAt: now,
      onPaceAt: now,
      heldBytes: 0,
      giveWay() {
        ended.push(body);
        body.heldBytes = 0;
      },
    };
    return body;
  };
  const hold = (body: FakeBody, bytes: number): boolean => {
    const hasRoom = budget.hold(body, bytes);
    if (hasRoom) body.heldBytes = bytes;
    return hasRoom;
  };
  const pass = (ms: number): void => void (now += ms);
  return { budget, ended, upload, hold, pass };
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 256 }).map((each) => each * kibibyte),
  fc.integer({ min: 257, max: 4097 }).map((each) => each * kibibyte),
);
const step = fc.oneof(
  fc.record({ what: fc.constant('begin' as const), bytes: size }),
  fc.record({
    what: fc.constant('grow' as const),
    which: fc.nat(),
    times: fc.double({ min: 1, max: 3, noNaN: true }),
  }),
  fc.record({ what: fc.constantFrom('release', 'complete', 'come on'), which: fc.nat() }),
  fc.record({ what: fc.constant('pass' as const), ms: fc.nat({ max: 3_000 }) }),
);

it('never gives more than there is, ends nobody for nothing, and gets everything back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { budget, ended, upload, hold, pass } = setup();
      let bodies: FakeBody[] = [];
      for (const each of steps) {
        const endedBefore = ended.length;
        const before = budget.heldBytes;
        if (each.what === 'pass' && 'ms' in each) pass(each.ms);
        else if (each.what === 'begin' && 'bytes' in each) {
          const body = upload();
          bodies.push(body);
          if (!hold(body, each.bytes))
            expect([ended.length, budget.heldBytes]).toEqual([endedBefore, before]);
        } else if ('which' in each && bodies.length > 0) {
          const body = bodies[each.which % bodies.length];
          if (body === undefined) continue;
          if ('times' in each) {
            const hasRoom = hold(body, Math.ceil(body.heldBytes * each.times));
            if (!hasRoom) expect([ended.length, budget.heldBytes]).toEqual([endedBefore, before]);
          } else if (each.what === 'complete') body.onPaceAt = undefined;
          else if (each.what === 'come on' && body.onPaceAt !== undefined) body.onPaceAt += 1;
          else if (each.what === 'release') {
            budget.release(body);
            body.heldBytes = 0;
          }
        }
        for (const body of ended.slice(endedBefore)) expect(body.onPaceAt).toBeDefined();
        bodies = bodies.filter((body) => !ended.includes(body));
        const held = bodies.map(({ heldBytes }) => heldBytes);
        const large = held.filter((bytes) => bytes > 256 * kibibyte);
        const sum = (list: number[]): number => list.reduce((all, bytes) => all + bytes, 0);
        expect(budget.heldBytes).toBe(sum(held));
        expect(sum(held)).toBeLessThanOrEqual(mostBytes);
        if (large.length > 1) expect(sum(large)).toBeLessThanOrEqual((mostBytes * 3) / 4);
      }
      for (const body of bodies) budget.release(body);
      expect(budget.heldBytes).toBe(0);
    }),
  );
});

it('keeps a quarter for small bodies', () => {
  const { upload, hold } = setup();
  while (hold(upload(), 512 * kibibyte));
  for (let left = 4; left > 0; left -= 1) expect(hold(upload(), 256 * kibibyte)).toBe(true);
  expect(hold(upload(), 1)).toBe(false);
});

it('gives a single body all of it', () => {
  const { upload, hold } = setup();
  expect(hold(upload(), mostBytes)).toBe(true);
});

it('ends the slowest upload in place of a new one, and none that is young or complete', () => {
  const { upload, hold, pass, ended } = setup();
  const [complete, slow, slower] = [upload(), upload(), upload()];
  for (const body of [complete, slow, slower]) hold(body, 1024 * kibibyte);
  complete.onPaceAt = undefined;
  slow.onPaceAt = 2;
  slower.onPaceAt = 1;
  expect(hold(upload(), 1024 * kibibyte)).toBe(false);
  pass(2_001);
  expect(hold(upload(), 1024 * kibibyte)).toBe(true);
  expect(ended).toEqual([slower]);
  expect(hold(upload(), 1024 * kibibyte)).toBe(true);
  expect(ended).toEqual([slower, slow]);
  expect(hold(upload(), 1024 * kibibyte)).toBe(false);
  expect(ended).toHaveLength(2);
});

it('ends a young upload only where it stands still', () => {
  const { upload, hold, pass, ended } = setup();
  const [still, coming] = [upload(), upload()];
  for (const body of [still, coming]) hold(body, 1536 * kibibyte);
  pass(1_001);
  coming.onPaceAt = 1_000;
  expect(hold(upload(), 1536 * kibibyte)).toBe(true);
  expect(ended).toEqual([still]);
  expect(hold(upload(), 1536 * kibibyte)).toBe(false);
});

it('ends an upload for a small body only where the small ones have no room left', () => {
  const { upload, hold, pass, ended } = setup();
  while (hold(upload(), 512 * kibibyte));
  pass(2_001);
  hold(upload(), 100 * kibibyte);
  expect(ended).toEqual([]);
  hold(upload(), 1024 * kibibyte);
  expect(ended).toHaveLength(2);
});

it('refuses the slowest itself, where it grows', () => {
  const { upload, hold, pass, ended } = setup();
  const slowest = upload();
  hold(slowest, 512 * kibibyte);
  const others = Array.from({ length: 5 }, upload);
  for (const body of others) {
    hold(body, 512 * kibibyte);
    body.onPaceAt = 1_000;
  }
  pass(2_001);
  expect(hold(slowest, 1024 * kibibyte)).toBe(false);
  expect(ended).toEqual([]);
});
