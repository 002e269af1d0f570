// ipistorm ramp: more and more, until it saturates.
import { usage } from '../core/errors.js';
import { type RampStep, ramp } from '../report/ramp.js';
import type { CommandSpec, Parsed } from './options.js';
import { costsOf } from './run.js';
import { breathe, si, type Terminal, watchInterrupt } from './terminal.js';
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
  if (!args.flag('json')) print(what.name, costs.name, steps, terminal);
  if (interrupt.hit) return 130;
  return 0;
}

function print(name: string, costs: string, steps: readonly RampStep[], terminal: Terminal): void {
  terminal.title(`${name}, costs ${costs}`);
  terminal.table(
    [
      'a CPU',
      'intended/s',
      'completed/s',
      'IPIs sent/s',
      'handled/s',
      'merged',
      'p50, ns',
      'p99, ns',
      'busiest',
      '',
    ],
    steps.map((step) => [
      si(step.rate_per_cpu),
      si(step.intended_per_s),
      si(step.completed_per_s),
      si(step.ipis_sent_per_s),
      si(step.ipis_handled_per_s),
      `${(100 * step.merged_share).toFixed(1)} %`,
      step.p50_ns.toFixed(0),
      step.p99_ns.toFixed(0),
      `${step.bottleneck.what === 'none' ? '' : step.bottleneck.what} ${(100 * step.bottleneck.busy).toFixed(0)} %`,
      step.saturated ? 'saturated' : '',
    ]),
  );
  const last = steps.at(-1);
  if (!last) terminal.print('no workload of this scenario sends anything');
  else if (!last.saturated) terminal.print('not saturated yet');
  else {
    const { what, text, busy } = last.bottleneck;
    const why =
      last.merged_share > 0.01 ? 'more than 1 % of the IPIs merge in IRR' : 'it falls behind';
    terminal.print(
      terminal.style(
        'yellow',
        `saturated at ${si(last.intended_per_s)} operations a second (${si(last.ipis_sent_per_s)} IPIs): ${why}; bottleneck: ${text}${what === 'none' ? '' : ` ${(100 * busy).toFixed(0)} % of the time`}`,
      ),
    );
  }
}
