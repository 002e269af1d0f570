// ipistorm compare: single, mask of one, mask of k, allbutself, paravirtual.

import { checkName } from '../core/check.js';
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
import { type Candidate, candidatesFor, type Measured, measureSlices } from '../machine/measure.js';
import { comparisonSheet, conclusions } from '../report/compare-text.js';
import { MACHINE_OPTIONS, machineOptions, parseDriver } from './machine-options.js';
import { parseNumber, parseNumberList } from './numbers.js';
import type { CommandSpec, OptionSpec, Parsed } from './options.js';
import { Breather } from './pace.js';
import { type Terminal, watchInterrupt } from './terminal.js';

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
  const once = <T>(names: readonly T[]): T[] => [...new Set(names)];
  const eras = once(
    (args.text('eras') ?? Object.keys(ERAS).join(','))
      .split(',')
      .map((e) => checkName<Era>('--eras', e, ERAS)),
  );
  const list = args.text('drivers');
  const named = list === undefined ? undefined : once(list.split(',').map(parseDriver));
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

/** Each size once. @throws UsageError for named ones that no mask between one target and all others has */
function sizesOf(args: Parsed, cpus: number): number[] {
  const named = args.text('sizes');
  const sizes = new Set(parseNumberList('--sizes', named ?? '2,4,16,64', 1, 65535, 32));
  const odd = [...sizes].find((size) => size < 2 || size > cpus - 2);
  if (named !== undefined && odd !== undefined) {
    const allowed = cpus > 3 ? `2-${cpus - 2} on ${cpus} CPUs` : `none on ${cpus} CPUs`;
    throw usage('--sizes', odd, allowed, 'one target and all others are compared in any case');
  }
  return [...sizes];
}

export async function runCompare(args: Parsed, terminal: Terminal): Promise<number> {
  const machine: MachineOptions = machineOptions(args, {
    topology: { sockets: 2, cores: 24, threads: 2 },
  });
  const { mode: _, driver: __, ...probe } = machine;
  const { cpus } = Machine.create({ ...probe, driver: 'x2apic_phys' }).config;
  if (cpus < 2) throw usage('--cpus', cpus, '2 or more');
  const sizes = sizesOf(args, cpus);
  const rounds = parseNumber('--rounds', args.text('rounds') ?? '15', 3, 1000);
  const groups = pairs(args, cpus).map(([era, driver]) =>
    candidatesFor(era, driver, machine, cpus, sizes),
  );
  const measured = await measureAll(groups.flat(), rounds, terminal);
  const { hit } = watchInterrupt();
  if (args.flag('json')) await terminal.json(compareJson(measured, cpus));
  else terminal.show(comparisonSheet(measured, cpus));
  if (hit) terminal.note(INTERRUPTED);
  return hit ? 130 : 0;
}

const INTERRUPTED =
  'interrupted: medians are of the rounds that were done; nothing is shown before the first ended';

/** Every path timed in turn, with a progress line; after a signal what was timed until then. */
export async function measureAll(
  candidates: readonly Candidate[],
  rounds: number | undefined,
  terminal: Terminal,
): Promise<Measured[]> {
  const interrupt = watchInterrupt();
  const breather = new Breather(terminal);
  const now = () => Number(process.hrtime.bigint());
  const slices = measureSlices(candidates, rounds === undefined ? { now } : { now, rounds });
  for (;;) {
    const step = slices.next(interrupt.hit);
    if (step.done) {
      terminal.clearProgress();
      return step.value;
    }
    const { what, share } = step.value;
    await breather.rest(share, `${what} ${candidates.length} paths`);
  }
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
