import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startPreservicaSimulator,
  type PreservicaSimulator,
} from '../../src/local/simulators/preservica/simulator.ts';
import { startAppUnderTest, until, type AppUnderTest } from '../support/app-under-test.ts';

// Of two archives one is slow, and has a backlog.
const backlog = 1_000;
const secret = 'the_secret_of_the_fast_one';

describe.each([
  ['a message each', 1],
  ['many in a message', 100],
])('beside a slow archive whose events came as %s', (_name, batch) => {
  let app: AppUnderTest;
  let fast: PreservicaSimulator;

  beforeAll(async () => {
    fast = await startPreservicaSimulator();
    afterAll(async () => await fast.close());
    const { username, password } = fast.settings.account;
    app = await startAppUnderTest({
      SOURCES: 'archive,fast',
      SOURCE_FAST_KIND: 'preservica',
      SOURCE_FAST_URL: fast.url,
      SOURCE_FAST_USERNAME: username,
      SOURCE_FAST_PASSWORD: password,
      SOURCE_FAST_SECRET: secret,
    });
    expect(await app.subscribe()).toBe(200);
  });

  it('an event of another is done before a hundredth of them', async () => {
    const { preservica } = app;
    preservica.fault({ kind: 'slow', ms: 3_000, path: /./ });
    preservica.settings.batch = batch;
    const slow = Array.from({ length: backlog }, (_, n) =>
      preservica.library.addAsset({ title: `Slow ${n}` }),
    );
    await preservica.happen('FULL_TEXT_INDEXED', slow);

    const asset = fast.library.addAsset({ title: 'Fast' });
    const document = {
      subscriptionId: '0123456789abcdef0123456789abcdef',
      timestamp: new Date().toISOString().slice(0, 23),
      tenant: 'ACME',
      version: '8.1',
      trigger: 'FULL_TEXT_INDEXED',
      events: [{ event: 'FullTextIndexed', entityType: 'IO', entityRef: asset.ref, identifiers: [] }],
    };
    const body = Buffer.from(JSON.stringify(document));
    const delivered = await fast.deliver(`${app.host.url}/webhooks/fast`, { secret, body });
    expect(delivered.status).toBe(200);
    const ended = await until(async () => (await app.events('&source=fast&state=done'))[0]);
    const done = await app.events('&source=archive&state=done');
    const meanwhile = done.filter(
      ({ finishedAt }) =>
        Date.parse(finishedAt ?? '') > Date.parse(ended.receivedAt) &&
        Date.parse(finishedAt ?? '') < Date.parse(ended.finishedAt ?? ''),
    );
    expect(meanwhile.length).toBeLessThan(backlog / 100);

    preservica.clearFaults();
    // The slow one goes on where it may.
    await until(async () => (await app.events('&source=archive&state=done')).at(done.length + 50));
  }, 120_000);
});
