// What stops a CPU from taking an interrupt, what it is told when that ends, and how deep handlers nest.
import { describe, expect, it } from 'vitest';
import { Machine, type Model } from '../../src/index.js';
import { ReferenceHardware } from '../reference/hardware.js';
import { CoreHardware } from './core.js';
import { firstDifference } from './fuzzer.js';
import type { HardwareConfig, Operation } from './operations.js';

const message = (delivery: number, vector = 0): Operation => ({
  op: 'message',
  dest: 0,
  logical: false,
  delivery,
  vector,
  level: false,
});
const SMI = 2;
const NMI = 4;
const INIT = 5;
const SIPI = 6;
const cpu = 0;

const STEPS: Operation[] = [
  message(SMI),
  message(NMI),
  message(INIT),
  message(SIPI, 9),
  message(7),
  message(0, 0x41),
  { op: 'take', cpu },
  { op: 'iret', cpu },
  { op: 'eoi', cpu },
  { op: 'set_if', cpu, value: true },
  { op: 'shadow', cpu },
];

/** Every sequence of `length` steps after `prefix`, on both, from power-on. */
function compareAll(config: HardwareConfig, prefix: Operation[], length: number): void {
  const [core, reference] = [new CoreHardware(config), new ReferenceHardware(config)];
  for (let n = 0; n < STEPS.length ** length; n++) {
    const steps = Array.from(
      { length },
      (_, i) => STEPS[Math.floor(n / STEPS.length ** i) % STEPS.length]!,
    );
    for (const side of [core, reference]) side.apply({ op: 'power_on' });
    for (const step of [...prefix, ...steps]) {
      if (core.apply(step) !== reference.apply(step))
        throw new Error(JSON.stringify([prefix, steps]));
    }
    const difference = firstDifference(core.state().apics[0], reference.state().apics[0]);
    if (difference) throw new Error(`${difference} after ${JSON.stringify([prefix, steps])}`);
  }
}

const enabled: Operation[] = [
  { op: 'mmio_write', cpu, offset: 0xf0, value: 0x1ff },
  { op: 'set_if', cpu, value: true },
];
const nested: Operation[] = [...enabled, message(NMI), { op: 'take', cpu }, message(SMI)];

describe('what blocks what', () => {
  it.each<Model>(['sdm', 'kvm', 'qemu'])(
    '%s: every sequence of three steps, core and reference',
    (model) => {
      const config: HardwareConfig = { model, apicIds: [0], start: 'reset' };
      compareAll(config, enabled, 3);
      compareAll(config, nested, 3);
      compareAll({ ...config, isrSetAt: 'dispatch' }, enabled, 3);
    },
  );

  it('NMIs are blocked until the next IRET, whoever writes it; RSM brings back what the SMI found', () => {
    const machine = Machine.create({ cpus: 1 });
    const { take, iret, nmi, smi } = actions(machine);
    nmi();
    expect(take()).toBe('nmi');
    machine.cpu(0).interruptFlag = true;
    machine.lapic(0).accept(0x41);
    expect(take()).toBe('vector');
    nmi();
    expect(take()).toBeUndefined();
    expect(iret()).toBe('vector');
    expect(take()).toBe('nmi');
    smi();
    expect(take()).toBe('smi');
    nmi();
    expect(take()).toBeUndefined();
    expect(iret()).toBe('smi');
    expect(take()).toBeUndefined();
    expect(iret()).toBe('nmi');
    expect(take()).toBe('nmi');
  });

  it('an INIT in an SMI handler waits for RSM; a SIPI there is dropped', () => {
    const machine = Machine.create({ cpus: 1 });
    const { take, iret, smi } = actions(machine);
    smi();
    expect(take()).toBe('smi');
    for (const delivery of [INIT, SIPI]) machine.message({ dest: 0, delivery, vector: 8 });
    expect(take()).toBeUndefined();
    expect(iret()).toBe('smi');
    expect(take()).toBe('init');
    expect(machine.lapic(0).outputs.sipi).toBe(-1);
  });

  it('kvm: two NMIs wait while none is blocked, one while one is', () => {
    const machine = Machine.create({ cpus: 1, model: 'kvm' });
    const { take, iret, nmi } = actions(machine);
    for (let i = 0; i < 3; i++) nmi();
    expect(take()).toBe('nmi');
    nmi();
    expect([iret(), take(), iret(), take()]).toEqual(['nmi', 'nmi', 'nmi', undefined]);
  });

  it('handlers nest 256 deep; one more is refused, and nothing is lost', () => {
    const machine = Machine.create({ cpus: 2 });
    const { take, iret } = actions(machine);
    const open = () => {
      machine.lapic(0).accept(0x40);
      const taken = take();
      machine.cpu(0).eoi();
      machine.cpu(0).interruptFlag = true;
      return taken;
    };
    for (let i = 0; i < 256; i++) expect(open()).toBe('vector');
    expect(machine.cpu(0).handlers.length).toBe(256);
    expect(machine.cpu(1).handlers).toEqual([]);
    expect(open).toThrow(/interrupt 257 inside open handlers.*iret/);
    expect(machine.lapic(0).irr).toEqual([0x40]);
    const restored = Machine.restore(machine.snapshot());
    expect(restored.cpu(0).handlers).toEqual(machine.cpu(0).handlers);
    expect(machine.lapic(0).acknowledge()).toBe(0x40);
    for (let i = 0; i < 256; i++) expect(iret()).toBe('vector');
    expect(iret()).toBeUndefined();
  });
});

function actions(machine: Machine) {
  return {
    take: () => machine.cpu(0).take()?.kind,
    iret: () => machine.cpu(0).iret()?.kind,
    nmi: () => machine.message({ dest: 0, delivery: NMI, vector: 0 }),
    smi: () => machine.message({ dest: 0, delivery: SMI, vector: 0 }),
  };
}

describe('news when what held an interrupt is gone', () => {
  /** What `release` tells of CPU 0, after `prepare`. */
  function told(
    release: (machine: Machine) => void,
    prepare: (machine: Machine) => void = () => {},
    options: object = {},
  ): number[] {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat', gp: 'return', ...options });
    prepare(machine);
    const news: number[] = [];
    machine.takeWoken();
    machine.onNews = (n) => news.push(n);
    release(machine);
    return news;
  }
  const inService = (machine: Machine) => {
    machine.lapic(0).accept(0x31);
    machine.lapic(0).acknowledge();
    machine.lapic(0).accept(0x35);
  };
  const highTpr = (machine: Machine) => {
    machine.lapic(0).tpr = 0xf0;
    machine.lapic(0).accept(0x35);
  };
  const noIf = (machine: Machine) => {
    machine.cpu(0).interruptFlag = false;
    machine.lapic(0).accept(0x35);
  };
  const cases: [string, (m: Machine) => void, (m: Machine) => void, object?][] = [
    ['lapic.eoi()', (m) => m.lapic(0).eoi(), inService],
    ['cpu.eoi()', (m) => m.cpu(0).eoi(), inService],
    ['EOI by MMIO', (m) => m.lapic(0).writeMMIO(0xb0, 0), inService],
    ['EOI by MSR', (m) => m.lapic(0).writeMSR(0x80b, 0), inService, { mode: 'x2apic-physical' }],
    ['tpr', (m) => (m.lapic(0).tpr = 0), highTpr],
    ['CR8', (m) => m.lapic(0).writeCR8(0), highTpr],
    ['TPR by MMIO', (m) => m.lapic(0).writeMMIO(0x80, 0x20), highTpr],
    ['sti', (m) => (m.cpu(0).interruptFlag = true), noIf],
    [
      'SVR',
      (m) => m.lapic(0).writeMMIO(0xf0, 0x1ff),
      (m) => {
        m.lapic(0).accept(0x35);
        m.lapic(0).writeMMIO(0xf0, 0xff);
      },
    ],
    [
      'LINT0 unmasked, the pin high',
      (m) => m.lapic(0).writeMMIO(0x350, 0x8041),
      (m) => {
        m.lapic(0).writeMMIO(0x350, 0x18041);
        m.lapic(0).setLINT(0, true);
      },
    ],
    [
      'hardware enable, registers kept',
      (m) => m.lapic(0).writeMSR(0x1b, 0xfee00900),
      (m) => {
        m.lapic(0).accept(0x35);
        m.lapic(0).writeMSR(0x1b, 0xfee00100);
      },
      { model: 'kvm' },
    ],
    [
      'the shadow ends',
      (m) => m.cpu(0).take(),
      (m) => {
        m.lapic(0).accept(0x35);
        m.cpu(0).shadow();
      },
    ],
    [
      'takeSIPI',
      (m) => m.lapic(0).takeSIPI(),
      (m) => {
        for (const [delivery, vector] of [
          [INIT, 0],
          [SIPI, 9],
          [NMI, 0],
        ] as const)
          m.message({ dest: 1, delivery, vector });
        m.lapic(1).initReset();
        for (const [delivery, vector] of [
          [SIPI, 9],
          [NMI, 0],
        ] as const)
          m.message({ dest: 1, delivery, vector });
      },
      { cpus: 2 },
    ],
  ];
  it.each(cases.slice(0, -1))('%s', (_, release, prepare, options) => {
    expect(told(release, prepare, options)).toEqual([0]);
  });

  it('a CPU that leaves the wait for a SIPI hears of the NMI that came meanwhile', () => {
    const [, , prepare, options] = cases.at(-1)!;
    expect(told((m) => m.lapic(1).takeSIPI(), prepare, options)).toEqual([1]);
  });
});
