// The rate of a scenario raised step by step until the machine no longer keeps up, and what then is busy.
import { type CostSet, checkCosts } from '../timed/costs.js';
import {
  checkTimedOptions,
  type TimedOptions,
  type TimedResult,
  TimedRun,
} from '../timed/engine.js';
import { checkScenario, type Scenario, type Workload } from '../timed/scenario.js';
import { machineOf } from '../timed/setup.js';

export interface RampStep {
  /** Intended starts of one CPU, a second. */
  rate_per_cpu: number;
  /** Of all CPUs, a second: intended, completed; IPIs sent and handled. */
  intended_per_s: number;
  completed_per_s: number;
  ipis_sent_per_s: number;
  ipis_handled_per_s: number;
  merged_share: number;
  /** Of the operations, from their intended start. */
  p50_ns: number;
  p99_ns: number;
  saturated: boolean;
  bottleneck: Bottleneck;
}

export interface Bottleneck {
  what: 'sender' | 'bus' | 'target' | 'csd lock' | 'lock' | 'none';
  /** The CPU or lock that it is. */
  which: number;
  /** How busy it was, 0 to 1. */
  busy: number;
  text: string;
}

export const GROWTH = 1.25;
/** Completed of intended, or handled of sent, below which the machine is saturated. */
const KEEPS_UP = 0.99;
/** Intended starts of a CPU in a step: enough that one under way doesn't count as a loss. */
const STARTS = 400;
const STEPS_MAX = 120;
/** Between two operations of a CPU on a machine that is taken for quiet. */
const QUIET_NS = 1e6;

const offers = ({ do: what }: Workload): boolean => what !== 'nothing' && what !== 'irqs_off';

/** The scenario as an open loop whose CPUs start an operation every `period` ns in the mean. */
function atPeriod(scenario: Scenario, period: number, cpus: number): Scenario {
  const duration = STARTS * period;
  const { drain_ns: _, ...rest } = scenario;
  return {
    ...rest,
    duration_ns: duration,
    workloads: scenario.workloads.map((workload) => {
      if (!offers(workload)) return workload;
      const { think_ns: _t, loops: _l, start_ns: _s, burst: _b, ...kept } = workload;
      // Gaps as the scenario has them; regular ones spread over the CPUs.
      return { ...kept, period_ns: period, stagger_ns: period / cpus };
    }),
  };
}

/** Where a ramp is: within a step, or at its end, with what was measured. */
export interface RampProgress {
  rate_per_cpu: number;
  /** Simulated time of this step, 0-1. */
  share: number;
  step?: RampStep;
}

/**
 * Yields each step; ends with the first that is saturated.
 * @throws UsageError at once for a scenario, costs or options that no run has
 */
export function ramp(
  scenario: Scenario,
  costs: CostSet,
  options: TimedOptions = {},
): Generator<RampStep, void, undefined> {
  const slices = rampSlices(scenario, costs, options);
  return steps(slices);
}

function* steps(
  slices: Generator<RampProgress, void, number | undefined>,
): Generator<RampStep, void, undefined> {
  for (const { step } of slices) if (step) yield step;
}

/**
 * The same, slice by slice; a number given to `next()` is the events of the slices that follow.
 * @throws UsageError at once for a scenario, costs or options that no run has
 */
export function rampSlices(
  scenario: Scenario,
  costs: CostSet,
  options: TimedOptions = {},
): Generator<RampProgress, void, number | undefined> {
  return slicesOf(checkScenario(scenario), checkCosts(costs), checkTimedOptions(options));
}

function* slicesOf(
  scenario: Scenario,
  costs: CostSet,
  options: TimedOptions,
): Generator<RampProgress, void, number | undefined> {
  const senders = scenario.workloads.filter(offers);
  if (senders.length === 0) return;
  const { cpus } = machineOf(scenario, costs);
  const quiet = new TimedRun(atPeriod(scenario, QUIET_NS, cpus), costs, options);
  yield* sliced(quiet, QUIET_NS);
  let period = firstPeriod(quiet.result());
  for (let count = 0; count < STEPS_MAX; count++) {
    const run = new TimedRun(atPeriod(scenario, period, cpus), costs, options);
    yield* sliced(run, period);
    const step = measure(run, run.result(), period);
    yield { rate_per_cpu: 1e9 / period, share: 1, step };
    if (step.saturated) return;
    period /= GROWTH;
  }
}

function* sliced(run: TimedRun, period: number): Generator<RampProgress, void, number | undefined> {
  const slices = run.slices();
  let events: number | undefined;
  for (;;) {
    const slice = slices.next(events);
    if (slice.done) return;
    events = yield { rate_per_cpu: 1e9 / period, share: slice.value / (STARTS * period) };
  }
}

/** Slow enough: fifty times what one operation takes on a quiet machine. */
function firstPeriod(quiet: TimedResult): number {
  const { call } = quiet.latencies;
  const typical = Math.max(
    call.quantilePs(0.5) / 1000,
    quiet.latencies.handler.quantilePs(0.5) / 1000,
    1,
  );
  return 50 * typical;
}

function measure(run: TimedRun, result: TimedResult, period: number): RampStep {
  const seconds = (STARTS * period) / 1e9;
  const started = result.perCpu.filter(({ operations }) => operations > 0).length;
  const intended = run.intendedOperations();
  const completed = result.latencies.call.count;
  const sent = result.counts.ipis_sent;
  const handled = result.counters.delivered + result.counters.pending;
  const merged = sent === 0 ? 0 : result.counters.coalesced / sent;
  // One operation of each CPU may be under way when time is up.
  const behind = completed + started < KEEPS_UP * intended;
  return {
    rate_per_cpu: 1e9 / period,
    intended_per_s: intended / seconds,
    completed_per_s: completed / seconds,
    ipis_sent_per_s: sent / seconds,
    ipis_handled_per_s: handled / seconds,
    merged_share: merged,
    p50_ns: result.latencies.call_intended.quantilePs(0.5) / 1000,
    p99_ns: result.latencies.call_intended.quantilePs(0.99) / 1000,
    saturated: behind || merged > 1 - KEEPS_UP,
    bottleneck: bottleneckOf(result, STARTS * period),
  };
}

/** The busiest of what can be a bottleneck. */
export function bottleneckOf(result: TimedResult, elapsedNs: number): Bottleneck {
  const share = (ns: number) => Math.min(1, ns / elapsedNs);
  const most = (of: (cpu: TimedResult['perCpu'][number]) => number): [number, number] => {
    const shares = result.perCpu.map((cpu) => share(of(cpu)));
    const busiest = shares.reduce((a, b) => Math.max(a, b), 0);
    return [busiest, Math.max(0, shares.indexOf(busiest))];
  };
  const candidates: Bottleneck[] = [];
  const add = (what: Bottleneck['what'], [busy, which]: [number, number], text: string) => {
    candidates.push({ what, which, busy, text });
  };
  add('bus', [share(result.busBusyNs), 0], 'the serial bus');
  const target = most(({ time_ns }) => time_ns.irq + time_ns.irqs_off);
  add('target', target, `target CPU ${target[1]}: in interrupt handlers or with interrupts off`);
  result.locksHeldNs.forEach((ns, lock) => {
    add('lock', [share(ns), lock], `lock ${lock}: held`);
  });
  const sender = most(({ time_ns }) => time_ns.send);
  add('sender', sender, `sender CPU ${sender[1]}: sending`);
  const waiter = most(({ time_ns }) => time_ns.wait);
  add('csd lock', waiter, `csd locks: CPU ${waiter[1]} waits for its targets`);
  const best = candidates.reduce((a, b) => (b.busy > a.busy ? b : a));
  if (best.busy < 0.5) return { ...best, what: 'none', text: 'nothing is busy half of the time' };
  return best;
}
