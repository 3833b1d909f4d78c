import { describe, expect, it } from 'vitest';
import { readFaultPoint, storageWrites } from '../../../src/local/host/fault-points.ts';

describe('a fault point', () => {
  it.each([
    ['message-queued', { when: 'after', nth: 1 }],
    ['before:claim-written', { when: 'before', nth: 1 }],
    ['after:record-written#3', { when: 'after', nth: 3 }],
  ])('%s is read', (text, meant) => {
    expect(readFaultPoint(text)).toMatchObject(meant);
  });

  it.each(['', 'nothing', 'constructor', 'while:claim-written', 'claim-written#', 'claim-written#x'])(
    '"%s" is none',
    (text) => {
      expect(readFaultPoint(text)).toBeUndefined();
    },
  );

  it.each([
    ['message-queued', 'POST', '/asset-events/messages'],
    ['poison-queued', 'POST', '/asset-events-poison/messages'],
    ['message-deleted', 'DELETE', '/asset-events/messages/id'],
    ['message-put-back', 'PUT', '/asset-events/messages/id'],
    ['claim-written', 'PUT', '/deliveries/2026/body'],
    ['thumbnail-written', 'PUT', '/assets/archive/a-1/thumbnail-0123456789abcdef'],
    ['record-written', 'PUT', '/assets/archive/a-1/record.json'],
    ['ledger-written,event-begun,event-finished', 'POST', '/$batch'],
    ['row-inserted', 'POST', '/ledger'],
    ['row-updated', 'PUT', "/ledger(PartitionKey='a',RowKey='b')"],
    ['row-merged', 'PATCH', '/ledger(PartitionKey=%27a%27,RowKey=%27b%27)'],
    ['', 'PUT', '/deliveries'],
    ['', 'POST', '/Tables'],
    ['', 'GET', '/asset-events/messages'],
  ])('%s is what %s %s is', (names, method, path) => {
    const fitting = Object.entries(storageWrites).filter(
      ([, write]) => write.method === method && write.path.test(path),
    );
    expect(fitting.map(([name]) => name).join()).toBe(names);
  });
});
