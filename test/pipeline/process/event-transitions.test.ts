import { describe, expect, it } from 'vitest';
import type { EventCopy } from '../../../src/pipeline/process/event-copy.ts';
import { claimEvent, settle } from '../../../src/pipeline/process/event-transitions.ts';
import type { AssetState } from '../../../src/pipeline/model/ledger.ts';
import { anEvent, aMessage } from '../../support/work-bench.ts';

const { events: _events, ...head } = aMessage();
const copy: EventCopy = { event: anEvent(), head, owner: 'h-1', content: { event: anEvent() } };
const now = new Date('2026-01-05T10:00:00Z');
const lease = { owner: 'h-1', until: '2026-01-05T10:02:00.000Z' };
const fetchedAt = (minute: number): AssetState => ({
  fetchedAt: `2026-01-05T10:0${minute}:00.000Z`,
  fetchedFor: null,
  latestFetchAt: null,
  title: `As of minute ${minute}`,
  latestEventAt: null,
  removedAt: null,
});
const claimed = (given: EventCopy = copy) => {
  const { change, answer } = claimEvent({ event: undefined, asset: undefined }, given, lease, now);
  if (change.event === undefined) throw new Error(answer.kind);
  return { value: change.event, etag: '"e"' };
};

it('what a fetch that began later found is not pushed aside by one that ends after it', () => {
  const rows = { event: claimed(), asset: { value: fetchedAt(5), etag: '"a"' } };
  const done = { state: 'done' as const, reason: null };
  const about = { now, owner: 'h-1', countsAsTry: true };
  const assetAfter = (asset: AssetState) => settle(rows, copy, done, { ...about, asset }).change.asset;
  expect(assetAfter(fetchedAt(4))).toEqual(fetchedAt(5));
  expect(assetAfter(fetchedAt(6))).toEqual(fetchedAt(6));
});

it('what is known of the events on an asset stays, whatever a fetch of before knew of them', () => {
  const later = {
    ...fetchedAt(5),
    latestEventAt: '2026-01-05T11:00:00.000Z',
    removedAt: '2026-01-05T11:00:00.000Z',
  };
  const rows = { event: claimed(), asset: { value: later, etag: '"a"' } };
  const about = { now, owner: 'h-1', countsAsTry: true, asset: fetchedAt(6) };
  expect(settle(rows, copy, { state: 'done', reason: null }, about).change.asset).toEqual({
    ...fetchedAt(6),
    latestEventAt: later.latestEventAt,
    removedAt: later.removedAt,
  });
});

describe('a second copy of a leased event', () => {
  const rows = { event: claimed(), asset: undefined };
  const claim = (owner: string, leaseOwners?: string[]) => {
    const second = { ...copy, owner, head: { ...head, ...(leaseOwners && { leaseOwners }) } };
    return claimEvent(rows, second, { ...lease, owner }, now).answer.kind;
  };

  it('is held, even where the platform brings the same message again', () => {
    expect(claim('h-2')).toBe('held');
  });

  it('takes the lease over where its owner put this one back', () => {
    expect(claim('h-2', ['h-1'])).toBe('ours');
    expect(claim('h-3', ['h-2'])).toBe('held');
  });
});
