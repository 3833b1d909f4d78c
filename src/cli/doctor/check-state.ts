import type { SourceConfig } from '../../pipeline/ports/source-config.ts';
import { mostListed } from '../../pipeline/model/list-limit.ts';
import type { RefusalCode } from '../../pipeline/model/refusals.ts';
import type { SourceDoctor } from '../../pipeline/ports/source-doctor.ts';
import { shortTime } from '../times.ts';
import type { SourceState } from '../running-app.ts';
import { ok, type Check } from './check.ts';
import { countsOf, findings } from './findings.ts';

// Reasons for which calls of a source itself are refused; the others are strangers', more likely than not.
const otherKey: readonly RefusalCode[] = ['wrong-signature'];
const unreadable: readonly RefusalCode[] = ['too-large', 'not-json', 'too-dense', 'unknown-shape'];
const offered: readonly RefusalCode[] = ['key-not-expected'];

interface Own {
  readonly doctor: SourceDoctor;
  readonly ids: readonly string[];
}

/** What the running app says of a source's calls and events. `ids` are its own webhooks that call this app, where it has such. */
export function checkState(
  source: SourceConfig,
  { state, ...own }: Own & { state: SourceState | undefined },
): Check[] {
  return state === undefined ? [] : [...checkRefused(source, state, own), ...checkCounts(source, state)];
}

function checkRefused(source: SourceConfig, { refused }: SourceState, own: Own): Check[] {
  const now = new Date();
  const of = (codes: readonly RefusalCode[]) => refused.filter(({ code }) => codes.includes(code));
  const known = [
    [of(otherKey), findings.callsRefused],
    [of(unreadable), findings.callsUnreadable],
    [of(offered), findings.keysOffered],
  ] as const;
  const others = refused.filter((each) => !known.some(([some]) => some.includes(each)));
  return [
    ...known.flatMap(([some, finding]) =>
      some.length === 0 ? [] : [finding({ ...source, ...own, refused: some, now })],
    ),
    ...(others.length === 0
      ? []
      : [ok(`${source.name}: calls`, `${countsOf(others, now)}. Strangers, most likely.`)]),
  ];
}

function checkCounts(
  source: SourceConfig,
  { failed, waiting, latest, pausedAt, closed }: SourceState,
): Check[] {
  const said = (count: number): string => (count < mostListed ? String(count) : `${mostListed} or more`);
  const last = latest?.receivedAt;
  return [
    // Of a source without a handshake nothing else shows that it reaches the app.
    ok(
      `${source.name}: events`,
      last === undefined ? 'None came yet.' : `The last one came: ${shortTime(last, new Date())}.`,
    ),
    ...(pausedAt == null ? [] : [findings.sourcePaused({ ...source, since: pausedAt })]),
    ...(closed == null ? [] : [findings.sourceLeftAlone({ ...source, ...closed })]),
    ...(failed > 0 ? [findings.eventsFailed({ ...source, count: said(failed) })] : []),
    ...(waiting > 0 ? [findings.eventsWait({ ...source, count: said(waiting) })] : []),
  ];
}
