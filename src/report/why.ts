// Why a wait of smp_call_function_*() was slow, or never ends: the same run once more, with the log of
// the CPU waited for, read backwards from the wait to what held it up.
import { checkBoolean } from '../core/check.js';
import { X } from '../core/memory.js';
import { checkWait } from '../timed/check-result.js';
import type { CostSet } from '../timed/costs.js';
import {
  type CpuState,
  checkTimedOptions,
  type SlowWait,
  type TimedEvent,
  type TimedOptions,
  TimedRun,
} from '../timed/engine.js';
import { FUNCS } from '../timed/names.js';
import type { Scenario } from '../timed/scenario.js';
import { duration } from './units.js';
import { vectorName } from './vectors.js';
import { blockers } from './why-blocked.js';

/** One step of the chain. */
export interface Step {
  /** Simulated time. */
  ns: number;
  /** -1: nobody's, it didn't happen. */
  cpu: number;
  text: string;
}

export interface Explanation {
  wait: SlowWait;
  stuck: boolean;
  steps: Step[];
  cause: string;
}

/** Entries kept of a long run; the oldest go first. */
const KEPT = 400_000;

/** Runs the scenario again, slice by slice; `explanation` is there at the end. */
export class Why {
  explanation: Explanation | undefined;
  readonly #run: TimedRun;
  readonly #wait: SlowWait;
  readonly #stuck: boolean;
  #events: TimedEvent[] = [];

  /**
   * @param options of the run that had the wait; its own onEvents is not called
   * @param wait one of a result's `slowest`, or with `stuck` one of its `stuck`
   * @throws UsageError for a scenario, costs, options or a wait that no run has
   */
  constructor(
    scenario: Scenario,
    costs: CostSet,
    options: TimedOptions,
    wait: SlowWait,
    stuck: boolean,
  ) {
    this.#wait = checkWait('wait', wait);
    this.#stuck = checkBoolean('stuck', stuck);
    const until = stuck ? {} : { eventsUntilNs: wait.begin_ns + wait.wait_ns };
    this.#run = new TimedRun(scenario, costs, {
      ...checkTimedOptions(options),
      ...until,
      eventsOf: { target: wait.target, waiter: wait.cpu },
      onEvents: (events) => this.#keep(events),
    });
  }

  #keep(events: TimedEvent[]): void {
    for (const event of events) this.#events.push(event);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
  }

  /** Yields the simulated time in ns after each slice; takes the events of those that follow. */
  *slices(): Generator<number, Explanation, number | undefined> {
    const end = this.#stuck ? Number.POSITIVE_INFINITY : this.#wait.begin_ns + this.#wait.wait_ns;
    const slices = this.#run.slices();
    let next: number | undefined;
    for (;;) {
      const slice = slices.next(next);
      if (slice.done || slice.value > end) break;
      next = yield slice.value;
    }
    const events = this.#events.toSorted((a, b) => a.ps - b.ps);
    const state = this.#run.cpuState(this.#wait.target);
    this.explanation = new Chain(events, this.#wait, this.#stuck, state).explain();
    return this.explanation;
  }

  run(): Explanation {
    for (const _ of this.slices());
    return this.explanation!;
  }
}

const CALL_VECTORS: readonly number[] = [0xfb, 0xfc];

class Chain {
  readonly #events: readonly TimedEvent[];
  readonly #wait: SlowWait;
  readonly #stuck: boolean;
  readonly #state: CpuState;
  readonly #steps: Step[] = [];

  constructor(events: readonly TimedEvent[], wait: SlowWait, stuck: boolean, state: CpuState) {
    this.#events = events;
    this.#wait = wait;
    this.#stuck = stuck;
    this.#state = state;
  }

  #add(event: { ps: number; cpu: number }, text: string): void {
    this.#steps.push({ ns: event.ps / 1000, cpu: event.cpu, text });
  }

  #last(before: number, test: (event: TimedEvent) => boolean): TimedEvent | undefined {
    return this.#events.findLast((event) => event.ps <= before && test(event));
  }

  #first(after: number, test: (event: TimedEvent) => boolean): TimedEvent | undefined {
    return this.#events.find((event) => event.ps >= after && test(event));
  }

  explain(): Explanation {
    const { cpu, target, begin_ns } = this.#wait;
    const begin = begin_ns * 1000;
    const queued = this.#last(
      begin,
      ({ kind, cpu: who, b }) => kind === X.LOG_QUEUE && who === cpu && b === target,
    );
    if (!queued) return this.#done('what led to the wait is not in the log that was kept');
    const func = FUNCS[queued.a];
    this.#add(queued, `queues ${func}() on CPU ${target}'s call_single_queue`);
    const cause = this.#follow(queued, this.#ipiOf(queued, begin));
    return this.#done(cause);
  }

  /** The IPI that is to empty the queue: the waiter's own, or the one it relied on. */
  #ipiOf(queued: TimedEvent, begin: number): TimedEvent | undefined {
    const { cpu, target } = this.#wait;
    const calls = (event: TimedEvent) =>
      event.kind === X.LOG_IPI_SENT && event.b === target && CALL_VECTORS.includes(event.a);
    const own = this.#first(queued.ps, (event) => calls(event) && event.cpu === cpu);
    if (own && own.ps <= begin) {
      this.#add(
        { ps: own.ps + own.c, cpu },
        `the queue was empty: writes the ICR, ${vectorName(own.a)} to CPU ${target}`,
      );
      return own;
    }
    this.#add(queued, 'the queue was not empty: sends no IPI, relies on the one under way');
    const other = this.#last(begin, calls);
    if (!other) return undefined;
    const opened = this.#last(
      other.ps,
      (event) => event.kind === X.LOG_QUEUE && event.cpu === other.cpu && event.b === target,
    );
    if (opened) {
      this.#add(opened, `queued ${FUNCS[opened.a]}() there first, when the queue was empty`);
    }
    this.#add(
      { ps: other.ps + other.c, cpu: other.cpu },
      `sends the IPI for it, ${vectorName(other.a)} to CPU ${target}`,
    );
    return other;
  }

  #follow(queued: TimedEvent, ipi: TimedEvent | undefined): string {
    const { target } = this.#wait;
    if (!ipi) return 'no IPI to the target is in the log that was kept';
    const arrived = this.#first(
      ipi.ps,
      ({ kind, cpu, b, a }) =>
        cpu === target &&
        ((kind === X.LOG_FAULT && b === ipi.cpu && a <= X.FAULT_REORDER) ||
          ((kind === X.LOG_IRR || kind === X.LOG_MERGED) && b === ipi.cpu && a === ipi.a)),
    );
    if (!arrived) return 'the IPI is still on its way';
    if (arrived.kind === X.LOG_FAULT) return this.#struck(ipi, arrived);
    return this.#accepted(queued, ipi, arrived);
  }

  #struck(ipi: TimedEvent, fault: TimedEvent): string {
    const names = ['lost', 'delayed', 'duplicated', 'held back behind the next one'];
    const late = fault.a === X.FAULT_DROP ? '' : ` by ${duration(fault.c)}`;
    this.#add(fault, `the message is ${names[fault.a]}${late} (fault): IRR is not set`);
    if (fault.a !== X.FAULT_DROP) return `the IPI of CPU ${ipi.cpu} was ${names[fault.a]}${late}`;
    const after = this.#events.filter(
      (e) => e.kind === X.LOG_IPI_SUPPRESSED && e.b === this.#wait.target && e.ps > ipi.ps,
    );
    for (const event of after.slice(0, 3)) {
      this.#add(event, 'finds the queue not empty: sends no IPI either');
    }
    const many = after.length > 3 ? ` (${after.length} times in all)` : '';
    return `one IPI, from CPU ${ipi.cpu} to CPU ${this.#wait.target}, was lost. Its call stays queued, so the queue is never empty, so no later caller sends an IPI${many}: the target is wedged until somebody sends it one for another reason`;
  }

  #accepted(queued: TimedEvent, ipi: TimedEvent, arrived: TimedEvent): string {
    const { target } = this.#wait;
    const merged = arrived.kind === X.LOG_MERGED;
    this.#add(
      arrived,
      merged
        ? `IRR bit ${ipi.a} is already set: the IPI merges with it`
        : `IRR bit ${ipi.a} is set, ${duration(arrived.ps - ipi.ps)} after the send began`,
    );
    const taken = this.#first(
      arrived.ps,
      ({ kind, cpu, a }) => kind === X.LOG_TAKE && cpu === target && a === ipi.a,
    );
    const own = this.#events.filter((event) => event.cpu === target);
    const atOnce = taken !== undefined && taken.ps === arrived.ps;
    const held = atOnce
      ? { steps: [], cause: '' }
      : blockers(own, arrived.ps, taken?.ps, ipi.a, this.#state);
    for (const { event, text } of held.steps) this.#add(event, text);
    if (!taken) return held.cause;
    this.#add(
      taken,
      `takes vector ${ipi.a}${atOnce ? ' at once' : `, ${duration(taken.ps - arrived.ps)} after IRR was set`}`,
    );
    return this.#handled(queued, arrived, taken, held.cause);
  }

  /** From the handler to the release. */
  #handled(queued: TimedEvent, arrived: TimedEvent, taken: TimedEvent, blocked: string): string {
    const { cpu, target, begin_ns, wait_ns } = this.#wait;
    const ran = this.#first(
      taken.ps,
      (e) => e.kind === X.LOG_FUNC && e.cpu === target && e.b === cpu && e.a === queued.a,
    );
    const before = this.#events.filter(
      (e) => e.kind === X.LOG_FUNC && e.cpu === target && e.ps >= taken.ps && e.ps < (ran?.ps ?? 0),
    );
    if (before.length > 0) {
      this.#add(before[0]!, `runs ${before.length} calls of other CPUs first`);
    }
    if (!ran) return 'the handler has not come to this call yet';
    this.#add(ran, `runs ${FUNCS[ran.a]}()`);
    const unlock = this.#first(
      ran.ps,
      (e) => e.kind === X.LOG_UNLOCK && e.cpu === target && e.b === cpu,
    );
    if (unlock) this.#add(unlock, 'csd_unlock()');
    const end = (begin_ns + wait_ns) * 1000;
    if (!this.#stuck) this.#add({ ps: end, cpu }, 'sees the lock free: the wait is over');
    const parts: [number, string][] = [
      [arrived.ps - queued.ps, 'the way from the call to the IRR bit'],
      [taken.ps - arrived.ps, blocked],
      [
        ran.ps - taken.ps,
        before.length > 0
          ? `the target ran ${before.length} other calls before this one`
          : "the handler's entry and EOI",
      ],
      [end - (unlock?.ps ?? end), 'the cache line with the lock'],
      [(unlock?.ps ?? end) - ran.ps, 'the function itself took most of the time'],
    ];
    const [longest, text] = parts.reduce((a, b) => (b[0] > a[0] ? b : a));
    return `${text} (${duration(longest)} of ${duration(end - queued.ps)})`;
  }

  #done(cause: string): Explanation {
    const steps = this.#steps.toSorted((a, b) => a.ns - b.ns);
    return { wait: this.#wait, stuck: this.#stuck, steps, cause };
  }
}
