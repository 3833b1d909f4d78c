import { expect, it } from 'vitest';
import { claimEvent, settle, type EventCopy } from '../../../src/pipeline/process/event-transitions.ts';
import type { AssetState } from '../../../src/pipeline/model/ledger.ts';
import { anEvent, aMessage } from '../../support/work-bench.ts';

const { events: _events, ...head } = aMessage();
const copy: EventCopy = { event: anEvent(), head, messageId: 'm-1', content: { event: anEvent() } };
const now = new Date('2026-01-05T10:00:00Z');
const lease = { owner: 'h-1', messageId: 'm-1', until: '2026-01-05T10:02:00.000Z' };
const kept = (fetch: number): AssetState => ({
  fetch,
  keptFetch: fetch,
  fetchedAt: '2026-01-05T10:00:00.000Z',
  fetchedFor: null,
  title: `Fetch ${fetch}`,
  recordEtag: `"${fetch}"`,
  thumbnailEtag: null,
  latestEventAt: null,
  removedAt: null,
});

it('what a later fetch kept is not pushed aside by one that ends after it', () => {
  const { change } = claimEvent({ event: undefined, asset: undefined }, copy, lease, now);
  if (change.event === undefined) throw new Error('nothing was begun');
  const rows = { event: { value: change.event, etag: '"e"' }, asset: { value: kept(5), etag: '"a"' } };
  const done = { state: 'done' as const, reason: null };
  const about = { now, owner: 'h-1', countsAsTry: true };
  expect(settle(rows, copy, done, { ...about, asset: kept(4) }).change.asset).toEqual(kept(5));
  expect(settle(rows, copy, done, { ...about, asset: kept(6) }).change.asset).toEqual(kept(6));
});

it('a fetch that ends while another has begun leaves that one its number', () => {
  const { change } = claimEvent({ event: undefined, asset: undefined }, copy, lease, now);
  if (change.event === undefined) throw new Error('nothing was begun');
  const begun = { ...kept(1), fetch: 2 };
  const rows = { event: { value: change.event, etag: '"e"' }, asset: { value: begun, etag: '"a"' } };
  const about = { now, owner: 'h-1', countsAsTry: true, asset: kept(1) };
  expect(settle(rows, copy, { state: 'done', reason: null }, about).change.asset?.fetch).toBe(2);
});
