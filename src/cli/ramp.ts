// ipistorm ramp: more and more, until it saturates.
import { usage } from '../core/errors.js';
import { type RampStep, ramp } from '../report/ramp.js';
import { rampSheet } from '../report/ramp-text.js';
import { si } from '../report/units.js';
import type { CommandSpec, Parsed } from './options.js';
import { costsOf } from './run.js';
import { breathe, type Terminal, watchInterrupt } from './terminal.js';
import { TIMED_OPTIONS, timedScenario, timedScheduler, timedSeed } from './timed-input.js';

const { duration: _, ...OPTIONS } = TIMED_OPTIONS;

export const RAMP: CommandSpec = {
  summary:
    "Raises a scenario's rate by 1.25 until the machine falls behind, and names what was busy then.\nBehind: operations completed below 99 % of those intended, or more than 1 % of the IPIs merged. The\nscenario's operations become an open loop.",
  positional: 'SCENARIO',
  options: {
    ...(OPTIONS as typeof TIMED_OPTIONS),
    json: { help: 'machine-readable output, one line a step' },
  },
  examples: [
    'npx ipistorm ramp hot-target',
    'npx ipistorm ramp membarrier-stampede --costs amd-epyc-x2apic --cpus 64',
    'npx ipistorm ramp p6-bus-storm',
  ],
};

export async function runRamp(args: Parsed, terminal: Terminal): Promise<number> {
  const [name, ...more] = args.positionals;
  if (name === undefined || more.length > 0) {
    const got = name === undefined ? 'none' : 'several';
    throw usage('SCENARIO', got, 'one name or file', 'see npx ipistorm ramp --help');
  }
  const what = timedScenario(name, args);
  const costs = costsOf(what, args);
  const interrupt = watchInterrupt();
  const steps: RampStep[] = [];
  for (const step of ramp(what, costs, {
    seed: timedSeed(args),
    scheduler: timedScheduler(args),
  })) {
    steps.push(step);
    if (args.flag('json')) terminal.print(JSON.stringify(step));
    terminal.progress(
      Math.min(0.99, step.bottleneck.busy),
      `${si(step.rate_per_cpu)} a second and CPU`,
    );
    await breathe();
    if (interrupt.hit) break;
  }
  terminal.clearProgress();
  interrupt.done();
  if (!args.flag('json')) terminal.show(rampSheet(what.name, costs.name, steps));
  if (interrupt.hit) return 130;
  return 0;
}
