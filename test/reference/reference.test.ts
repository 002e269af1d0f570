// The core against a model written from the SDM and the kernel's sources.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.js';
import { fuzzHardware } from '../hardware/fuzzer.js';
import { ReferenceApic } from './apic.js';
import { coreState, firstDifference, fuzz } from './fuzzer.js';

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };
const SEEDS = 400;
const STEPS = 60;

describe('differential fuzz', () => {
  it(`${SEEDS} random machines agree with the reference after every step`, () => {
    const first = Number(process.env.FUZZ_SEED ?? 1);
    const seeds = Number(process.env.FUZZ_SEEDS ?? SEEDS);
    for (let seed = first; seed < first + seeds; seed++)
      fuzz(seed, Number(process.env.FUZZ_STEPS ?? STEPS));
  }, 600_000);
});

describe('enumeration', () => {
  it('2 CPUs x 3 vectors: every reachable state and operation agrees', () => {
    const vectors = [0x31, 0x35, 0x41];
    type Act = (machine: Machine, apics: ReferenceApic[]) => void;
    const acts: Act[] = [];
    for (const cpu of [0, 1]) {
      for (const v of vectors)
        acts.push((m, a) => [m.linux.sendIPI(1 - cpu, cpu, v), a[cpu]!.accept(v, false)]);
      for (const tpr of [0, 0x30, 0x40])
        acts.push((m, a) => [(m.lapic(cpu).tpr = tpr), a[cpu]!.setTpr(tpr)]);
      acts.push((m, a) => expect(m.lapic(cpu).acknowledge()).toBe(a[cpu]!.acknowledge()));
      acts.push((m, a) => expect(m.lapic(cpu).eoi()).toBe(a[cpu]!.eoi()));
    }
    const key = (apics: ReferenceApic[]) =>
      apics.map((a) => `${[...a.irr].sort()}/${[...a.isr].sort()}/${a.tpr}`).join(' ');
    const start = [new ReferenceApic(), new ReferenceApic()];
    const seen = new Set([key(start)]);
    const queue: { snapshot: Uint8Array; apics: ReferenceApic[] }[] = [
      { snapshot: Machine.create({ cpus: 2 }).snapshot(), apics: start },
    ];
    let transitions = 0;
    const machine = Machine.create({ cpus: 2 });
    for (let state = queue.pop(); state; state = queue.pop()) {
      for (const act of acts) {
        machine.rollback(state.snapshot);
        const apics = state.apics.map(copy);
        act(machine, apics);
        transitions++;
        for (const cpu of [0, 1]) {
          const difference = firstDifference(coreState(machine, cpu), apics[cpu]!.state());
          if (difference) throw new Error(`${key(state.apics)}, CPU ${cpu}: ${difference}`);
        }
        const name = key(apics);
        if (seen.has(name)) continue;
        seen.add(name);
        queue.push({ snapshot: machine.snapshot(), apics });
      }
    }
    // Per CPU: any IRR (8), ISR with rising classes only ({}, 31, 35, 41, 31+41, 35+41), 3 TPRs.
    expect(seen.size).toBe((8 * 6 * 3) ** 2);
    expect(transitions).toBe(seen.size * acts.length);
  }, 120_000);
});

function copy(apic: ReferenceApic): ReferenceApic {
  const twin = new ReferenceApic();
  for (const v of apic.irr) twin.irr.add(v);
  for (const v of apic.isr) twin.isr.add(v);
  twin.tpr = apic.tpr;
  Object.assign(twin.counters, apic.counters);
  return twin;
}

/** A bug: the line of the core that ends in `// bug: NAME`, and what it becomes. */
interface Planted {
  bug: string;
  becomes: string;
}

const PLANTED: Planted[] = [
  { bug: 'a-second-send-is-not-merged', becomes: 'const merges = false;' },
  {
    bug: 'the-same-class-nests',
    becomes: 'if (requests < blocked >> 1) return isPlain(classes) ? NONE : handOver(cpu);',
  },
  { bug: 'tpr-is-ignored', becomes: 'return serving | 1;' },
  { bug: 'eoi-clears-the-lowest-class', becomes: 'const top = ctz<u32>(serving);' },
  {
    bug: 'vector-15-is-accepted',
    becomes: 'const illegal = vector < 15 && model(F_LOW_VECTORS) == <u32>LOW_ERROR;',
  },
  { bug: 'tmr-stays-set-on-an-edge', becomes: 'const word: u32 = level ? old | bit : old;' },
  {
    bug: 'a-handler-forgets-a-counter',
    becomes: 'store<u64>(at, load<u64>(at, L.R_EOIS), L.R_EOIS);',
  },
  {
    bug: 'ppr-takes-the-lower-class',
    becomes: 'return tpr >> 4 <= servingClass ? tpr : servingClass << 4;',
  },
  {
    bug: 'all-but-self-reaches-self',
    becomes: 'else if (shorthand == ICR_ALL_EXC) deliverAll(low, NONE);',
  },
  { bug: 'logical-broadcast-is-lost', becomes: '' },
  { bug: 'the-first-of-a-cluster-gets-it-twice', becomes: '' },
  { bug: 'the-mask-refactor-forgets-its-copy', becomes: '' },
  { bug: 'the-cluster-sender-forgets-the-fence', becomes: '' },
  {
    bug: 'the-kvm-window-is-64',
    becomes: 'const WINDOW: u32 = 64; // KVM_IPI_CLUSTER_SIZE, 64-bit guests',
  },
  { bug: 'the-shorthand-gate-ignores-no-ipi-broadcast', becomes: 'return cpus > 1;' },
];

/** The same for the register interface, its models and devices. */
const PLANTED_HARDWARE: Planted[] = [
  { bug: 'esr-reads-show-what-is-pending', becomes: '' },
  {
    bug: 'software-disable-leaves-the-lvt-alone',
    becomes: 'const masks = false && forcesMasks();',
  },
  { bug: 'a-disabled-apic-takes-new-interrupts', becomes: 'return false;' },
  {
    bug: 'pending-ones-are-dispatched-while-disabled',
    becomes: 'return false && model(F_DISABLED_PENDING) == <u32>PENDING_HELD;',
  },
  {
    bug: 'eoi-suppression-is-ignored',
    becomes: 'const suppressed = false;',
  },
  { bug: 'x2apic-to-xapic-is-allowed', becomes: '' },
  { bug: 'init-forgets-the-tmr', becomes: '' },
  { bug: 'a-merged-sipi-survives-init-in-kvm', becomes: '' },
  { bug: 'reserved-svr-bits-pass-wrmsr', becomes: 'if (reg == REG_SVR) return 0xffffffff;' },
  {
    bug: 'remote-irr-does-not-stop-a-level-pin',
    becomes: 'if (!isLevel(entry) || (entry & (ENTRY_MASKED | ENTRY_PENDING)) != 0) return;',
  },
  { bug: 'edge-entries-keep-remote-irr', becomes: '' },
  {
    bug: 'a-spurious-irq7-enters-service',
    becomes:
      'if (line == NO_LINE) {\n    serve(PRIMARY, SPURIOUS);\n    return get(PRIMARY, L.P_BASE) | SPURIOUS;\n  }',
  },
  {
    bug: 'the-periodic-timer-drifts-by-a-tick',
    becomes: 'arm(cpu, expiry(cpu) + period + 1);',
  },
  {
    bug: 'a-double-eoi-counts-as-the-handlers-own',
    becomes: 'const own = (entry & 0xfff) == <u32>taken(HANDLER_VECTOR, vector);',
  },
  { bug: 'nmi-nests', becomes: 'const nmi = (latch(cpu) & L.LATCH_NMI) != 0 && !inSmi;' },
  {
    bug: 'three-interrupts-fit-a-class',
    becomes: 'return pending || popcnt<u32>(requests) + popcnt<u32>(serving) < 3;',
  },
  {
    bug: 'arbitration-does-not-rotate-past-15',
    becomes: 'store<u32>(agent, own == HIGHEST_ARB ? 15 : (own + 1) & 15);',
  },
  {
    bug: 'the-hash-takes-the-lowest-place',
    becomes: 'if (isLowest(low) && places != 0) places = nthBit(places, 0);',
  },
  { bug: 'the-focus-processor-is-not-asked', becomes: '' },
];

describe('planted bugs', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  const sources = readdirSync(`${root}assembly`, { recursive: true })
    .map((name) => `assembly/${name}`)
    .filter((name) => name.endsWith('.ts'));

  /** The core's files that hold the marker, and the line itself. */
  function marked(bug: string): { file: string; line: string }[] {
    const end = ` // bug: ${bug}`;
    return sources.flatMap((file) =>
      readFileSync(`${root}${file}`, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith(end))
        .map((line) => ({ file, line })),
    );
  }

  async function build(planted?: Planted, options = ['-O1', '--noAssert']): Promise<object> {
    const places = planted ? marked(planted.bug) : [];
    if (planted) expect(places.length, `lines marked ${planted.bug}`).toBe(1);
    const [place] = places;
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
    const args = [
      'assembly/index.ts',
      '-o',
      'planted.wasm',
      '--runtime',
      'stub',
      '-u',
      'abort=',
      '--memoryBase',
      '4096',
      ...options,
    ];
    const { error, stderr } = await asc.main(args, { readFile, writeFile } as never);
    if (error || !wasm) throw new Error(`${error?.message} ${stderr.toString()}`);
    return new WebAssembly.Module(wasm);
  }

  it('assertions of the debug build hold, and change no result', async () => {
    const module = await build(undefined, []);
    for (let seed = 1; seed <= 60; seed++) fuzz(seed, STEPS, module);
    for (let seed = 1; seed <= 200; seed++) fuzzHardware(seed, 120, undefined, module);
  }, 120_000);

  it.each(PLANTED)(
    '$bug: the fuzzer finds it',
    async (planted) => {
      const module = await build(planted);
      expect(() => {
        for (let seed = 1; seed <= SEEDS; seed++) fuzz(seed, STEPS, module);
      }).toThrow(/fuzz seed \d+ step \d+|broke/);
    },
    120_000,
  );

  it.each(PLANTED_HARDWARE)(
    '$bug: the hardware fuzz finds it',
    async (planted) => {
      const module = await build(planted);
      expect(() => {
        for (let seed = 1; seed <= 6000; seed++) fuzzHardware(seed, 120, undefined, module);
      }).toThrow(/hardware fuzz seed \d+ step -?\d+/);
    },
    180_000,
  );
});

describe('storms', () => {
  const patterns = [
    'self',
    'pairs',
    'ring',
    'random',
    'hot',
    'mask',
    'mask-strided',
    'mask-random',
    'allbutself',
  ] as const;

  it.each(patterns)(
    '%s: the same state and hash however the run is split, on every path',
    (pattern) => {
      const vias =
        pattern === 'allbutself'
          ? ['icr', 'single', 'mask', 'shorthand', 'call']
          : ['icr', 'single', 'mask', 'call'];
      for (const via of vias as 'icr'[]) {
        for (const depth of [1, 5]) {
          const runs = [1, 7, 1000].map((slice) => {
            const machine = Machine.create({ cpus: 7, driver: 'x2apic_cluster' });
            machine.linux.sendIPI(0, 3, 0x91); // a CPU listed before the storm begins
            machine.storm({
              pattern,
              via,
              depth,
              slice,
              sends: 200,
              size: 3,
              vectors: [0x31, 0x35, 0xfb, 9],
              tpr: new Map([
                [2, 0x30],
                [5, 0xff],
              ]),
            });
            return machine;
          });
          for (const machine of runs.slice(1))
            expect(machine.snapshot()).toEqual(runs[0]!.snapshot());
        }
      }
    },
  );

  it('known hashes stay the same on every machine', () => {
    const hash = (cpus: number, options: object) =>
      Machine.create({ cpus }).storm(options).eventHash;
    expect([
      hash(64, { sends: 10_000 }),
      hash(1000, { pattern: 'mask-random', sends: 1000, seed: 7n, depth: 3 }),
      hash(300, { pattern: 'allbutself', via: 'call', sends: 500, vectors: [0x20, 0xff] }),
    ]).toMatchInlineSnapshot(`
      [
        "cb45ef67a1118bb6",
        "5c6f27d710546949",
        "c643ae0c63eab425",
      ]
    `);
  });
});
