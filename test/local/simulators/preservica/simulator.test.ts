import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { clientOf, logIn, startSimulator } from './client.ts';

it('is on loopback, at a port of its own', async () => {
  const [one, other] = [await startSimulator(), await startSimulator()];
  expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(one.url).not.toBe(other.url);
});

it('notes every call, and the most at once', async () => {
  const simulator = await startSimulator();
  const client = await clientOf(simulator);
  await client('/api/entity/root/children?max=5');
  await client('/api/nothing');
  expect(simulator.calls).toEqual([
    { method: 'POST', target: '/api/accesstoken/login', status: 200 },
    { method: 'GET', target: '/api/entity/root/children?max=5', status: 200 },
    { method: 'GET', target: '/api/nothing', status: 404 },
  ]);
  expect(simulator.mostAtOnce).toBe(1);
  simulator.settings.latencyMs = 50;
  await Promise.all(Array.from({ length: 5 }, () => client('/api/user/details')));
  expect(simulator.mostAtOnce).toBe(5);
});

it.each(['/api/entity/information-objects/%E0%A4%A', '/api/%', '/', '/apis', '//x/api', '/constructor'])(
  'has an answer to %s',
  async (path) => {
    const simulator = await startSimulator();
    const { status } = await (await clientOf(simulator))(path);
    expect([400, 404]).toContain(status);
  },
);

it('takes what differs from the defaults', async () => {
  const simulator = await startSimulator({ settings: { version: '7.7' } });
  const { text } = await (await clientOf(simulator))('/api/entity/versiondetails/version');
  expect(text).toContain('<CurrentVersion>7.7.0</CurrentVersion>');
  expect((await logIn(simulator)).status).toBe(200);
});

it('holds 1,000 assets for a few megabytes', async () => {
  const { library } = await startSimulator();
  const before = process.memoryUsage().rss;
  for (let index = 0; index < 1_000; index += 1) {
    const contentObjects = [[{ name: 'scan.tif', size: 100_000_000 }]];
    library.addAsset({
      title: `Asset ${index}`,
      representations: [{ type: 'Preservation', contentObjects }],
    });
  }
  expect(library.all()).toHaveLength(2_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
});

it('ends with all that is under way, so that its process ends too', async () => {
  const path = join(import.meta.dirname, '../../../../src/local/simulators/preservica/simulator.ts');
  const script = `
    import { createServer } from 'node:http';
    import { once } from 'node:events';
    import { startPreservicaSimulator } from '${pathToFileURL(path).href}';
    const hour = 3_600_000;
    const simulator = await startPreservicaSimulator({
      settings: { retryDelaysMs: [hour], answerWithinMs: hour, challengeCode: 'c' },
    });
    let answers = true;
    const { createHmac } = await import('node:crypto');
    const response = createHmac('sha256', 's').update('c').digest('hex');
    const receiver = createServer((incoming, outgoing) => {
      if (answers) outgoing.end(JSON.stringify({ challengeCode: 'c', challengeResponse: response }));
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    const { username, password } = simulator.settings.account;
    const login = await fetch(simulator.url + '/api/accesstoken/login', {
      method: 'POST',
      body: new URLSearchParams({ username, password }),
    });
    const headers = { 'Preservica-Access-Token': (await login.json()).token };
    const subscribe = (url) =>
      fetch(simulator.url + '/api/webhook/subscriptions', {
        method: 'POST',
        headers,
        body: JSON.stringify({ url, triggerType: 'MOVED', secret: 's' }),
      });
    const url = 'http://127.0.0.1:' + receiver.address().port;
    if ((await subscribe(url)).status !== 200) throw new Error('not subscribed');
    answers = false;
    // A handshake and a delivery that nobody answers, a delivery that waits for its next try, and calls that wait.
    const waiting = [subscribe(url), simulator.happen('MOVED', [simulator.library.addAsset({ title: 'A' })])];
    while ((await new Promise((resolve) => receiver.getConnections((_, count) => resolve(count)))) < 2)
      await new Promise((resolve) => setImmediate(resolve));
    simulator.subscriptions.forEach((each) => simulator.subscriptions.set('gone', { ...each, url: 'http://127.0.0.1:1' }));
    waiting.push(simulator.happen('MOVED', [simulator.library.addAsset({ title: 'B' })]));
    while (!simulator.sent.some(({ status }) => status === 0)) await new Promise((resolve) => setImmediate(resolve));
    simulator.fault({ kind: 'slow', ms: hour, path: /details/ });
    simulator.fault({ kind: 'hang', path: /root/ });
    simulator.fault({ kind: 'huge', path: /children/ });
    for (const path of ['user/details', 'entity/root', 'entity/children'])
      waiting.push(fetch(simulator.url + '/api/' + path, { headers }));
    while (simulator.calls.length < 6) await new Promise((resolve) => setImmediate(resolve));
    const settled = Promise.allSettled(waiting);
    await simulator.close();
    await settled;
    receiver.closeAllConnections();
    receiver.close();
    console.log('closed');
  `;
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  expect(stdout + stderr).toBe('closed\n');
}, 30_000);
