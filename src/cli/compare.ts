// ipistorm compare: single, mask of one, mask of k, allbutself, paravirtual.

import {
  CPU_LIMIT,
  DRIVER_MODES,
  type Driver,
  driversOf,
  ERAS,
  type Era,
  type MachineOptions,
  missingIn,
} from '../core/config.js';
import { snakeKeys } from '../core/counters.js';
import { usage } from '../core/errors.js';
import { Machine } from '../machine/machine.js';
import { candidatesFor, type Measured, measure } from '../machine/measure.js';
import { comparisonSheet, conclusions } from '../report/compare-text.js';
import { MACHINE_OPTIONS, machineOptions, oneOf, parseDriver } from './machine-options.js';
import { parseNumber, parseNumberList } from './numbers.js';
import type { CommandSpec, OptionSpec, Parsed } from './options.js';
import type { Terminal } from './terminal.js';

const { era: _era, driver: _driver, mode: _mode, ...MACHINE } = MACHINE_OPTIONS;

export const COMPARE: CommandSpec = {
  summary:
    'Compares send paths: what each costs the sender, counted, and how long the host simulates it.\nHost nanoseconds are of one call with all its targets, median of alternating rounds; not hardware time.',
  options: {
    ...(MACHINE as Record<string, OptionSpec>),
    eras: { value: 'LIST', help: `default all: ${Object.keys(ERAS).join(',')}` },
    drivers: {
      value: 'LIST',
      help: 'default x2apic_cluster,x2apic_phys,kvm_pv,hyperv (as far as they exist)',
    },
    sizes: { value: 'LIST', help: 'mask sizes (default 2,4,16,64)' },
    rounds: { value: 'N', help: 'timed rounds (default 15)' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm compare',
    'npx ipistorm compare --topology 2x32x2 --eras linux-6.12 --drivers x2apic_cluster,x2apic_phys --sizes 2-8,16',
    'npx ipistorm compare --cpus 4096 --drivers x2apic_cluster --sizes 16 --json',
  ],
};

/** Which (era, driver) pairs exist and fit. */
function pairs(args: Parsed, cpus: number): [Era, Driver][] {
  const eras = (args.text('eras') ?? Object.keys(ERAS).join(','))
    .split(',')
    .map((e) => oneOf<Era>('--eras', e, ERAS));
  const named = args.text('drivers')?.split(',').map(parseDriver);
  const wanted: Driver[] = named ?? ['x2apic_cluster', 'x2apic_phys', 'kvm_pv', 'hyperv'];
  for (const driver of named ?? []) {
    const limit = CPU_LIMIT[DRIVER_MODES[driver][0]!];
    if (cpus > limit.max)
      throw usage(
        '--cpus',
        cpus,
        `1-${limit.max} with ${driver} (${limit.why})`,
        'name other --drivers',
      );
    if (eras.every((era) => missingIn(driver, era))) {
      throw usage(
        '--drivers',
        driver,
        driversOf(eras[0]!, cpus).join(', '),
        missingIn(driver, eras[0]!),
      );
    }
  }
  return eras.flatMap((era) =>
    wanted.filter((d) => !missingIn(d, era)).map((d): [Era, Driver] => [era, d]),
  );
}

export function runCompare(args: Parsed, terminal: Terminal): number {
  const machine: MachineOptions = machineOptions(args, {
    topology: { sockets: 2, cores: 24, threads: 2 },
  });
  const { mode: _, driver: __, ...probe } = machine;
  const { cpus } = Machine.create({ ...probe, driver: 'x2apic_phys' }).config;
  if (cpus < 2) throw usage('--cpus', cpus, '2 or more');
  const sizes = parseNumberList('--sizes', args.text('sizes') ?? '2,4,16,64', 1, 65535, 32);
  const rounds = parseNumber('--rounds', args.text('rounds') ?? '15', 3, 1000);
  const groups = pairs(args, cpus).map(([era, driver]) =>
    candidatesFor(era, driver, machine, cpus, sizes),
  );
  const flat = groups.flat();
  const measured = measure(flat, {
    rounds,
    now: () => Number(process.hrtime.bigint()),
    onRound: (done, all) => {
      terminal.progress(done / all, `round ${done} of ${all}, ${flat.length} paths`);
      return false;
    },
  });
  terminal.clearProgress();
  if (args.flag('json')) terminal.print(JSON.stringify(compareJson(measured, cpus), null, 2));
  else terminal.show(comparisonSheet(measured, cpus));
  return 0;
}

function compareJson(measured: readonly Measured[], cpus: number): object {
  return {
    cpus,
    paths: measured.map((m) => ({
      era: m.era,
      driver: m.driver,
      path: m.path,
      targets: m.targets,
      per_call: snakeKeys(m.perCall),
      host_ns: m.hostNs,
    })),
    conclusions: conclusions(measured),
  };
}
