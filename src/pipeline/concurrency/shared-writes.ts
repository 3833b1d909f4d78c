import { joinMessages } from '../model/message.ts';
import type { WorkQueue } from '../ports/stores.ts';

interface Waiting {
  readonly text: string;
  readonly delayMs: number;
  readonly signal: AbortSignal | undefined;
  resolve(this: void): void;
  reject(this: void, error: unknown): void;
}

// A write that takes so long must not hold up those who come after it.
const slowMs = 100;
const mostAtOnce = 8;
// Nobody waits longer for an answer.
const writtenWithinMs = 3_500;

/**
 * Sends messages to the queue, several in one write where they come while another write is under way; none waits when
 * nothing is. Each is kept once `send` returns. A write that fails fails those that it held, and no other.
 */
export class SharedWrites implements WorkQueue {
  readonly #queue: WorkQueue;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #slow: NodeJS.Timeout | undefined;

  constructor(queue: WorkQueue) {
    this.#queue = queue;
  }

  async send(
    text: string,
    { delayMs = 0, signal }: { delayMs?: number; signal?: AbortSignal } = {},
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#waiting.push({ text, delayMs, signal, resolve, reject });
      if (this.#underWay === 0) this.#writeNext();
    });
  }

  #writeNext(): void {
    clearTimeout(this.#slow);
    this.#waiting = this.#waiting.filter(({ signal }) => signal?.aborted !== true);
    const [first] = this.#waiting;
    if (first === undefined) return;
    const near = this.#waiting.filter((each) => isNear(each.delayMs, first.delayMs));
    const { text, count } = joinMessages(near.map((each) => each.text));
    const group = new Set(near.slice(0, count));
    this.#waiting = this.#waiting.filter((each) => !group.has(each));
    void this.#write(text, [...group]);
    if (this.#underWay < mostAtOnce) this.#slow = setTimeout(() => this.#writeNext(), slowMs);
  }

  async #write(text: string, group: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    try {
      const delayMs = Math.max(...group.map((each) => each.delayMs));
      await this.#queue.send(text, { delayMs, signal: AbortSignal.timeout(writtenWithinMs) });
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.#underWay -= 1;
      this.#writeNext();
    }
  }
}

/** True for delays that may become the longer one of both: who waits for seconds must not wait for somebody's minutes. */
function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= Math.max(2_000, Math.min(one, other) / 4);
}
