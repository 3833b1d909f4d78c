import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { Instance } from './instance.ts';
import type { ChangingSource, Delivery } from './source.ts';

const sendersAtOnce = 16;
// So many deliveries wait to be sent, and leave in any order.
const shuffledAmong = 60;

/** What was sent, and what came back. */
export class Sent {
  readonly accepted = new Set<number>();
  readonly refused: number[] = [];
  deliveries = 0;
  duplicates = 0;
  /** Tries that had no 200, or none in time. */
  failedTries = 0;
}

export interface Plan {
  readonly events: number;
  readonly perSecond: number;
  /** How many of its events the archive tells in its largest delivery. */
  readonly largest: number;
  readonly removals: number;
}

/**
 * Lets things happen at the sources, and sends each delivery again and again until it is taken: shuffled, a fifth of them
 * twice, some wrongly signed. `progress` hears how many events there were so far.
 */
export async function sendAll(
  sources: readonly ChangingSource[],
  instances: readonly Instance[],
  plan: Plan,
  { chance, progress, sent }: { chance: Chance; progress: (events: number) => void; sent: Sent },
): Promise<void> {
  const waiting: Delivery[] = [];
  const copies: { delivery: Delivery; notBefore: number }[] = [];
  const kinds = deliveryKinds(sources, plan, chance);
  const startedAt = Date.now();
  let happened = 0;

  /** Fills up what waits, as fast as the plan says. */
  const happen = (): void => {
    const due = Math.min(plan.events, ((Date.now() - startedAt) / 1_000) * plan.perSecond);
    while (happened < due && waiting.length < shuffledAmong) {
      const delivery = kinds(happened);
      if (delivery === undefined) return;
      happened += delivery.changes.filter((change) => change >= 0).length;
      waiting.push(delivery);
    }
    for (const copy of copies.filter(({ notBefore }) => notBefore <= happened)) {
      copies.splice(copies.indexOf(copy), 1);
      waiting.push(copy.delivery);
    }
    progress(happened);
  };
  const isOver = (): boolean => happened >= plan.events && waiting.length === 0 && copies.length === 0;

  const untilTaken = async (delivery: Delivery): Promise<number> => {
    for (;;) {
      const status = await delivery.send(chance.pick(instances).url);
      if (status === 200 || status === 401) return status;
      sent.failedTries += 1;
      await delay(chance.between(100, 600));
    }
  };
  const send = async (delivery: Delivery): Promise<void> => {
    const status = await untilTaken(delivery);
    sent.deliveries += 1;
    if (delivery.signed === 'wrongly') {
      sent.refused.push(status);
      return;
    }
    if (status !== 200) throw new Error(`A delivery of ${delivery.source} was answered ${status}.`);
    const isFirst = delivery.changes.some((change) => !sent.accepted.has(change));
    for (const change of delivery.changes) sent.accepted.add(change);
    if (!isFirst) {
      sent.duplicates += 1;
    } else if (chance.happens(0.2)) {
      if (delivery.inOrder) {
        await untilTaken(delivery);
        sent.duplicates += 1;
      } else {
        // However late: what has ended meanwhile must not be done again.
        copies.push({
          delivery,
          notBefore: Math.min(plan.events, happened + chance.between(0, plan.events / 3)),
        });
      }
    }
    delivery.taken();
  };
  const sender = async (): Promise<void> => {
    while (!isOver()) {
      happen();
      const [delivery] = waiting.splice(chance.between(0, Math.max(0, waiting.length - 1)), 1);
      if (delivery === undefined) await delay(20);
      else await send(delivery);
    }
  };
  await Promise.all(Array.from({ length: sendersAtOnce }, sender));
}

const pictureComesAfterMs = 3_000;
const fetchBeginsWithinMs = 700;

/**
 * Lets some assets change twice more, so that the first look-up ends after the second one: only the later one may be on
 * record.
 */
export async function sendOvertaking(
  source: ChangingSource,
  instances: readonly Instance[],
  { assets, sent }: { assets: number; sent: Sent },
): Promise<void> {
  const send = async (delivery: Delivery, instance: Instance | undefined): Promise<void> => {
    const status = await delivery.send(instance?.url ?? '');
    if (status !== 200) throw new Error(`A delivery of ${delivery.source} was answered ${status}.`);
    for (const change of delivery.changes) sent.accepted.add(change);
  };
  const overtake = async (delivery: Delivery | undefined): Promise<void> => {
    if (delivery?.again === undefined) return;
    delivery.delayPictures?.(pictureComesAfterMs);
    await send(delivery, instances[0]);
    await delay(fetchBeginsWithinMs);
    await send(delivery.again(), instances[1]);
  };
  await Promise.all(Array.from({ length: assets }, async () => await overtake(source.change(1))));
}

/** What happens next, by chance: mostly one change, sometimes many, a removal or a forgery. */
function deliveryKinds(
  sources: readonly ChangingSource[],
  plan: Plan,
  chance: Chance,
): (happened: number) => Delivery | undefined {
  const weights = [...sources, ...sources.slice(0, 2), ...sources.slice(0, 1)];
  let removals = 0;
  let largestSent = false;
  return (happened) => {
    const source = chance.pick(weights);
    const left = plan.events - happened;
    if (!largestSent && happened > plan.events / 3) {
      largestSent = true;
      const [first] = sources;
      return first?.change(Math.min(plan.largest, left));
    }
    if (chance.happens(0.03)) return source.forged();
    if (removals < plan.removals && happened > (plan.events * (removals + 2)) / (plan.removals + 3)) {
      removals += 1;
      return source.remove();
    }
    return source.change(chance.happens(0.05) ? Math.min(left, chance.between(2, 12)) : 1);
  };
}
