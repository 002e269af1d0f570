// The core against a model written from the SDM and the kernel's sources.
import { readFileSync } from 'node:fs';
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

/** [what, file, text found once, replacement] */
const PLANTED: [string, string, string, string][] = [
  ['a second send is not merged', 'lapic/lapic.ts', 'if ((word & bit) != 0) {', 'if (false) {'],
  [
    'the same class nests',
    'lapic/lapic.ts',
    'if (requests <= blocked) return isPlain',
    'if (requests < blocked >> 1) return isPlain',
  ],
  [
    'TPR is ignored',
    'lapic/lapic.ts',
    'return serving | ((<u32>1) << taskClass);',
    'return serving | 1;',
  ],
  [
    'EOI clears the lowest class',
    'lapic/lapic.ts',
    'const top = 31 - clz<u32>(serving);',
    'const top = ctz<u32>(serving);',
  ],
  [
    'vector 15 is accepted',
    'lapic/special.ts',
    'vector < <u32>L.FIRST_LEGAL_VECTOR && model(F_LOW_VECTORS)',
    'vector < 15 && model(F_LOW_VECTORS)',
  ],
  [
    'TMR stays set on an edge',
    'lapic/special.ts',
    'level ? old | bit : old & ~bit',
    'level ? old | bit : old',
  ],
  [
    'a handler forgets a counter',
    'lapic/lapic.ts',
    'load<u64>(at, L.R_EOIS) + handled',
    'load<u64>(at, L.R_EOIS)',
  ],
  [
    'PPR takes the lower class',
    'lapic/lapic.ts',
    'tpr >> 4 >= servingClass',
    'tpr >> 4 <= servingClass',
  ],
  ['all-but-self reaches self', 'bus/icr.ts', 'deliverAll(low, source)', 'deliverAll(low, NONE)'],
  ['logical broadcast is lost', 'bus/destination.ts', 'if (mda == 0xff) return true;', ''],
  [
    'the first of a cluster gets it twice',
    'bus/destination.ts',
    '  places &= places - 1;\n  const cluster',
    '  const cluster',
  ],
  [
    'the mask refactor forgets its copy',
    'linux/x2apic_cluster.ts',
    'copyMask(maskCopy, mask);',
    '',
  ],
  [
    'the cluster sender forgets the fence',
    'linux/x2apic_cluster.ts',
    '  wrmsrFence();\n  irqSave();',
    '  irqSave();',
  ],
  [
    'the KVM window is 64',
    'linux/kvm_pv.ts',
    'const WINDOW: u32 = 128;',
    'const WINDOW: u32 = 64;',
  ],
  [
    'the shorthand gate ignores no_ipi_broadcast',
    'linux/config.ts',
    '!hasFlag(FLAG_NO_IPI_BROADCAST) && cpus > 1',
    'cpus > 1',
  ],
];

/** The same for the register interface, its models and devices. */
const PLANTED_HARDWARE: [string, string, string, string][] = [
  ['ESR reads show what is pending', 'lapic/esr.ts', 'store<u32>(cold, 0, L.C_ESR_PENDING);', ''],
  [
    'software disable leaves the LVT alone',
    'lapic/registers.ts',
    '&& forcesMasks()) {',
    '&& false) {',
  ],
  [
    'a disabled APIC takes new interrupts',
    'lapic/special.ts',
    'model(F_DISABLED_NEW) != <u32>NEW_ACCEPTED',
    'false',
  ],
  [
    'pending ones are dispatched while disabled',
    'lapic/special.ts',
    'return !isSoftwareEnabled(cpu) && model(F_DISABLED_PENDING)',
    'return false && model(F_DISABLED_PENDING)',
  ],
  [
    'EOI suppression is ignored',
    'lapic/special.ts',
    'L.C_SVR) & SVR_SUPPRESS) == 0',
    'L.C_SVR) & 0) == 0',
  ],
  [
    'x2APIC to xAPIC is allowed',
    'lapic/reset.ts',
    'if (wasX2apic && enabled && !x2apic) return false;',
    '',
  ],
  ['INIT forgets the TMR', 'lapic/reset.ts', 'memory.fill(cold + L.C_TMR, 0, 32);', ''],
  ['a merged SIPI survives INIT in KVM', 'lapic/outputs.ts', 'clearLatch(cpu, L.LATCH_SIPI);', ''],
  [
    'reserved SVR bits pass WRMSR',
    'lapic/access.ts',
    'if (reg == REG_SVR) return model(F_SVR_BITS);',
    'if (reg == REG_SVR) return 0xffffffff;',
  ],
  [
    'remote IRR does not stop a level pin',
    'ioapic/ioapic.ts',
    'ENTRY_MASKED | ENTRY_REMOTE_IRR | ENTRY_PENDING',
    'ENTRY_MASKED | ENTRY_PENDING',
  ],
  [
    'edge entries keep remote IRR',
    'ioapic/ioapic.ts',
    'if ((entry & ENTRY_LEVEL) == 0) entry &= ~ENTRY_REMOTE_IRR;',
    '',
  ],
  [
    'a spurious IRQ7 enters service',
    'pic/pic.ts',
    'if (line == NO_LINE) return get(PRIMARY, L.P_BASE) | SPURIOUS;',
    'if (line == NO_LINE) {\n    serve(PRIMARY, SPURIOUS);\n    return get(PRIMARY, L.P_BASE) | SPURIOUS;\n  }',
  ],
  [
    'the periodic timer drifts by a tick',
    'lapic/timer.ts',
    'arm(cpu, expiry(cpu) + period)',
    'arm(cpu, expiry(cpu) + period + 1)',
  ],
  [
    "a double EOI counts as the handler's own",
    'cpu/cpu.ts',
    'entry & (HANDLER_ENDED | 0xfff)',
    'entry & 0xfff',
  ],
  ['NMI nests', 'cpu/cpu.ts', '!inSmi && !isRunning(cpu, HANDLER_NMI)', '!inSmi'],
  [
    'three interrupts fit a class',
    'lapic/special.ts',
    'popcnt<u32>(serving) < 2',
    'popcnt<u32>(serving) < 3',
  ],
  [
    'arbitration does not rotate past 15',
    'bus/serial.ts',
    'own == HIGHEST_ARB ? (old + 1) & 15',
    'own == HIGHEST_ARB ? 15',
  ],
  ['the hash takes the lowest place', 'bus/kvm.ts', '(low & 0xff) % popcnt<u32>(places)', '0'],
  ['the focus processor is not asked', 'bus/lowest.ts', 'if (focus != NONE) return focus;', ''],
];

describe('planted bugs', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  async function build(
    file: string,
    from: string,
    to: string,
    options = ['-O1', '--noAssert'],
  ): Promise<object> {
    let wasm: Uint8Array | undefined;
    const readFile = (name: string) => {
      let text: string;
      try {
        text = readFileSync(`${root}${name}`, 'utf8');
      } catch {
        return null;
      }
      if (name !== `assembly/${file}`) return text;
      expect(text.split(from).length, `${file} holds ${from} once`).toBe(2);
      return text.replace(from, to);
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
    const module = await build(
      'index.ts',
      'export function fingerprint',
      'export function fingerprint',
      [],
    );
    for (let seed = 1; seed <= 60; seed++) fuzz(seed, STEPS, module);
    for (let seed = 1; seed <= 200; seed++) fuzzHardware(seed, 120, undefined, module);
  }, 120_000);

  it.each(PLANTED)(
    '%s: the fuzzer finds it',
    async (_name, file, from, to) => {
      const module = await build(file, from, to);
      expect(() => {
        for (let seed = 1; seed <= SEEDS; seed++) fuzz(seed, STEPS, module);
      }).toThrow(/fuzz seed \d+ step \d+|broke/);
    },
    120_000,
  );

  it.each(PLANTED_HARDWARE)(
    '%s: the hardware fuzz finds it',
    async (_name, file, from, to) => {
      const module = await build(file, from, to);
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
