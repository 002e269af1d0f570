// ipistorm ramp: more and more, until it saturates.
import { type RampStep, rampSlices } from '../report/ramp.js';
import { rampSheet } from '../report/ramp-text.js';
import { si } from '../report/units.js';
import type { CostSet } from '../timed/costs.js';
import type { TimedOptions } from '../timed/engine.js';
import type { Scenario } from '../timed/scenario.js';
import type { CommandSpec, Parsed } from './options.js';
import { Pace } from './pace.js';
import { costsOf, FIRST_EVENTS } from './run.js';
import { breathe, type Terminal, watchInterrupt } from './terminal.js';
import { TIMED_OPTIONS, timedScenario, timedScheduler, timedSeed } from './timed-input.js';

const { duration: _, ...OPTIONS } = TIMED_OPTIONS;

export const RAMP: CommandSpec = {
  summary:
    "Raises a scenario's rate by 1.25 until the machine falls behind, and names what was busy then.\nBehind: operations completed below 99 % of those intended, or more than 1 % of the IPIs merged. The\nscenario's operations become an open loop.",
  positional: 'SCENARIO',
  options: {
    ...(OPTIONS as typeof TIMED_OPTIONS),
    json: {
      help: 'machine-readable output, one line a step; after a signal a last line { "interrupted": true }',
    },
  },
  examples: [
    'npx ipistorm ramp hot-target',
    'npx ipistorm ramp membarrier-stampede --costs amd-epyc-x2apic --cpus 64',
    'npx ipistorm ramp p6-bus-storm',
  ],
};

export async function runRamp(args: Parsed, terminal: Terminal): Promise<number> {
  const what = timedScenario(args.positionals[0]!, args);
  const costs = costsOf(what, args);
  const options = { seed: timedSeed(args), scheduler: timedScheduler(args) };
  const steps = await climb(what, costs, options, args.flag('json'), terminal);
  const { hit } = watchInterrupt();
  if (args.flag('json')) {
    if (hit) await terminal.json({}, 0);
  } else {
    terminal.show(rampSheet(what.name, costs.name, steps, !hit));
    if (hit) terminal.note('interrupted: the steps that were complete');
  }
  return hit ? 130 : 0;
}

/** The steps, until it saturates or a signal comes. */
async function climb(
  what: Scenario,
  costs: CostSet,
  options: TimedOptions,
  json: boolean,
  terminal: Terminal,
): Promise<RampStep[]> {
  const steps: RampStep[] = [];
  const interrupt = watchInterrupt();
  const pace = new Pace(FIRST_EVENTS);
  const slices = rampSlices(what, costs, { ...options, sliceEvents: pace.size });
  for (let events: number | undefined; !interrupt.hit; ) {
    const start = performance.now();
    const slice = slices.next(events);
    if (slice.done) break;
    events = pace.after(performance.now() - start);
    const { rate_per_cpu, share, step } = slice.value;
    if (step) steps.push(step);
    if (step && json) terminal.print(JSON.stringify(step));
    const label = `step ${steps.length + 1}: ${si(rate_per_cpu)} a second and CPU`;
    terminal.progress(Math.min(share, 0.99), label);
    await breathe();
  }
  terminal.clearProgress();
  return steps;
}
