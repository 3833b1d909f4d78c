import type { Stored } from '../model/ledger.ts';
import { openSource, type SourceState } from '../model/source-state.ts';
import type { Log } from '../ports/log.ts';
import type { Permit } from '../ports/permit.ts';
import type { SourceStates } from '../ports/source-states.ts';
import { createCallLimiter, type CallLimiter, type CallLimiterOptions } from './call-limiter.ts';
import { Circuit } from './circuit.ts';
import {
  circuitClosed,
  circuitOpened,
  closedUntil,
  leasePermits,
  permitsOf,
  probeClaimed,
} from './source-transitions.ts';

export type AcquireResult =
  | { kind: 'permit'; permit: SourcePermit }
  /** Nothing became free in time. */
  | { kind: 'busy' }
  | SourceClosed;

/** The source is to be left alone until then (milliseconds since 1970); why, for people. */
export interface SourceClosed {
  readonly kind: 'closed';
  readonly until: number;
  readonly code: 'source-unavailable' | 'rate-limited' | 'login-refused' | 'paused';
  readonly text: string;
}

/** How a source answered; a 404 or 403 is an answer too. */
export type SourceAnswer = 'answered' | 'rate-limited' | 'source-unavailable' | 'login-refused';

/** A permit whose holder says how the source answered. */
export interface SourcePermit extends Permit {
  /** Counts for the circuit. Gives until when the source is left alone, where it is now. */
  report(answer: SourceAnswer): Promise<SourceClosed | undefined>;
}

/** Spares one source, over all instances: so many calls at once, so many a second, none while it is down, wants quiet or is paused. */
export interface SourceLimiter {
  /** Waits at most `maxWaitMs` for a permit. Throws a StorageError. */
  acquire(maxWaitMs: number): Promise<AcquireResult>;
  /** Whether the source is to be left alone now, for whoever is in no hurry. Throws a StorageError. */
  closed(): Promise<SourceClosed | undefined>;
  /** After a 429 or a 503: nobody new is let in for so long. A shorter closing never shortens a longer one. */
  pauseFor(forMs: number, code: 'source-unavailable' | 'rate-limited'): Promise<void>;
}

export interface SourceLimiterOptions extends CallLimiterOptions {
  readonly source: string;
  readonly states: SourceStates;
  /** This instance. */
  readonly owner: string;
  /** How long the circuit is open for the first time; it doubles up to ten minutes. */
  readonly probeAfterMs: number;
  readonly log: Log;
}

// What others decided is known after so long, and permits that nobody uses are given back.
const refreshEveryMs = 5_000;
// Whoever lacks permits asks again after so long.
const askAgainMs = 500;
const shortestPauseMs = 5_000;
const longestPauseMs = 300_000;

export function createSourceLimiter(options: SourceLimiterOptions): SourceLimiter {
  return new LimiterOfAll(options);
}

class LimiterOfAll implements SourceLimiter {
  readonly #options: SourceLimiterOptions;
  readonly #calls: CallLimiter;
  readonly #circuit = new Circuit();
  #stored: Stored<SourceState> | undefined;
  #refreshedAt = -Infinity;
  #refreshing: Promise<void> | undefined;
  #wanted = 0;
  #used = false;
  #probing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SourceLimiterOptions) {
    this.#options = options;
    this.#calls = createCallLimiter(options);
  }

  async acquire(maxWaitMs: number): Promise<AcquireResult> {
    const deadline = this.#now() + maxWaitMs;
    this.#used = true;
    if (this.#sinceRefreshMs() >= refreshEveryMs) await this.#refresh();
    const closed = await this.#soonOpen(deadline);
    if (closed !== undefined) return closed;
    if (!this.#isOpenCircuit()) {
      const permit = await this.#acquirePermit(deadline);
      if (permit === undefined) return { kind: 'busy' };
      // It may have closed meanwhile.
      const late = this.#closedNow();
      if (late === undefined) return { kind: 'permit', permit: this.#reporting(permit) };
      permit.end();
      return late;
    }
    // The time has come to ask, by one event alone, whether the source is back.
    this.#probing = true;
    const permit = (await this.#claimProbe()) ? await this.#acquirePermit(deadline) : undefined;
    if (permit !== undefined) return { kind: 'permit', permit: this.#probe(permit) };
    this.#probing = false;
    return this.#closedNow() ?? { kind: 'busy' };
  }

  async closed(): Promise<SourceClosed | undefined> {
    if (this.#sinceRefreshMs() >= refreshEveryMs) await this.#refresh();
    return this.#closedNow();
  }

  async pauseFor(forMs: number, code: 'source-unavailable' | 'rate-limited'): Promise<void> {
    const until = this.#now() + forMs;
    await this.#decide((state) => closedUntil(state, { code, until }));
  }

  #now(): number {
    return this.#options.now();
  }

  get #state(): SourceState {
    return this.#stored?.value ?? openSource;
  }

  #sinceRefreshMs(): number {
    return this.#now() - this.#refreshedAt;
  }

  #isOpenCircuit(): boolean {
    return (this.#state.closed?.openings ?? 0) > 0;
  }

  #closedNow(): SourceClosed | undefined {
    const now = this.#now();
    const { pausedAt, closed } = this.#state;
    if (pausedAt !== null) {
      // Whoever comes back is soon there after a short pause, and costs little during a long one.
      const waitMs = Math.min(Math.max((now - pausedAt) / 2, shortestPauseMs), longestPauseMs);
      return { kind: 'closed', until: now + waitMs, code: 'paused', text: 'The source is paused.' };
    }
    if (closed === null) return undefined;
    const { code, openings, probe } = closed;
    const text =
      openings === 0
        ? 'The source asked us to stay away for a while, so it was not asked.'
        : 'The source failed too often, so it was not asked; a single event tries now and then whether it is back.';
    if (closed.until > now) return { kind: 'closed', until: closed.until, code, text };
    const isProbed =
      this.#probing || (probe !== null && probe.owner !== this.#options.owner && probe.until > now);
    return openings > 0 && isProbed ? { kind: 'closed', until: now + refreshEveryMs, code, text } : undefined;
  }

  /** Why the source is closed, unless a quiet that it asked for ends in time. */
  async #soonOpen(deadline: number): Promise<SourceClosed | undefined> {
    const closed = this.#closedNow();
    if (closed === undefined || closed.code === 'paused' || this.#isOpenCircuit() || closed.until > deadline)
      return closed;
    const waitMs = closed.until - this.#now();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return this.#closedNow();
  }

  /** How many of the permits are ours now. */
  #count(): number {
    const { count, until } = permitsOf(this.#state, this.#options);
    return until > this.#now() ? count : 0;
  }

  async #acquirePermit(deadline: number): Promise<Permit | undefined> {
    const { maxAtOnce } = this.#options;
    const needed = this.#calls.inUse + this.#calls.waiting + 1;
    if (needed > this.#count()) {
      await this.#refreshing;
      const othersHaveThem = this.#wanted >= Math.min(needed, maxAtOnce);
      if (needed > this.#count() && (!othersHaveThem || this.#sinceRefreshMs() >= askAgainMs))
        await this.#refresh();
    }
    return this.#count() === 0 ? undefined : await this.#calls.acquire(Math.max(0, deadline - this.#now()));
  }

  /** Learns what others decided, and renews our permits or asks for more. One at a time; whoever comes meanwhile shares it. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  async #refreshOnce(): Promise<void> {
    const { source, states, owner, maxAtOnce } = this.#options;
    const { inUse, waiting } = this.#calls;
    // A quarter is enough for little work; whoever has more takes what there is.
    const few = Math.ceil(maxAtOnce / 4);
    const isIdle = !this.#used && inUse + waiting === 0;
    const wants = isIdle ? 0 : inUse + waiting < few ? few : maxAtOnce;
    const hasSome = permitsOf(this.#state, this.#options).until > 0;
    const isClosed = this.#closedNow() !== undefined && inUse + waiting === 0;
    if ((isIdle || isClosed) && !hasSome) this.#stored = await states.read(source);
    else {
      const mine = { owner, inUse, maxAtOnce, wants: isClosed ? 0 : wants };
      this.#stored = await states.change(
        source,
        (state) => leasePermits(state, mine, this.#now()),
        this.#stored,
      );
    }
    this.#wanted = isClosed ? 0 : wants;
    this.#refreshedAt = this.#now();
    // Whatever has begun must be able to go on.
    this.#calls.setMaxAtOnce(Math.max(1, permitsOf(this.#state, this.#options).usable));
    if (isIdle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setInterval(() => void this.#tick(), refreshEveryMs).unref();
    }
  }

  async #tick(): Promise<void> {
    try {
      await this.#refresh();
    } catch (error) {
      // The permits run for a while yet; then nobody new gets one.
      this.#options.log('warn', 'permits-not-renewed', {
        source: this.#options.source,
        error: String(error),
      });
    }
    this.#used = false;
  }

  async #claimProbe(): Promise<boolean> {
    const { owner, source, states } = this.#options;
    const claim = (state: SourceState): SourceState => probeClaimed(state, owner, this.#now());
    try {
      this.#stored = await states.change(source, claim, this.#stored);
    } catch (error) {
      this.#probing = false;
      throw error;
    }
    const { closed } = this.#state;
    return closed === null || closed.probe?.owner === owner;
  }

  #reporting(permit: Permit): SourcePermit {
    return {
      call: async (work) => await permit.call(work),
      end: () => permit.end(),
      report: async (answer) => {
        if (answer !== 'rate-limited') {
          const failed = answer !== 'answered';
          if (this.#circuit.trips(failed) || answer === 'login-refused') await this.#openCircuit(answer);
        }
        return this.#isOpenCircuit() ? this.#closedNow() : undefined;
      },
    };
  }

  #probe(permit: Permit): SourcePermit {
    return {
      call: async (work) => await permit.call(work),
      end: () => {
        this.#probing = false;
        permit.end();
      },
      report: async (answer) => {
        if (answer === 'answered' || answer === 'rate-limited') await this.#decide(circuitClosed);
        else await this.#openCircuit(answer, { probeOf: this.#options.owner });
        this.#probing = false;
        return this.#closedNow();
      },
    };
  }

  async #openCircuit(answer: SourceAnswer, by: { probeOf?: string } = {}): Promise<void> {
    const { probeAfterMs, log, source } = this.#options;
    const code = answer === 'login-refused' ? answer : 'source-unavailable';
    this.#circuit.reset();
    await this.#decide((state) => circuitOpened(state, { code, probeAfterMs, ...by }, this.#now()));
    log('warn', 'circuit-open', {
      source,
      code,
      until: new Date(this.#state.closed?.until ?? 0).toISOString(),
    });
  }

  /** Decides for all instances; where storage does not take it, for this one alone. */
  async #decide(decide: (state: SourceState) => SourceState): Promise<void> {
    const { source, states, log } = this.#options;
    try {
      this.#stored = await states.change(source, decide, this.#stored);
    } catch (error) {
      log('warn', 'source-state-not-kept', { source, error: String(error) });
      if (this.#stored !== undefined) this.#stored = { ...this.#stored, value: decide(this.#state) };
    }
  }
}
