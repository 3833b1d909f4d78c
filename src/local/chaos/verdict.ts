import { createHash } from 'node:crypto';
import type { EventEntry } from '../../pipeline/model/ledger.ts';
import { isFinal } from '../../pipeline/process/event-transitions.ts';
import type { Planted } from './planted.ts';
import type { Expected } from './source.ts';
import type { Stored } from './stored.ts';

/** What the run did, and what must have come of it. */
export interface Told {
  /** Changes of which a delivery got its 200. */
  readonly accepted: ReadonlySet<number>;
  /** What a wrongly signed delivery was answered in the end. */
  readonly refused: readonly number[];
  readonly planted: readonly Planted[];
  readonly expected: readonly Expected[];
  /** How often each event came to its end, by what the processes said. */
  readonly endsSaid: ReadonlyMap<string, number>;
  /** What the witness of all writes saw that must not be. */
  readonly witnessed: readonly string[];
}

export interface Verdict {
  /** Promises that were broken, each with the event or the asset. */
  readonly lost: string[];
  readonly doubled: string[];
  readonly poison: string[];
  readonly wrong: string[];
  /** Events by state and reason. */
  readonly states: Map<string, number>;
}

/** Compares what is kept with what was told. */
export async function judge(told: Told, events: readonly EventEntry[], stored: Stored): Promise<Verdict> {
  const verdict: Verdict = { lost: [], doubled: [], poison: [], wrong: [], states: new Map() };
  const rows = new Map<number, EventEntry[]>();
  const others: EventEntry[] = [];
  for (const entry of events) {
    const { state, reason } = entry.summary;
    const key = reason === null ? state : `${state}: ${reason.code}`;
    verdict.states.set(key, (verdict.states.get(key) ?? 0) + 1);
    if (reason?.code === 'poison') verdict.poison.push(named(entry));
    const change = changeOf(entry);
    if (change === undefined) others.push(entry);
    else rows.set(change, [...(rows.get(change) ?? []), entry]);
  }
  for (const change of told.accepted) {
    const own = rows.get(change) ?? [];
    if (own.length === 0) verdict.lost.push(`change ${change} was accepted and has no row`);
    if (own.length > 1) verdict.doubled.push(`change ${change} has the rows ${own.map(named).join(' and ')}`);
    for (const entry of own)
      if (!isFinal(entry.summary.state)) verdict.lost.push(`${named(entry)} came to no end`);
  }
  for (const [id, count] of told.endsSaid)
    if (count > 1) verdict.doubled.push(`event ${id} was ended ${count} times by what the processes said`);
  verdict.doubled.push(...told.witnessed);

  for (const status of told.refused)
    if (status !== 401) verdict.wrong.push(`a wrong signature was answered ${status}`);
  if (rows.has(-1))
    verdict.wrong.push(`a wrong signature has left rows: ${rows.get(-1)?.map(named).join(', ')}`);
  const excused = await judgePlanted(told.planted, others, stored, verdict);
  for (const entry of others)
    if (!excused.has(entry)) verdict.wrong.push(`${named(entry)} is of nothing that was sent`);

  const unlucky = new Set(
    events.filter(({ summary }) => summary.state === 'failed').map(({ summary }) => summary.assetId),
  );
  for (const expected of told.expected)
    await judgeAsset(expected, unlucky.has(expected.assetId), stored, verdict);
  return verdict;
}

/** The rows that are those of planted messages. */
async function judgePlanted(
  planted: readonly Planted[],
  rows: readonly EventEntry[],
  stored: Stored,
  { wrong }: Verdict,
): Promise<ReadonlySet<EventEntry>> {
  const texts = new Map<EventEntry, string>();
  for (const entry of rows) {
    const { content } = entry;
    const blob = 'unread' in content ? await stored.unread(content.unread.blob) : undefined;
    texts.set(entry, blob?.toString() ?? '');
  }
  const found = new Set<EventEntry>();
  for (const { what, code, mark, eventId } of planted) {
    const own = rows.filter(
      (entry) => entry.summary.id === eventId || texts.get(entry)?.includes(mark) === true,
    );
    for (const entry of own) found.add(entry);
    const fits = own.some(({ summary }) => summary.state === 'failed' && summary.reason?.code === code);
    if (!fits) wrong.push(`a message (${what}) has no row that says ${code}`);
  }
  return found;
}

async function judgeAsset(
  { source, assetId, deleted, title, picture }: Expected,
  isUnlucky: boolean,
  stored: Stored,
  { wrong }: Verdict,
): Promise<void> {
  const name = `the record of ${source} ${assetId}`;
  const kept = await stored.asset(source, assetId);
  if (kept === undefined) {
    if (!isUnlucky) wrong.push(`${name} is not there`);
    return;
  }
  const { record, pictureSha256 } = kept;
  if (record.thumbnail !== null && record.thumbnail.sha256 !== pictureSha256)
    wrong.push(`${name} names a picture whose bytes have another digest (${pictureSha256 ?? 'none there'})`);
  // An event that failed says so in the ledger; its change may be missing.
  if (isUnlucky) return;
  if (record.deleted !== deleted) wrong.push(`${name} says deleted: ${record.deleted}`);
  if (deleted) return;
  if (record.title !== title) wrong.push(`${name} says "${record.title}", and the source "${title}"`);
  const sha256 = picture && createHash('sha256').update(picture).digest('hex');
  if (record.thumbnail?.sha256 !== sha256) wrong.push(`${name} has another picture than the source`);
}

/** The number of the change that the event tells of; undefined where it tells of none. */
function changeOf({ identifiers, content }: EventEntry): number | undefined {
  const given =
    identifiers.find(({ type }) => type === 'Change')?.value ??
    ('event' in content ? content.event.data['change'] : undefined);
  return given === undefined ? undefined : Number(given);
}

function named({ summary: { id, source, state, reason } }: EventEntry): string {
  return `event ${id} of ${source ?? 'no source'} (${state}${reason === null ? '' : `, ${reason.code}`})`;
}
