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
import { candidatesFor, compareHost, type Measured, measure } from '../machine/measure.js';
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
  else printComparison(measured, cpus, terminal);
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

const trim = (n: number) => (Number.isInteger(n) ? `${n}` : n.toFixed(2));

export function printComparison(
  measured: readonly Measured[],
  cpus: number,
  terminal: Terminal,
): void {
  terminal.title(`Send paths on ${cpus} CPUs, per call`);
  terminal.table(
    [
      'era',
      'driver',
      'path',
      'targets',
      'ICR writes',
      'fences',
      'irq saves',
      'mask copies',
      'mask words',
      'polls',
      'hypercalls',
      'host ns',
      'p25-p75',
    ],
    measured.map((m) => [
      m.era,
      m.driver,
      m.path,
      `${m.targets}`,
      ...[
        m.perCall.icrWrites,
        m.perCall.fences,
        m.perCall.irqSaves,
        m.perCall.maskCopies,
        m.perCall.maskWords,
        m.perCall.idlePolls,
        m.perCall.hypercalls,
      ].map(trim),
      m.hostNs.median.toFixed(1),
      `${m.hostNs.p25.toFixed(1)}-${m.hostNs.p75.toFixed(1)}`,
    ]),
    3,
  );
  terminal.print(
    terminal.style(
      'dim',
      'host ns: simulating the call and every interrupt it causes; not hardware time',
    ),
  );
  for (const sentence of conclusions(measured)) terminal.print(`- ${sentence}`);
}

/** One sentence for the single case and one for the crossover, for each era and driver. */
export function conclusions(measured: readonly Measured[]): string[] {
  const keys = [...new Set(measured.map((m) => `${m.era} ${m.driver}`))];
  return keys.flatMap((key) => {
    const own = measured.filter((m) => `${m.era} ${m.driver}` === key);
    return [singleSentence(key, own), crossoverSentence(key, own)];
  });
}

const LABELS = {
  icrWrites: 'ICR writes',
  fences: 'fences',
  irqSaves: 'irq saves',
  maskCopies: 'mask copies',
  maskWords: 'mask words',
  hypercalls: 'hypercalls',
} as const;

/** What `a` pays more than `b` for one call, such as "irq saves 1, mask words 8". */
function extra(a: Measured, b: Measured): string {
  return (Object.keys(LABELS) as (keyof typeof LABELS)[])
    .filter((key) => a.perCall[key] > b.perCall[key])
    .map((key) => `${LABELS[key]} ${trim(a.perCall[key] - b.perCall[key])}`)
    .join(', ');
}

function singleSentence(key: string, own: readonly Measured[]): string {
  const single = own.find((m) => m.path === 'single')!;
  const mask = own.find((m) => m.path === 'mask' && m.targets === 1)!;
  const saves = extra(mask, single);
  const pays = extra(single, mask);
  const counts =
    [saves && `single saves ${saves}`, pays && `single pays ${pays} instead`]
      .filter((part) => part !== '')
      .join('; ') || 'both paths cost the sender the same';
  const verdict = compareHost(single, mask);
  const ratio = mask.hostNs.median / single.hostNs.median;
  const host =
    verdict === 0
      ? 'no difference measured'
      : `mask of one takes ${ratio.toFixed(2)}x the host time`;
  return `${key}, one target: ${counts}; ${host}.`;
}

function crossoverSentence(key: string, own: readonly Measured[]): string {
  const sizes = own.filter((m) => m.path === 'singles').map((m) => m.targets);
  const at = (path: string, k: number) => own.find((m) => m.path === path && m.targets === k)!;
  const fewer = sizes.find(
    (k) =>
      at('mask', k).perCall.icrWrites + at('mask', k).perCall.hypercalls <
      at('singles', k).perCall.icrWrites + at('singles', k).perCall.hypercalls,
  );
  const faster = sizes.find((k) => compareHost(at('mask', k), at('singles', k)) === -1);
  const writes =
    fewer === undefined
      ? 'a mask never needs fewer commands than singles'
      : `a mask needs fewer commands than singles from ${fewer} targets on`;
  const host =
    faster === undefined
      ? 'no mask size measured faster on the host'
      : `measured faster on the host from ${faster} on`;
  return sizes.length === 0
    ? `${key}: no sizes between one and all.`
    : `${key}: ${writes}, ${host}.`;
}
