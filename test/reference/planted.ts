// Planted bugs: each is put into the core, one a build, and the fuzz must find it.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { expect } from 'vitest';
import {
  costSet,
  SCENARIO_NAMES,
  type Scenario,
  scenario,
  TimedRun,
} from '../../src/timed-index.js';
import { fuzzHardware } from '../hardware/fuzzer.js';
import { fuzz } from './fuzzer.js';

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };

/** A bug: the line of the core that ends in `// bug: NAME`, and what it becomes. */
export interface Planted {
  bug: string;
  /** What kind of bug it is: one of each kind is found by the fast tests, all of them by the slow ones. */
  kind: string;
  becomes: string;
  /** The first seed that finds it; given for the one that stands for its kind. */
  seed?: number;
}

/** Found by random machines of the untimed engine, their drivers and their books. */
export const REFERENCE: Planted[] = [
  { bug: 'a-second-send-is-not-merged', kind: 'accept', becomes: 'const merges = false;' },
  {
    bug: 'the-same-class-nests',
    kind: 'priority',
    seed: 1,
    becomes: 'if (requests < blocked >> 1) return isPlain(classes) ? NONE : handOver(cpu);',
  },
  { bug: 'tpr-is-ignored', kind: 'priority', becomes: 'return serving | 1;' },
  {
    bug: 'eoi-clears-the-lowest-class',
    kind: 'EOI',
    seed: 3,
    becomes: 'const top = ctz<u32>(serving);',
  },
  {
    bug: 'vector-15-is-accepted',
    kind: 'accept',
    seed: 1,
    becomes: 'const illegal = vector < 15 && model(F_LOW_VECTORS) == <u32>LOW_ERROR;',
  },
  {
    bug: 'tmr-stays-set-on-an-edge',
    kind: 'accept',
    becomes: 'const word: u32 = level ? old | bit : old;',
  },
  {
    bug: 'a-handler-forgets-a-counter',
    kind: 'counters',
    seed: 1,
    becomes: '',
  },
  {
    bug: 'ppr-takes-the-lower-class',
    kind: 'priority',
    becomes: 'return tpr >> 4 <= servingClass ? tpr : servingClass << 4;',
  },
  {
    bug: 'all-but-self-reaches-self',
    kind: 'destination',
    seed: 2,
    becomes: 'else if (shorthand == ICR_ALL_EXC) deliverAll(low, NONE);',
  },
  { bug: 'logical-broadcast-is-lost', kind: 'destination', becomes: '' },
  { bug: 'the-first-of-a-cluster-gets-it-twice', kind: 'destination', becomes: '' },
  { bug: 'the-mask-refactor-forgets-its-copy', kind: 'Linux driver', seed: 8, becomes: '' },
  { bug: 'the-cluster-sender-forgets-the-fence', kind: 'Linux driver', becomes: '' },
  {
    bug: 'the-kvm-window-is-64',
    kind: 'Linux driver',
    becomes: 'const WINDOW: u32 = 64; // KVM_IPI_CLUSTER_SIZE, 64-bit guests',
  },
  {
    bug: 'the-shorthand-gate-ignores-no-ipi-broadcast',
    kind: 'Linux driver',
    becomes: 'return cpus > 1;',
  },
];

/** Found by random machines of the register interface, its models and devices. */
export const HARDWARE: Planted[] = [
  { bug: 'esr-reads-show-what-is-pending', kind: 'ESR', seed: 19, becomes: '' },
  {
    bug: 'software-disable-leaves-the-lvt-alone',
    kind: 'disable',
    becomes: 'const masks = false && forcesMasks();',
  },
  {
    bug: 'a-disabled-apic-takes-new-interrupts',
    kind: 'disable',
    becomes: 'return false;',
  },
  {
    bug: 'pending-ones-are-dispatched-while-disabled',
    kind: 'disable',
    seed: 1,
    becomes: 'return false && model(F_DISABLED_PENDING) == <u32>PENDING_HELD;',
  },
  {
    bug: 'eoi-suppression-is-ignored',
    kind: 'EOI broadcast',
    seed: 7,
    becomes: 'const suppressed = false;',
  },
  { bug: 'x2apic-to-xapic-is-allowed', kind: 'mode switch', seed: 10, becomes: '' },
  { bug: 'init-forgets-the-tmr', kind: 'reset', seed: 10, becomes: '' },
  { bug: 'a-merged-sipi-survives-init-in-kvm', kind: 'reset', becomes: '' },
  {
    bug: 'reserved-svr-bits-pass-wrmsr',
    kind: '#GP',
    seed: 24,
    becomes: 'if (reg == REG_SVR) return 0xffffffff;',
  },
  {
    bug: 'remote-irr-does-not-stop-a-level-pin',
    kind: 'I/O APIC',
    seed: 1,
    becomes: 'if (!entryIsLevel(entry) || (entry & (ENTRY_MASKED | ENTRY_PENDING)) != 0) return;',
  },
  { bug: 'edge-entries-keep-remote-irr', kind: 'I/O APIC', becomes: '' },
  {
    bug: 'a-spurious-irq7-enters-service',
    kind: '8259',
    seed: 4,
    becomes:
      'if (line == NO_LINE) {\n    serve(PRIMARY, SPURIOUS);\n    return get(PRIMARY, L.P_BASE) | SPURIOUS;\n  }',
  },
  {
    bug: 'the-periodic-timer-drifts-by-a-tick',
    kind: 'timer',
    seed: 6,
    becomes: 'arm(cpu, later(cpu, expiry(cpu), period + 1));',
  },
  {
    bug: 'a-double-eoi-counts-as-the-handlers-own',
    kind: 'CPU',
    becomes: 'const own = (entry & 0xfff) == <u32>taken(HANDLER_VECTOR, vector);',
  },
  {
    bug: 'nmi-nests',
    kind: 'CPU',
    seed: 81,
    becomes: '',
  },
  {
    bug: 'init-is-taken-in-smm',
    kind: 'CPU',
    becomes: 'if ((latches & L.LATCH_SMM) != 0) blocked |= SIPI | SMI;',
  },
  { bug: 'reserved-base-bits-are-taken', kind: 'mode switch', becomes: '' },
  {
    bug: 'a-timer-stops-with-kvms-local-apic',
    kind: 'mode switch',
    becomes: 'stopTimer(cpu);',
  },
  { bug: 'kvm-keeps-the-bsp-flag', kind: 'mode switch', becomes: 'const keepsBsp = !host;' },
  { bug: 'qemu-forgets-lint0', kind: 'LVT', seed: 47, becomes: 'const looks = false;' },
  { bug: 'kvms-map-has-aliases', kind: 'KVM destination', becomes: '' },
  { bug: 'kvm-keeps-no-status-bits', kind: 'LVT', becomes: 'const withStatus = false;' },
  {
    bug: 'kvm-looks-at-the-polarity',
    kind: 'I/O APIC',
    becomes: 'const inverted = (entryOf(at) & ENTRY_ACTIVE_LOW) != 0;',
  },
  {
    bug: 'amd-masks-the-performance-counter',
    kind: 'LVT',
    becomes: 'const masks = index == <u32>LVT_PERF && model(F_LVT_BITS) != <u32>LVT_RAW;',
  },
  {
    bug: 'kvm-broadcasts-lowest-priority',
    kind: 'KVM destination',
    becomes:
      'const physicalBroadcast = (low & ICR_LOGICAL) == 0 && dest == 0xff && (low & ICR_SHORTHAND) == 0;',
  },
  {
    bug: 'kvm-merges-two-early-nmis',
    kind: 'CPU',
    becomes: '',
  },
  {
    bug: 'three-interrupts-fit-a-class',
    kind: 'P6 slots',
    seed: 20,
    becomes: 'return pending || popcnt<u32>(requests) + popcnt<u32>(serving) < 3;',
  },
  {
    bug: 'arbitration-does-not-rotate-past-15',
    kind: 'serial bus',
    seed: 80,
    becomes: 'agent.id = own == HIGHEST_ARB ? 15 : (own + 1) & 15;',
  },
  {
    bug: 'the-hash-takes-the-lowest-place',
    kind: 'KVM destination',
    seed: 136,
    becomes: 'if (isLowest(low) && places != 0) places = nthBit(places, 0);',
  },
  { bug: 'the-focus-processor-is-not-asked', kind: 'lowest priority', seed: 43, becomes: '' },
];

/** Found by the beginnings of the shipped scenarios, on either scheduler; `in`: one that finds it. */
export const TIMED: (Planted & { in?: string })[] = [
  {
    bug: 'tied-messages-have-no-order',
    kind: 'timed order',
    in: 'ipi-bench/all',
    becomes: 'return false;',
  },
  { bug: 'a-node-runs-past-an-answer', kind: 'timed order', becomes: '' },
  {
    bug: 'an-ipi-although-the-queue-was-full',
    kind: 'csd',
    in: 'csd-stall',
    becomes: 'const answer: u32 = polls ? Answer.Polling : Answer.Ipi;',
  },
  { bug: 'a-polling-cpu-gets-an-ipi', kind: 'csd', becomes: 'const polls = false;' },
  { bug: 'an-async-csd-is-unlocked-late', kind: 'csd', becomes: 'return false;' },
  {
    bug: 'a-dropped-message-arrives',
    kind: 'faults',
    in: 'dropped-icr whole',
    becomes: 'return false;',
  },
  {
    bug: 'a-mask-send-costs-one-target',
    kind: 'prices',
    in: 'membarrier-serialized',
    becomes: 'offset += cost(COST_MASK_CPU);',
  },
  { bug: 'a-send-does-not-wait-for-the-bus', kind: 'timed serial bus', becomes: '' },
  {
    bug: 'a-message-takes-20-clocks',
    kind: 'timed serial bus',
    in: 'p6-bus-storm',
    becomes: 'const MESSAGE_CLOCKS: u64 = 20;',
  },
  { bug: 'the-bus-winner-keeps-its-priority', kind: 'timed serial bus', becomes: '' },
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const MARKER = / \/\/ bug: ([a-z0-9-]+)$/;

export interface Place {
  bug: string;
  file: string;
  line: string;
}

/** Every marked line of the core. */
export const PLACES: Place[] = readdirSync(`${root}assembly`, { recursive: true })
  .map((name) => `assembly/${String(name).replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) =>
    readFileSync(`${root}${file}`, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const bug = MARKER.exec(line)?.[1];
        return bug ? [{ bug, file, line }] : [];
      }),
  );

/** The core with the bug in it, or without one. Unoptimised: that compiles four times as fast. */
export async function build(planted?: Planted, options = ['--noAssert']): Promise<object> {
  const place = PLACES.find(({ bug }) => bug === planted?.bug);
  if (planted && !place) throw new Error(`no line of assembly/ is marked ${planted.bug}`);
  let wasm: Uint8Array | undefined;
  const readFile = (name: string) => {
    let text: string;
    try {
      text = readFileSync(`${root}${name}`, 'utf8');
    } catch {
      return null;
    }
    return name === place?.file ? text.replace(place.line, () => planted!.becomes) : text;
  };
  const writeFile = (name: string, data: string | Uint8Array) => {
    if (name.endsWith('.wasm')) wasm = data as Uint8Array;
  };
  const output = [
    '-o',
    'planted.wasm',
    '--runtime',
    'stub',
    '-u',
    'abort=',
    '--memoryBase',
    '4096',
  ];
  const args = ['assembly/index.ts', ...output, '--optimizeLevel', '0', ...options];
  const { error, stderr } = await asc.main(args, { readFile, writeFile } as never);
  if (error || !wasm) throw new Error(`${error?.message} ${stderr.toString()}`);
  return new WebAssembly.Module(wasm);
}

/** One seed of the fuzz that the bug belongs to. */
export function runSeed(planted: Planted, seed: number, module?: object): void {
  if (HARDWARE.includes(planted)) fuzzHardware(seed, 120, undefined, module);
  else fuzz(seed, 60, module);
}

export const isFinding = (error: unknown): boolean =>
  /fuzz seed \d+ step -?\d+|broke/.test((error as Error).message);

/** The first seed that finds the bug, or undefined. An error of another kind is thrown on. */
export function firstSeed(planted: Planted, module: object, last = 6000): number | undefined {
  for (let seed = 1; seed <= last; seed++) {
    try {
      runSeed(planted, seed, module);
    } catch (error) {
      if (!isFinding(error)) throw error;
      return seed;
    }
  }
  return undefined;
}

const beginnings = new Map<string, string>();

/** A shipped scenario: its first 200 us, or the `whole`; or its beginning with idle CPUs that are `polling`. */
function short(name: string): Scenario {
  const [shipped = '', how] = name.split(' ');
  const what = scenario(shipped);
  if (how === 'whole') return what;
  const begun = { ...what, duration_ns: Math.min(what.duration_ns, 200e3), drain_ns: 0 };
  if (how !== 'polling') return begun;
  return { ...begun, workloads: what.workloads.map((work) => ({ ...work, idle: 'poll' })) };
}

const WHERE = [...SCENARIO_NAMES, 'dropped-icr whole', 'csd-stall whole', 'normal polling'];

/** Both schedulers' hashes, or how it failed. */
function beginning(name: string, module?: object): string {
  const what = short(name);
  const hash = (scheduler: 'heap' | 'windows') =>
    new TimedRun(what, costSet(what.costs!), { scheduler, ...(module && { module }) }).run()
      .timedHash;
  try {
    return `${hash('heap')} ${hash('windows')}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Whether the scenario's beginning is another on the planted build. */
export function differsIn(name: string, module: object): boolean {
  if (!beginnings.has(name)) beginnings.set(name, beginning(name));
  return beginning(name, module) !== beginnings.get(name);
}

/** The first shipped scenario that finds the bug. */
export const firstScenario = (module: object) => WHERE.find((name) => differsIn(name, module));

/** A scenario's beginning on the build with assertions, and on the shipped one. */
export function sameWithAssertions(name: string, limitNs: number, module: object): void {
  const what = scenario(name);
  const short = { ...what, duration_ns: Math.min(what.duration_ns, limitNs), drain_ns: 0 };
  const [checked, shipped] = [{ module }, {}].map((options) =>
    new TimedRun(short, costSet(what.costs!), { ...options, scheduler: 'heap' }).run(),
  );
  expect(checked!.timedHash, name).toBe(shipped!.timedHash);
}
