import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../../src/local/simulators/faults.ts';
import { readXml } from '../../../../src/sources/preservica/xml.ts';
import { clientOf, elementOf, startSimulator } from './client.ts';

type Kind<T> = T extends unknown ? Omit<T, 'path' | 'times'> : never;

async function setup() {
  const simulator = await startSimulator();
  const client = await clientOf(simulator);
  const asset = simulator.library.addAsset({ title: 'Harbour' });
  const folder = simulator.library.addFolder({ title: 'Negatives' });
  for (const title of ['A', 'B']) simulator.library.addAsset({ title, parent: folder.ref });
  const path = `/api/entity/information-objects/${asset.ref}`;
  const children = `/api/entity/structural-objects/${folder.ref}/children?max=1`;
  const thumbnail = `/api/content/thumbnail?id=sdb%3AIO%7C${asset.ref}`;
  /** The answer to that call with that fault, which strikes once. */
  const struck = async (fault: Kind<Fault>, target = path, init?: RequestInit) => {
    simulator.fault({ ...fault, path: /./, times: 1 });
    return await client(target, init);
  };
  return { simulator, client, asset, path, children, thumbnail, struck };
}

describe('a fault', () => {
  it('strikes the calls that fit, as often as it says, or until it is cleared', async () => {
    const { simulator, client, path } = await setup();
    const twice: Fault = { kind: 'status', status: 500, path: /identifiers$/, method: 'GET', times: 2 };
    simulator.fault(twice);
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await client(`${path}/identifiers`)).status);
    expect(statuses).toEqual([500, 500, 200]);
    expect(twice.times).toBe(2);
    simulator.fault({ kind: 'status', status: 500, path: /information-objects/ });
    for (let call = 0; call < 3; call += 1) expect((await client(path)).status).toBe(500);
    simulator.clearFaults();
    expect((await client(path)).status).toBe(200);
  });

  it.each([
    [{ kind: 'status', status: 429, retryAfter: '7' } as const, 429, ['retry-after', '7']],
    [{ kind: 'status', status: 503 } as const, 503, ['retry-after', null]],
    [{ kind: 'redirect', to: 'http://127.0.0.1:1/' } as const, 302, ['location', 'http://127.0.0.1:1/']],
  ])('refuses, and does nothing: %o', async (fault, status, [header, value]) => {
    const { struck, asset, path } = await setup();
    const body = '<Identifier><Type>a</Type><Value>b</Value></Identifier>';
    const answer = await struck(fault, `${path}/identifiers`, { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get(header ?? '')).toBe(value);
    expect(asset.identifiers).toEqual([]);
  });

  it.each(['cut', 'wrong-length'] as const)('breaks off an answer to what was done: %s', async (kind) => {
    const { struck, asset, path } = await setup();
    const body = '<Identifier><Type>a</Type><Value>b</Value></Identifier>';
    await expect(struck({ kind }, `${path}/identifiers`, { method: 'POST', body })).rejects.toThrow();
    expect(asset.identifiers).toHaveLength(1);
  });

  it('never answers', async () => {
    const { simulator, struck, path } = await setup();
    const asking = struck({ kind: 'hang' }, path, { signal: AbortSignal.timeout(200) });
    await expect(asking).rejects.toThrow('aborted due to timeout');
    await simulator.close();
    expect(simulator.calls.at(-1)).toMatchObject({ target: path, status: 0 });
  });

  it('answers late', async () => {
    const { simulator, struck } = await setup();
    const began = performance.now();
    expect((await struck({ kind: 'slow', ms: 60 })).status).toBe(200);
    simulator.settings.latencyMs = 60;
    expect((await struck({ kind: 'slow', ms: 60 })).status).toBe(200);
    // Each timer may be early by a millisecond or two.
    expect(performance.now() - began).toBeGreaterThan(170);
  });

  it('breaks the XML', async () => {
    const { struck } = await setup();
    expect(readXml((await struck({ kind: 'broken-xml' })).text).kind).toBe('malformed');
  });

  it('sends a document type with entities', async () => {
    const { text } = await (await setup()).struck({ kind: 'doctype' });
    expect(text).toMatch(/<!DOCTYPE .*<!ENTITY .*SYSTEM "file:.*<xip:Title>&c;&x;Harbour/s);
  });

  it('sends another version and other prefixes', async () => {
    const answer = await (await setup()).struck({ kind: 'namespace' });
    expect(answer.text).toContain('xmlns:p="http://preservica.com/XIP/v9.9"');
    expect(elementOf(answer, 'InformationObject', 'Title')?.text).toBe('Harbour');
  });

  it('leads to another host, in links and pages', async () => {
    const { struck, children, simulator } = await setup();
    const answer = await struck({ kind: 'other-host' }, children);
    expect(elementOf(answer, 'Paging', 'Next')?.text).toMatch(/^http:\/\/127\.0\.0\.2:9\/api\/entity\//);
    expect(answer.text).not.toContain(simulator.url);
  });

  it('calls something a picture that is none', async () => {
    const { struck, thumbnail } = await setup();
    const answer = await struck({ kind: 'not-a-picture' }, thumbnail);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(answer.text).toContain('<html>');
  });

  it('sends a picture of 20 MB', async () => {
    const { struck, thumbnail } = await setup();
    const { bytes } = await struck({ kind: 'huge-picture' }, thumbnail);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(bytes.byteLength).toBeGreaterThan(20_000_000);
  });

  it('sends 200 MB of XML, and stops when nobody reads on', async () => {
    const { simulator, client, path } = await setup();
    simulator.fault({ kind: 'huge', path: /information-objects/ });
    const get = async () => {
      const { body } = await fetch(simulator.url + path, { headers: { 'Preservica-Access-Token': 'any' } });
      if (body === null) throw new Error('There is no body.');
      return body;
    };
    let size = 0;
    for await (const chunk of await get()) size += chunk.byteLength;
    expect(size).toBeGreaterThanOrEqual(200_000_000);
    for await (const chunk of await get()) {
      expect(Buffer.from(chunk).toString()).toMatch(/^<EntityResponse>/);
      break;
    }
    simulator.clearFaults();
    expect((await client(path)).status).toBe(200);
  }, 30_000);
});
