// ipistorm storm: an untimed storm and its counters.

import { checkName } from '../core/check.js';
import type { MachineOptions } from '../core/config.js';
import { InvariantError, usage } from '../core/errors.js';
import { Machine } from '../machine/machine.js';
import { PATTERNS, type StormOptions, stormJson, VIAS } from '../machine/storm.js';
import { procInterrupts } from '../report/interrupts.js';
import { type StormRun, stormCsvRows, stormSheet, wallClock } from '../report/storm-text.js';
import { si } from '../report/units.js';
import { MACHINE_OPTIONS, machineOptions } from './machine-options.js';
import { parseNumber, parseNumberList, parseSeed } from './numbers.js';
import type { CommandSpec, Parsed } from './options.js';
import { Pace } from './pace.js';
import { breathe, type Terminal, watchInterrupt } from './terminal.js';

interface Preset {
  help: string;
  machine: MachineOptions;
  storm: StormOptions;
  tlb?: boolean;
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const PRESETS: Record<string, Preset> = {
  random: { help: 'all to all, Linux IPI vectors', machine: { cpus: 64 }, storm: { sends: 10e6 } },
  'all-vectors': {
    help: '240 vectors, 4096 sends before any handler runs',
    machine: { cpus: 64 },
    storm: { sends: 10e6, vectors: range(16, 255), depth: 4096 },
  },
  'hot-target': {
    help: 'everybody hits CPU 0, 64 sends deep: watch them merge',
    machine: { cpus: 64 },
    storm: { sends: 10e6, pattern: 'hot', depth: 64 },
  },
  'resched-pingpong': {
    help: 'pairs exchange RESCHEDULE IPIs',
    machine: { cpus: 64 },
    storm: { sends: 10e6, pattern: 'pairs', vectors: [0xfd] },
  },
  'tlb-shootdown': {
    help: 'random sets of 16 CPUs, through send_call_func_ipi',
    machine: { topology: { sockets: 2, cores: 24, threads: 2 } },
    storm: { sends: 1e6, pattern: 'mask-random', via: 'call', vectors: [0xfc] },
    tlb: true,
  },
  membarrier: {
    help: 'all but self, through send_call_func_ipi',
    machine: { topology: { sockets: 2, cores: 24, threads: 2 } },
    storm: { sends: 200e3, pattern: 'allbutself', via: 'call', vectors: [0xfc] },
  },
  huge: {
    help: '65,536 CPUs, all but self',
    machine: { cpus: 65536 },
    storm: { sends: 1000, pattern: 'allbutself' },
  },
};

export const STORM: CommandSpec = {
  summary: `Sends IPIs in a pattern and counts what becomes of them.\n\nPresets: ${Object.entries(
    PRESETS,
  )
    .map(([name, p]) => `\n  ${name.padEnd(17)} ${p.help}`)
    .join('')}`,
  options: {
    preset: {
      value: 'NAME',
      help: 'start from a preset (default random); other options override it',
    },
    ...MACHINE_OPTIONS,
    sends: { value: 'N', help: 'sends, such as 50M (one may reach many targets)' },
    pattern: { value: 'NAME', help: Object.keys(PATTERNS).join(' | ') },
    via: {
      value: 'PATH',
      help: `${Object.keys(VIAS).join(' | ')}: a bare ICR write, or Linux's path`,
    },
    vectors: { value: 'LIST', help: 'vectors, such as 0xfb-0xfd or 16-255' },
    depth: { value: 'D', help: 'sends before the targets run their handlers' },
    target: { value: 'CPU', help: 'target of the hot pattern' },
    size: { value: 'K', help: 'CPUs in a mask' },
    stride: { value: 'N', help: 'distance between CPUs of mask-strided' },
    tpr: { value: 'T', help: 'TPR of every CPU, or CPU:T,CPU:T ...' },
    seed: { value: 'S', help: '64-bit seed (default 1)' },
    repeat: { value: 'N', help: 'run it N times, check that all agree, print the median rate' },
    interrupts: { help: 'print the result as /proc/interrupts' },
    tlb: { help: 'call-function handlers count as TLB shootdowns' },
    json: { help: 'machine-readable output' },
    csv: { help: 'one row per CPU' },
  },
  formats: ['json', 'csv', 'interrupts'],
  examples: [
    'npx ipistorm storm --preset hot-target',
    'npx ipistorm storm --cpus 1024 --pattern mask-random --size 64 --sends 1M --driver x2apic_phys',
    'npx ipistorm storm --preset tlb-shootdown --interrupts --cpus 8',
    'npx ipistorm storm --preset huge --sends 5000',
  ],
};

function stormOptions(args: Parsed, preset: Preset): StormOptions {
  const options: StormOptions = { ...preset.storm };
  const number = (key: string, min: number, max: number) => {
    const text = args.text(key);
    return text === undefined ? undefined : parseNumber(`--${key}`, text, min, max);
  };
  const pattern = args.text('pattern');
  if (pattern !== undefined) {
    options.pattern = checkName('--pattern', pattern, PATTERNS);
    delete options.via;
  }
  const via = args.text('via');
  if (via !== undefined) options.via = checkName('--via', via, VIAS);
  const vectors = args.text('vectors');
  if (vectors !== undefined) options.vectors = parseNumberList('--vectors', vectors, 0, 255, 256);
  const seed = args.text('seed');
  if (seed !== undefined) options.seed = parseSeed('--seed', seed);
  const tpr = args.text('tpr');
  if (tpr !== undefined) options.tpr = parseTpr(tpr);
  options.sends = number('sends', 1, Number.MAX_SAFE_INTEGER) ?? options.sends;
  options.depth = number('depth', 1, 2 ** 31) ?? options.depth;
  options.target = number('target', 0, 65535) ?? options.target;
  options.size = number('size', 1, 65535) ?? options.size;
  options.stride = number('stride', 1, 65536) ?? options.stride;
  return options;
}

function parseTpr(text: string): number | Map<number, number> {
  if (!text.includes(':')) return parseNumber('--tpr', text, 0, 255);
  return new Map(
    text.split(',').map((pair) => {
      const [cpu = '', value = '', ...more] = pair.split(':');
      if (more.length > 0) throw usage('--tpr', pair, 'CPU:T such as 3:0x20');
      return [parseNumber('--tpr', cpu, 0, 65535), parseNumber('--tpr', value, 0, 255)] as const;
    }),
  );
}

/** Sends of a storm's first slice: some machines need a millisecond for each. */
const FIRST_SENDS = 64;

/** Runs one storm with a progress line; Ctrl-C ends it after the slice under way. */
export async function timedStorm(
  machine: Machine,
  options: StormOptions,
  terminal: Terminal,
): Promise<StormRun> {
  const interrupt = watchInterrupt();
  const pace = new Pace(FIRST_SENDS);
  const run = machine.stormSlices({ ...options, slice: pace.size });
  let elapsed = 0n;
  const advance = (order: boolean | number) => {
    const start = process.hrtime.bigint();
    const step = run.next(order);
    const took = process.hrtime.bigint() - start;
    elapsed += took;
    pace.after(Number(took) / 1e6);
    return step;
  };
  let step = advance(false);
  while (!step.done) {
    const { sends, total, targetsPerSend } = step.value;
    const ipis = sends * targetsPerSend;
    terminal.progress(
      sends / total,
      `${si(ipis)} IPIs  ${si(ipis / (Number(elapsed) / 1e9))} IPIs/s`,
    );
    await breathe();
    step = advance(interrupt.hit || pace.size);
  }
  terminal.clearProgress();
  return { machine, result: step.value, elapsedNs: Number(elapsed), interrupted: interrupt.hit };
}

export async function runStorm(args: Parsed, terminal: Terminal): Promise<number> {
  const preset = PRESETS[checkName('--preset', args.text('preset') ?? 'random', PRESETS)]!;
  const repeat = parseNumber('--repeat', args.text('repeat') ?? '1', 1, 1000);
  const options = stormOptions(args, preset);
  if (args.flag('tlb') && !args.flag('interrupts'))
    throw usage('--tlb', 'it alone', '--interrupts with it', 'nothing else shows TLB shootdowns');
  const wanted = machineOptions(args, preset.machine);
  const runs: StormRun[] = [];
  for (let i = 0; i < repeat && !runs.at(-1)?.interrupted; i++) {
    const machine = Machine.create({ ...wanted, countVectors: args.flag('interrupts') });
    runs.push(await timedStorm(machine, options, terminal));
  }
  const print = (text: string) => terminal.print(text);
  const { machine } = runs[0]!;
  if (args.flag('json')) await terminal.json(jsonOf(runs));
  else if (args.flag('csv')) print(stormCsvRows(machine).join('\n'));
  else if (args.flag('interrupts'))
    print(procInterrupts(machine, { tlb: args.flag('tlb') || preset.tlb === true }));
  else terminal.show(stormSheet(runs));
  const whole = runs.filter((run) => !run.interrupted);
  checkAgree(whole.map((run) => run.result.eventHash));
  return runs.at(-1)!.interrupted ? 130 : 0;
}

/** The same storm has the same events each time. @throws InvariantError */
function checkAgree(hashes: readonly string[]): void {
  const other = hashes.find((hash) => hash !== hashes[0]);
  if (other === undefined) return;
  throw new InvariantError(
    `event hash: got ${other} after ${hashes[0]}, allowed the same in every run; please report it with the options and seed`,
  );
}

function jsonOf(runs: readonly StormRun[]): object {
  const { result, machine } = runs[0]!;
  return { ...stormJson(result), machine: describe(machine), wall: wallClock(runs) };
}

function describe(machine: Machine): object {
  const { cpus, mode, driver, era } = machine.config;
  return { cpus, mode, driver, era };
}
