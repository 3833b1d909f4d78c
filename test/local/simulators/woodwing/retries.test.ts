import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/local/simulators/woodwing/settings.ts';
import { hooked, registered } from './receiver.ts';

const quick = { retryDelaysMs: [1] };
const statusesOf = ({ sent }: { sent: readonly { status: number }[] }) => sent.map(({ status }) => status);
const path = '/services/admin/webhook';

describe('a delivery', () => {
  it('comes again after a 5xx, until it is taken', async () => {
    const { simulator, change, receiver } = await hooked(quick, {}, (_got, count) => ({
      status: count < 3 ? 503 : 204,
    }));
    await change();
    expect(simulator.sent.map(({ status, attempt }) => [status, attempt])).toEqual([
      [503, 1],
      [503, 2],
      [204, 3],
    ]);
    expect(new Set(receiver.got.map(({ body }) => body.toString())).size).toBe(1);
    expect(simulator.warnings).toEqual([]);
  });

  it.each([
    [{}, 9],
    [{ webHooksRetryMaximumAttempts: 3 }, 4],
    [{ webHooksRetryMaximumAttempts: 0 }, 1],
  ])('is given up in the end: %o', async (settings, tries) => {
    const { simulator, change } = await hooked({ ...quick, ...settings }, {}, () => ({ status: 500 }));
    await change();
    expect(statusesOf(simulator)).toEqual(Array.from({ length: tries }, () => 500));
  });

  it('does not come again after a 4xx, which is noted with its words', async () => {
    const { simulator, change, webhook, receiver } = await hooked(quick, {}, () => ({
      status: 400,
      body: 'bad',
    }));
    await change();
    expect(statusesOf(simulator)).toEqual([400]);
    expect(simulator.warnings).toEqual([
      { webhookId: webhook.id, url: receiver.url, status: 400, body: 'bad' },
    ]);
  });

  it('waits longer each time', async () => {
    const at: number[] = [];
    const { change } = await hooked({ retryDelaysMs: [20, 60], webHooksRetryMaximumAttempts: 3 }, {}, () => {
      at.push(performance.now());
      return { status: 500 };
    });
    await change();
    const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(waits).toHaveLength(3);
    // A timer may be a millisecond early.
    for (const [index, least] of [19, 59, 59].entries()) expect(waits[index]).toBeGreaterThanOrEqual(least);
  });

  it.each([
    ['failed', [307], 1],
    ['followed', [200], 2],
  ] as const)('that is sent elsewhere is %s', async (redirects, statuses, calls) => {
    const { simulator, change, receiver } = await hooked({ ...quick, redirects }, {}, ({ target }) =>
      target.endsWith('/there') ? {} : { status: 307, location: '/there' },
    );
    await change();
    expect(statusesOf(simulator)).toEqual(statuses);
    expect(receiver.got.map(({ method }) => method)).toEqual(Array.from({ length: calls }, () => 'POST'));
    expect(receiver.got.at(-1)?.headers['x-hook-signature']).toBe(
      receiver.got[0]?.headers['x-hook-signature'],
    );
  });

  it.each([
    [true, [0, 0, 0]],
    [false, [0]],
  ])('that reaches nobody comes again: %s', async (retryUnreached, statuses) => {
    for (const redirects of ['failed', 'followed'] as const) {
      const settings = { ...quick, retryUnreached, redirects, webHooksRetryMaximumAttempts: 2 };
      const { simulator, change, client, webhook } = await hooked(settings);
      // The port that nothing can listen on.
      const init = { method: 'PUT', body: '{"url":"http://127.0.0.1:0/"}' };
      expect((await client(`${path}/${webhook.id}`, init)).status).toBe(200);
      await change();
      expect(statusesOf(simulator)).toEqual(statuses);
    }
  });

  it('that is not answered in time comes again', async () => {
    const { simulator, change } = await hooked({ ...quick, answerWithinMs: 100 }, {}, (_got, count) =>
      count === 1 ? 'never' : {},
    );
    await change();
    expect(statusesOf(simulator)).toEqual([0, 200]);
  });

  it.each(['current', 'at-first'] as const)('that comes again has the token: %s', async (retrySignedWith) => {
    const all = await hooked({ ...quick, retrySignedWith }, {}, async (_got, count) => {
      if (count === 2) return {};
      await all.client(`${path}/${all.webhook.id}/generate-token`, { method: 'POST', body: '{}' });
      return { status: 503 };
    });
    await all.change();
    const current = all.simulator.webhooks.get(all.webhook.id)?.secretToken ?? '';
    const [first, again] = all.receiver.got.map(({ headers }) => headers['x-hook-signature']);
    const madeWith = (token: string) =>
      createHmac('sha256', token)
        .update(all.receiver.got[1]?.body ?? '')
        .digest('hex');
    expect(first).toBe(madeWith(all.webhook.secretToken));
    expect(again).toBe(madeWith(retrySignedWith === 'current' ? current : all.webhook.secretToken));
    expect(current).not.toBe(all.webhook.secretToken);
  });

  it('ends with its webhook', async () => {
    const all = await hooked(quick, {}, async () => {
      await all.client(`${path}/${all.webhook.id}`, { method: 'DELETE' });
      return { status: 500 };
    });
    await all.change();
    expect(statusesOf(all.simulator)).toEqual([500]);
  });

  it('ends with the simulator', async () => {
    const { simulator, change } = await hooked({ retryDelaysMs: [3_600_000] }, {}, () => ({ status: 500 }));
    const happening = change();
    await expect.poll(() => simulator.sent.length).toBe(1);
    simulator.hold();
    const held = change();
    await simulator.close();
    await Promise.all([happening, held, change()]);
    expect(simulator.sent).toHaveLength(1);
  });
});

describe('failures', () => {
  const limit = { ...quick, webHooksFailuresBeforeDisable: 3 };
  const failing = (settings: Partial<Settings>, status = 500) => hooked(settings, {}, () => ({ status }));
  const isEnabled = ({ simulator, webhook }: Awaited<ReturnType<typeof hooked>>) =>
    simulator.webhooks.get(webhook.id)?.enabled;

  it('disable a webhook, and nothing more is sent', async () => {
    const all = await failing(limit);
    await all.change();
    expect([all.simulator.sent.length, isEnabled(all)]).toEqual([3, false]);
    await all.change();
    expect(all.simulator.sent).toHaveLength(3);
  });

  it('never disable one with -1', async () => {
    const all = await failing({ ...limit, webHooksFailuresBeforeDisable: -1 });
    await all.change();
    expect([all.simulator.sent.length, isEnabled(all)]).toEqual([9, true]);
  });

  it('count within the time only', async () => {
    const all = await failing({ ...limit, failureWindowMs: 0 });
    await all.change();
    expect([all.simulator.sent.length, isEnabled(all)]).toEqual([9, true]);
  });

  it('count of one webhook, not of all', async () => {
    const all = await failing({ ...limit, webHooksRetryMaximumAttempts: 1 });
    await registered(all.client, { url: all.receiver.url });
    await all.change();
    expect([...all.simulator.webhooks.values()].map(({ enabled }) => enabled)).toEqual([true, true]);
  });

  it('count where a delivery is given up, if set', async () => {
    const all = await failing({ ...limit, failuresCounted: 'given-up', webHooksRetryMaximumAttempts: 1 });
    for (const expected of [true, true, false]) {
      await all.change();
      expect(isEnabled(all)).toBe(expected);
    }
    expect(all.simulator.sent).toHaveLength(6);
  });

  it.each([
    [true, false],
    [false, true],
  ])('are refusals too: %s', async (refusalsAreFailures, expected) => {
    const all = await failing({ ...limit, refusalsAreFailures }, 400);
    for (let time = 0; time < 3; time += 1) await all.change();
    expect(isEnabled(all)).toBe(expected);
  });

  it('leave what waits to be sent later, if set', async () => {
    let status = 500;
    const settings = { ...limit, waitingWhenDisabled: 'kept' } as const;
    const all = await hooked(settings, {}, () => ({ status }));
    const happening = all.change();
    await expect.poll(() => isEnabled(all)).toBe(false);
    status = 200;
    await all.client(`${path}/${all.webhook.id}/enable`, { method: 'PUT' });
    await happening;
    expect(statusesOf(all.simulator)).toEqual([500, 500, 500, 200]);
  });
});
