// Random machines and operations over the whole register interface, seeded.
import { MODEL_NAMES } from '../../src/core/models.js';
import type { Random } from '../reference/random.js';
import type { HardwareConfig, Operation } from './operations.js';

const P6 = (model: string): boolean => model.startsWith('p6');

export function randomConfig(random: Random): HardwareConfig {
  const picked = random.pick(MODEL_NAMES.filter((name) => name !== 'kvm-split'));
  const starts = ['reset', 'xapic-flat', 'xapic-cluster', 'xapic-physical'] as const;
  const start = P6(picked)
    ? random.pick(starts)
    : random.pick([...starts, 'x2apic', 'x2apic'] as const);
  const cpus = 1 + random.below(start === 'xapic-flat' ? 8 : 6);
  // Every third size is one with a split irqchip, so that kvm's other machines stay what they were.
  const model = picked === 'kvm' && cpus % 3 === 0 ? 'kvm-split' : picked;
  const top = P6(model) ? 15 : start === 'x2apic' ? random.pick([40, 600, 0x100000]) : 255;
  const ids = new Set<number>();
  while (ids.size < cpus) ids.add(random.below(3) === 0 ? random.below(top) : ids.size);
  return {
    model,
    start,
    apicIds: [...ids],
    ...(random.below(6) === 0 && { isrSetAt: 'dispatch' as const }),
    ...(random.below(3) === 0 && {
      ioapics: [
        { pins: 24, version: random.pick([0x11, 0x20] as const), id: random.below(16) },
        { pins: 1 + random.below(6), version: 0x20 as const, id: random.below(16) },
      ].slice(0, 1 + random.below(2)),
    }),
  };
}

/** What one seed's run is about: swarms that leave most things out reach further into the rest. */
export interface Swarm {
  vectors: number[];
  /** Weights of register accesses, things outside, and the CPU. */
  access: number;
  outside: number;
  cpu: number;
  /** One in so many is a mode switch, an INIT or a power-on; 0 for never. */
  upheaval: number;
  lvt: boolean;
  pic: boolean;
  ioapic: boolean;
  timer: boolean;
}

export function randomSwarm(random: Random): Swarm {
  const some = () => random.below(2) === 0;
  const vectors = Array.from({ length: 1 + random.below(4) }, () => random.pick(VECTORS));
  return {
    vectors: random.below(4) === 0 ? VECTORS : vectors,
    access: 1 + random.below(6),
    outside: random.below(6),
    cpu: 1 + random.below(6),
    upheaval: random.pick([0, 0, 0, 40, 10, 4]),
    lvt: some(),
    pic: some(),
    ioapic: some(),
    timer: some(),
  };
}

// Few vectors, so that they meet: same class, neighbours at word borders, illegal ones.
const VECTORS = [0x10, 0x1f, 0x20, 0x31, 0x35, 0x3f, 0x41, 0x7f, 0x80, 0xe0, 0xef, 0xfe, 0xff];

let swarm: Swarm = randomSwarmOfAll();

function randomSwarmOfAll(): Swarm {
  const all = { lvt: true, pic: true, ioapic: true, timer: true };
  return { vectors: VECTORS, access: 4, outside: 2, cpu: 4, upheaval: 20, ...all };
}

function vector(random: Random): number {
  const dice = random.below(16);
  if (dice === 0) return random.below(16);
  return dice < 14 ? random.pick(swarm.vectors) : random.below(256);
}

const DELIVERIES = [0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7];

function icrLow(random: Random): number {
  const delivery = random.pick(DELIVERIES);
  const shorthand = random.pick([0, 0, 0, 0, 1, 2, 3]);
  const level = random.pick([0x4000, 0x4000, 0x4000, 0xc000, 0x8000, 0]);
  const logical = random.below(2) * 0x800;
  const rest = random.below(30) === 0 ? 2 ** random.below(32) : 0;
  return (vector(random) | (delivery << 8) | logical | level | (shorthand << 18) | rest) >>> 0;
}

function destination(random: Random, config: HardwareConfig, wide: boolean): number {
  const id = random.pick(config.apicIds);
  const logical =
    (((id >>> 4) & 0xffff) * 0x10000 + (random.below(0x10000) | (1 << (id & 15)))) >>> 0;
  const narrow = [
    id & 0xff,
    1 << random.below(8),
    random.below(256),
    0xff,
    0x0f,
    0xf0 | random.below(16),
  ];
  return random.pick(
    wide ? [id, id, logical, logical, 0xffffffff, 0xff, random.below(64)] : narrow,
  );
}

function lvtValue(random: Random): number {
  const masked = random.below(3) === 0 ? 0x10000 : 0;
  const mode = random.pick([0, 0, 0, 0x200, 0x400, 0x500, 0x700, 0x300]);
  const bits = random.pick([
    0, 0, 0x8000, 0x2000, 0xa000, 0x20000, 0x40000, 0x60000, 0x1000, 0x4000,
  ]);
  return (vector(random) | masked | mode | bits) >>> 0;
}

/** [register, value] of a plausible write. */
function registerWrite(random: Random, config: HardwareConfig): [number, number] {
  const any = () => random.below(2 ** 32);
  const lvts = [0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x2f];
  const usual: (() => [number, number])[] = [
    () => [0x08, random.pick([0, 0, 0x10, 0x30, 0x3f, 0xf0, random.below(256), any()])],
    () => [0x0b, random.below(8) === 0 ? any() : 0],
    () => [0x0f, random.pick([0x1ff, 0x1ff, 0x11ff, 0x3ff, 0x100 | vector(random)])],
    () => [0x28, random.below(6) === 0 ? any() : 0],
    () => [0x31, (destination(random, config, false) * 2 ** 24) >>> 0],
    () => [random.below(0x40), random.pick([0, 1, any()])],
  ];
  if (swarm.upheaval > 0) {
    usual.push(
      () => [0x02, random.pick([random.below(256) * 2 ** 24, any()])],
      () => [0x0d, random.pick([2 ** (24 + random.below(8)), random.below(256) * 2 ** 24])],
      () => [0x0e, random.pick([0xffffffff, 0x0fffffff, any()])],
      () => [0x0f, random.pick([0x1ff, 0xff, 0x1ef, 0xef, any()])],
    );
  }
  if (swarm.ioapic) usual.push(() => [0x0f, 0x11ff]);
  if (swarm.lvt) {
    const write = (): [number, number] => [random.pick(lvts), lvtValue(random)];
    const level = (): [number, number] => [random.pick([0x35, 0x36]), 0x8000 | vector(random)];
    usual.push(write, write, write, level, () => [random.pick([0x35, 0x36]), 0x700]);
  }
  if (swarm.timer) {
    const mode = random.pick([0, 0x20000, 0x40000, 0x60000]);
    usual.push(
      () => [0x32, mode | vector(random)],
      () => [0x38, random.pick([0, 1, 10, 1000, any()])],
      () => [0x3e, random.pick([0, 1, 2, 3, 8, 9, 0xa, 0xb, any()])],
    );
  }
  return random.pick(usual)();
}

function hex(low: number, high = 0): string {
  return ((BigInt(high) << 32n) | BigInt(low)).toString(16);
}

function accessOperation(random: Random, config: HardwareConfig, cpu: number): Operation {
  const x2apic = config.start === 'x2apic' ? random.below(8) !== 0 : random.below(6) === 0;
  const dice = random.below(20);
  if (dice === 0) {
    const value = random.pick([
      'fee00800',
      'fee00c00',
      'fee00000',
      'fee00400',
      'fed00800',
      'fee00900',
      'ffee00a00',
      '1fee00c01',
    ]);
    return { op: 'wrmsr', cpu, msr: 0x1b, value };
  }
  if (dice === 1)
    return { op: 'rdmsr', cpu, msr: random.pick([0x1b, 0x6e0, 0x10, 0x83f, 0x840, 0x8ff]) };
  if (dice === 2)
    return { op: 'wrmsr', cpu, msr: 0x6e0, value: hex(random.pick([0, 1, random.below(5000)])) };
  if (dice === 3) return { op: 'cr8_write', cpu, value: random.pick([0, 2, 3, 15, 16]) };
  if (dice === 4) return { op: 'cr8_read', cpu };
  if (dice <= 7) {
    const low = icrLow(random);
    if (x2apic)
      return { op: 'wrmsr', cpu, msr: 0x830, value: hex(low, destination(random, config, true)) };
    return { op: 'mmio_write', cpu, offset: 0x300, value: low };
  }
  if (dice === 8 && x2apic)
    return { op: 'wrmsr', cpu, msr: 0x83f, value: hex(random.pick([vector(random), 0x100])) };
  if (dice <= 11) {
    const reg = random.below(0x40);
    if (x2apic) return { op: 'rdmsr', cpu, msr: 0x800 + reg };
    const odd = random.below(8) === 0;
    return {
      op: 'mmio_read',
      cpu,
      offset: reg * 16 + (odd ? random.below(16) : 0),
      ...(odd && { size: random.pick([1, 2, 4] as const) }),
    };
  }
  const [reg, value] = registerWrite(random, config);
  if (x2apic)
    return {
      op: 'wrmsr',
      cpu,
      msr: 0x800 + reg,
      value: hex(value, random.below(25) === 0 ? 1 : 0),
    };
  return { op: 'mmio_write', cpu, offset: reg * 16, value };
}

function outsideOperation(random: Random, config: HardwareConfig, cpu: number): Operation {
  const wide = config.start === 'x2apic' && random.below(3) !== 0;
  const ioapics = config.ioapics ?? [{ pins: 24, version: 0x20 as const, id: 0 }];
  const ioapic = random.below(ioapics.length);
  const pin = Math.min(random.below(4), ioapics[ioapic]!.pins - 1);
  const list: (() => Operation)[] = [
    () => ({
      op: 'message',
      dest: destination(random, config, wide),
      logical: random.below(2) === 0,
      delivery: random.pick(DELIVERIES),
      vector: vector(random),
      level: random.below(3) === 0,
    }),
    () => ({ op: 'msi', ...msi(random, config) }),
    () => ({ op: 'lint', cpu, pin: random.pick([0, 1] as const), high: random.below(2) === 0 }),
    () => ({ op: 'local', cpu, lvt: random.pick(['thermal', 'perf', 'cmci'] as const) }),
  ];
  if (swarm.lvt) {
    const pin = (): Operation => ({
      op: 'lint',
      cpu,
      pin: random.pick([0, 0, 1]),
      high: random.below(2) === 0,
    });
    const event = (): Operation => ({
      op: 'local',
      cpu,
      lvt: random.pick(['thermal', 'perf'] as const),
    });
    list.push(pin, pin, pin, event, event);
  }
  if (swarm.ioapic) list.push(...ioapicOperations(random, config, ioapic, pin));
  if (swarm.pic) {
    const line = () => random.pick([0, 1, 2, 7, 8, 12, 15]);
    list.push(
      () => ({ op: 'pic_irq', line: line(), high: random.below(3) !== 0 }),
      () => ({ op: 'pic_irq', line: line(), high: random.below(2) === 0 }),
      () => picOperation(random),
      () => picOperation(random),
    );
  }
  return random.pick(list)();
}

function msi(random: Random, config: HardwareConfig): { address: string; data: number } {
  const window = random.pick([0xfee00000, 0xfee00000, 0xfee00000, 0xfed00000]);
  const dest = destination(random, config, false) & 0xff;
  const trigger = random.pick([0, 0x4000, 0xc000, 0x8000]);
  return {
    address: BigInt(window + dest * 4096 + random.pick([0, 4, 8, 12])).toString(16),
    data: vector(random) | (random.pick(DELIVERIES) << 8) | trigger,
  };
}

function ioapicOperations(
  random: Random,
  config: HardwareConfig,
  ioapic: number,
  pin: number,
): (() => Operation)[] {
  const select = (): Operation => ({
    op: 'ioapic_write',
    ioapic,
    offset: 0,
    value: random.pick([
      0x10,
      0x12,
      0x14,
      0x16,
      0x10,
      0x12,
      0x14,
      0x16,
      0x11,
      0x13,
      0,
      1,
      2,
      random.below(256),
    ]),
  });
  const window = (): Operation => ({
    op: 'ioapic_write',
    ioapic,
    offset: 0x10,
    value: ioapicValue(random, config),
  });
  const irq = (): Operation => ({ op: 'irq', ioapic, pin, high: random.below(3) !== 0 });
  return [
    irq,
    irq,
    irq,
    select,
    window,
    window,
    window,
    () => ({ op: 'ioapic_write', ioapic, offset: 0x40, value: vector(random) }),
    () => ({ op: 'ioapic_read', ioapic, offset: random.pick([0, 0x10, 0x40, 0x20]) }),
  ];
}

function ioapicValue(random: Random, config: HardwareConfig): number {
  if (random.below(4) === 0) return ((destination(random, config, false) & 0xff) * 2 ** 24) >>> 0;
  const mode = random.pick([0, 0, 0, 0, 0, 0x100, 0x400, 0x700, 0x200]);
  const bits =
    random.pick([0, 0x8000, 0x8000, 0x8000, 0xa000, 0x2000]) |
    (random.below(5) === 0 ? 0x10000 : 0);
  return (vector(random) | mode | (random.below(2) * 0x800) | bits) >>> 0;
}

function picOperation(random: Random): Operation {
  const port = random.pick([0x20, 0x21, 0xa0, 0xa1, 0x20, 0x4d0, 0x4d1]);
  if (random.below(4) === 0) return { op: 'pic_read', port };
  const command = random.pick([
    0x11, 0x20, 0x20, 0x60, 0x63, 0x0a, 0x0b, 0x0c, 0x68, 0x48, 0xa0, 0xc2, 0x80, 0x00, 0x13, 0x19,
  ]);
  const data = random.pick([
    0x20,
    0x28,
    0x04,
    0x02,
    0x01,
    0x03,
    0x00,
    0xff,
    0xfb,
    0x13,
    random.below(256),
  ]);
  return { op: 'pic_write', port, value: port === 0x20 || port === 0xa0 ? command : data };
}

function cpuOperation(random: Random, cpu: number): Operation {
  return random.pick<() => Operation>([
    () => ({ op: 'take', cpu }),
    () => ({ op: 'take', cpu }),
    () => ({ op: 'take', cpu }),
    () => ({ op: 'acknowledge', cpu }),
    () => ({ op: 'eoi', cpu }),
    () => ({ op: 'eoi', cpu }),
    () => ({ op: 'iret', cpu }),
    () => ({ op: 'set_if', cpu, value: random.below(4) !== 0 }),
    () => ({ op: 'set_if', cpu, value: true }),
    () => (random.below(4) === 0 ? { op: 'shadow', cpu } : { op: 'halt', cpu }),
    () => ({ op: 'advance', ns: random.pick([0, 1, 7, 100, 1300, 5000, 200_000]) }),
    () => ({ op: 'advance', ns: random.pick([0, 1, 7, 100, 1300, 5000]) }),
  ])();
}

/** Operations that a plan has still to make. */
const planned: Operation[] = [];

/** The life of a level interrupt: programmed, raised, taken, ended, with EOI broadcast or without. */
function levelRound(random: Random, config: HardwareConfig, cpu: number): Operation[] {
  const select = (value: number): Operation => ({
    op: 'ioapic_write',
    ioapic: 0,
    offset: 0,
    value,
  });
  const window = (value: number): Operation => ({
    op: 'ioapic_write',
    ioapic: 0,
    offset: 0x10,
    value,
  });
  const svr = random.pick([0x1ff, 0x11ff]);
  const x2apic = config.start === 'x2apic';
  return [
    x2apic
      ? { op: 'wrmsr', cpu, msr: 0x80f, value: hex(svr) }
      : { op: 'mmio_write', cpu, offset: 0xf0, value: svr },
    select(0x11),
    window(((config.apicIds[cpu]! & 0xff) * 2 ** 24) >>> 0),
    select(0x10),
    window(0x8000 | vector(random)),
    { op: 'irq', ioapic: 0, pin: 0, high: true },
    random.pick<Operation>([
      { op: 'acknowledge', cpu },
      { op: 'take', cpu },
    ]),
    { op: 'irq', ioapic: 0, pin: 0, high: random.below(2) === 0 },
    { op: 'eoi', cpu },
  ];
}

/** A register write in the mode that the machine starts in. */
function put(config: HardwareConfig, cpu: number, reg: number, value: number): Operation {
  if (config.start === 'x2apic') return { op: 'wrmsr', cpu, msr: 0x800 + reg, value: hex(value) };
  return { op: 'mmio_write', cpu, offset: reg * 16, value };
}

/** An error, with the error interrupt unmasked; at times its own vector is illegal. */
function errorRound(random: Random, config: HardwareConfig, cpu: number): Operation[] {
  return [
    put(config, cpu, 0x0f, 0x1ff),
    put(config, cpu, 0x28, 0),
    put(config, cpu, 0x37, random.pick([5, 0xfe])),
    {
      op: 'message',
      dest: config.apicIds[cpu]!,
      logical: false,
      delivery: 0,
      vector: 9,
      level: false,
    },
    put(config, cpu, 0x28, 0),
  ];
}

/** A LINT pin, level or edge, through its whole life. */
function lintRound(random: Random, config: HardwareConfig, cpu: number): Operation[] {
  const pin = random.pick([0, 1] as const);
  const mode = random.pick([0x8000, 0x8000, 0, 0x700, 0x400, 0x200, 0x500, 0xa000]);
  return [
    put(config, cpu, 0x0f, 0x1ff),
    put(config, cpu, 0x35 + pin, mode | random.pick(swarm.vectors)),
    { op: 'lint', cpu, pin, high: true },
    { op: 'take', cpu },
    { op: 'lint', cpu, pin, high: random.below(2) === 0 },
    { op: 'eoi', cpu },
    { op: 'iret', cpu },
    { op: 'lint', cpu, pin, high: false },
  ];
}

/** The 8259s initialised as firmware does, one interrupt, its EOI. */
function picRound(random: Random, config: HardwareConfig): Operation[] {
  const out = (port: number, value: number): Operation => ({ op: 'pic_write', port, value });
  const line = random.pick([0, 1, 8, 12]);
  return [
    ...[0x11, 0x20, 0x04, random.pick([0x01, 0x03, 0x11])].map((v, i) => out(i ? 0x21 : 0x20, v)),
    ...[0x11, 0x28, 0x02, random.pick([0x01, 0x03])].map((v, i) => out(i ? 0xa1 : 0xa0, v)),
    put(config, 0, 0x35, 0x700),
    { op: 'pic_irq', line, high: true },
    { op: 'take', cpu: 0 },
    { op: 'pic_irq', line, high: false },
    out(0xa0, random.pick([0x20, 0x0c])),
    { op: 'pic_read', port: 0xa0 },
    out(0x20, random.pick([0x20, 0xa0, 0x0c])),
    { op: 'pic_read', port: 0x20 },
  ];
}

/** A timer in any mode, and time. */
function timerRound(random: Random, config: HardwareConfig, cpu: number): Operation[] {
  const mode = random.pick([0, 0x20000, 0x40000, 0x60000]);
  return [
    put(config, cpu, 0x0f, 0x1ff),
    put(config, cpu, 0x3e, random.pick([0, 3, 0xb])),
    put(config, cpu, 0x32, mode | random.pick(swarm.vectors)),
    mode === 0x40000 && random.below(2) === 0
      ? { op: 'wrmsr', cpu, msr: 0x6e0, value: hex(1 + random.below(9000)) }
      : put(config, cpu, 0x38, 1 + random.below(300)),
    { op: 'advance', ns: random.pick([10, 700, 3000]) },
    { op: 'take', cpu },
  ];
}

/** P6: more interrupts of one priority class than fit at one CPU, and one of them served. */
function slotRound(random: Random, config: HardwareConfig, cpu: number): Operation[] {
  const base = random.pick(swarm.vectors) & 0xf0;
  const message = (): Operation => ({
    op: 'message',
    dest: config.apicIds[cpu]!,
    logical: false,
    delivery: 0,
    vector: base | random.below(16),
    level: false,
  });
  return [
    put(config, cpu, 0x0f, 0x1ff),
    message(),
    ...(random.below(2) === 0 ? [{ op: 'take', cpu } as const] : []),
    message(),
    message(),
    { op: 'eoi', cpu },
  ];
}

/** P6: all but one CPU send, until the silent one has the highest arbitration priority and keeps it. */
function busRound(random: Random, config: HardwareConfig, silent: number): Operation[] {
  const cpus = config.apicIds.length;
  const NMI = 0x4400; // no slots: never rejected
  return Array.from({ length: 18 }, () => {
    const cpu = cpus > 1 ? (silent + 1 + random.below(cpus - 1)) % cpus : silent;
    return { op: 'mmio_write', cpu, offset: 0x300, value: NMI };
  });
}

/** Forgets what was planned: a new run begins. */
export function freshPlan(): void {
  planned.length = 0;
}

export function randomOperation(
  random: Random,
  config: HardwareConfig,
  about: Swarm = randomSwarmOfAll(),
): Operation {
  swarm = about;
  const next = planned.shift();
  if (next) return next;
  const cpu = random.below(config.apicIds.length);
  if (random.below(30) === 0) {
    if (P6(config.model) && random.below(2) === 0)
      planned.push(...random.pick([slotRound, slotRound, busRound])(random, config, cpu));
    else if (about.ioapic) planned.push(...levelRound(random, config, cpu));
    else if (about.pic) planned.push(...picRound(random, config));
    else if (about.timer) planned.push(...timerRound(random, config, cpu));
    else if (about.lvt) planned.push(...random.pick([errorRound, lintRound])(random, config, cpu));
  }
  if (about.upheaval > 0 && random.below(about.upheaval * 3) === 0) {
    return random.below(4) === 0 ? { op: 'power_on' } : { op: 'init_reset', cpu };
  }
  const dice = random.below(about.access + about.outside + about.cpu);
  if (dice < about.access) return accessOperation(random, config, cpu);
  if (dice < about.access + about.outside) return outsideOperation(random, config, cpu);
  return cpuOperation(random, cpu);
}
