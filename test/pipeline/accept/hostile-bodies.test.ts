import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Cost } from '../../fixtures/body-reader.ts';
import { unitNames, type BodyPlan, type Kind, type Unit } from '../../support/bodies.ts';

// What grows with the square of it is six times as slow as it should be long before.
const bytes = 2_097_152;
const mostTimes = 6;
const mostHeld = 12;
// Whatever else the machine or the engine does only adds: what seems too much is measured again, beside a plain body.
const tries = 4;

let reader: ChildProcess;
let ended: Promise<unknown[]>;
beforeAll(async () => {
  reader = fork(join(import.meta.dirname, '..', '..', 'fixtures', 'body-reader.ts'), {
    execArgv: ['--expose-gc', '--max-old-space-size=1024'],
  });
  ended = once(reader, 'exit');
  await once(reader, 'message');
});
afterAll(async () => {
  reader.disconnect();
  await ended;
});

async function costOf(plan: BodyPlan): Promise<Cost> {
  reader.send(plan);
  return await new Promise((resolve, reject) => {
    reader.once('message', resolve);
    void ended.then(() => reject(new Error('the reader of bodies ended')));
  });
}

const some = fc.uniqueArray(fc.constantFrom(...unitNames), { minLength: 1, maxLength: 3 });
const shapes = fc.record({ of: some, beside: some, share: fc.constantFrom(0.01, 0.5, 0.95) });
type Shape = Exclude<BodyPlan['made'], 'plain'>;
const alone = unitNames.map((unit): [Shape] => [{ of: [unit], beside: [], share: 0 }]);
const besideItems = (['longText', 'digit', 'wideObject', 'escapes'] satisfies Unit[]).map((unit): [Shape] => [
  { of: ['reference'], beside: [unit], share: 0.3 },
]);
const examples = [...alone, ...besideItems];

it.each<Kind>(['preservica', 'woodwing', 'pywebhooks'])(
  'a rightly signed body for %s takes time and memory in proportion to its bytes, whatever its shape',
  { timeout: 600_000 },
  async (kind) => {
    const plain = async (): Promise<number> => {
      const cost = await costOf({ kind, made: 'plain', bytes });
      expect(cost.reading).toBe('events');
      return cost.ms / cost.bytes;
    };
    let plainMs = Math.min(await plain(), await plain());
    const property = fc.asyncProperty(shapes, async (made) => {
      let times = Infinity;
      let held = Infinity;
      for (let left = tries; left > 0 && (times >= mostTimes || held >= mostHeld); left -= 1) {
        if (left < tries) plainMs = await plain();
        const cost = await costOf({ kind, made, bytes });
        held = Math.min(held, cost.heldBytes / cost.bytes);
        times = Math.min(times, cost.ms / cost.bytes / plainMs);
      }
      expect(held).toBeLessThan(mostHeld);
      expect(times).toBeLessThan(mostTimes);
    });
    await fc.assert(property, { numRuns: examples.length + 10, examples, endOnFailure: true });
  },
);
