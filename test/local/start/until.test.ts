import { expect, it, vi } from 'vitest';
import { until } from '../../../src/local/start/until.ts';

it('says what it waits for where that takes long, once', async () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  let asked = 0;
  // An error is no answer either.
  const answer = await until('the storm to end', async () => {
    if (said.mock.calls.length === 0) throw new Error('not yet');
    return (asked += 1) > 3;
  });
  expect(answer).toBe(true);
  expect(said.mock.calls).toEqual([['Waiting for the storm to end …']]);
  said.mockRestore();
});
