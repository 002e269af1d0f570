// Names of modes, drivers and eras, what goes with what, and APIC ids from a topology.

import {
  checkBoolean,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  freezeDeep,
  type KeysOf,
} from './check.js';
import { checkInteger, usage } from './errors.js';
import { C, L } from './memory.js';
import { MODEL_NAMES, type Model, modelWords } from './models.js';

export const STARTS = { enabled: C.START_ENABLED, reset: C.START_RESET } as const;
export const MODES = {
  'xapic-flat': C.MODE_XAPIC_FLAT,
  'xapic-cluster': C.MODE_XAPIC_CLUSTER,
  'xapic-physical': C.MODE_XAPIC_PHYSICAL,
  'x2apic-physical': C.MODE_X2APIC_PHYSICAL,
  'x2apic-cluster': C.MODE_X2APIC_CLUSTER,
} as const;
export const ERAS = {
  'linux-4.0': C.ERA_4_0,
  'linux-4.0+send_IPI': C.ERA_4_0_SEND_IPI,
  'linux-6.12': C.ERA_6_12,
} as const;
export const DRIVERS = {
  flat: C.DRIVER_FLAT,
  physflat: C.DRIVER_PHYSFLAT,
  x2apic_phys: C.DRIVER_X2APIC_PHYS,
  x2apic_cluster: C.DRIVER_X2APIC_CLUSTER,
  default_32: C.DRIVER_DEFAULT_32,
  kvm_pv: C.DRIVER_KVM_PV,
  hyperv: C.DRIVER_HYPERV,
} as const;

/** How the local APICs are addressed. */
export type Mode = keyof typeof MODES;
/** Which Linux sends. `linux-4.0+send_IPI` is 4.0 with the 2015 single-target patch. */
export type Era = keyof typeof ERAS;
/** `struct apic` driver. `kvm_pv` and `hyperv` patch the native driver of the machine's mode. */
export type Driver = keyof typeof DRIVERS;

/** Size of one I/O APIC. */
export interface IoapicConfig {
  /** 1-240. */
  pins: number;
  /** 0x20 has an EOI register. */
  version: 0x11 | 0x20;
  /** Id and arbitration id, 0-15. */
  id: number;
}

/** Sockets, cores per socket, threads per core; APIC-id fields are rounded up to powers of two. */
export interface Topology {
  sockets: number;
  cores: number;
  threads: number;
}

/** CPU limit of each mode, and why. */
export const CPU_LIMIT: Readonly<Record<Mode, { readonly max: number; readonly why: string }>> =
  freezeDeep({
    'xapic-flat': { max: 8, why: 'a flat logical id is one of 8 bits' },
    'xapic-cluster': { max: 60, why: '15 clusters of 4' },
    'xapic-physical': { max: 255, why: 'ids are 8 bits and 0xff broadcasts' },
    'x2apic-physical': { max: L.CPUS_MAX, why: 'the limit of this simulator' },
    'x2apic-cluster': { max: L.CPUS_MAX, why: 'the limit of this simulator' },
  });

/** Modes a driver runs in; the first is its default. */
export const DRIVER_MODES: Readonly<Record<Driver, readonly Mode[]>> = freezeDeep<
  Record<Driver, readonly Mode[]>
>({
  flat: ['xapic-flat'],
  physflat: ['xapic-physical'],
  x2apic_phys: ['x2apic-physical'],
  x2apic_cluster: ['x2apic-cluster'],
  default_32: ['xapic-flat'],
  kvm_pv: ['x2apic-physical', 'x2apic-cluster', 'xapic-physical'],
  hyperv: ['x2apic-physical', 'x2apic-cluster', 'xapic-physical'],
});

const DEFAULT_DRIVER: Record<Mode, Driver> = {
  'xapic-flat': 'default_32',
  'xapic-cluster': 'physflat',
  'xapic-physical': 'physflat',
  'x2apic-physical': 'x2apic_phys',
  'x2apic-cluster': 'x2apic_cluster',
};

/** Why `driver` does not exist in `era`, or undefined when it does. */
export function missingIn(driver: Driver, era: Era): string | undefined {
  if (era === 'linux-6.12') {
    return driver === 'flat'
      ? 'removed in 6.12 (838ba7733e4e); 64-bit xAPIC uses physflat'
      : undefined;
  }
  if (driver === 'kvm_pv') return 'KVM paravirtual IPIs came with 4.19';
  return driver === 'hyperv' ? 'Hyper-V enlightened IPIs came with 4.18' : undefined;
}

/**
 * Every driver of an era that can run `cpus` CPUs.
 * @throws UsageError for an unknown era, or a number of CPUs that no machine has
 */
export function driversOf(era: Era, cpus: number): Driver[] {
  checkName('era', era, ERAS);
  checkInteger('cpus', cpus, 1, L.CPUS_MAX);
  return (Object.keys(DRIVERS) as Driver[]).filter(
    (driver) => !missingIn(driver, era) && cpus <= CPU_LIMIT[DRIVER_MODES[driver][0]!].max,
  );
}

/** What a machine was made with, defaults filled in; frozen. Machine.create() takes it as options. */
export interface MachineConfig {
  readonly cpus: number;
  readonly mode: Mode;
  readonly driver: Driver;
  readonly era: Era;
  readonly apicIds: readonly number[];
  readonly noIpiBroadcast: boolean;
  readonly hotplugCpu: boolean;
  readonly vendor: 'intel' | 'amd';
  readonly countVectors: boolean;
  readonly model: Model;
  readonly start: keyof typeof STARTS;
  readonly isrSetAt: 'take' | 'dispatch';
  readonly gp: 'throw' | 'return';
  readonly ioapics: readonly Readonly<IoapicConfig>[];
  readonly busMHz: number;
  readonly x2apic: boolean;
  readonly physicalBits: number;
  readonly timerMHz: number;
  readonly tscMHz: number;
}

export interface MachineOptions {
  /** How the hardware behaves; `ipistorm models` shows the differences. Default sdm. */
  model?: Model;
  /**
   * `enabled` (default): as system software leaves the local APICs: in the machine's mode, SVR 0x1ff,
   * logical ids written, IF set. `reset`: power-on, in xAPIC mode; CPUs but 0 wait for a SIPI.
   */
  start?: keyof typeof STARTS;
  /** When the ISR bit is set: `take`, as the CPU takes the interrupt (the SDM's rule), or at `dispatch`. */
  isrSetAt?: 'take' | 'dispatch';
  /** What #GP does to an embedder: `throw` (default) GeneralProtection, or `return` undefined or false. */
  gp?: 'throw' | 'return';
  /** Clock of the serial APIC bus of P6 models, 0.001-1000; default 16.67. */
  busMHz?: number;
  /** false: a CPU without x2APIC mode, whatever the model has; WRMSR of IA32_APIC_BASE bit 10 raises #GP. */
  x2apic?: boolean;
  /** Bits of a physical address, 32-52: bits of IA32_APIC_BASE above raise #GP. Default 36; model qemu has 32. */
  physicalBits?: number;
  /** Input clock of the APIC timer before its divider, 0.001-100000; default 1000. */
  timerMHz?: number;
  /** The time-stamp counter's clock, for deadlines, 0.001-100000; default 1000. */
  tscMHz?: number;
  /** Default one: 24 pins, version 0x20, id 0. At most 8. */
  ioapics?: readonly IoapicConfig[];
  /** Number of local APICs; by default that of `apicIds` or `topology`, else 8. */
  cpus?: number;
  /** Default: what `driver` runs in, else x2apic-cluster. */
  mode?: Mode;
  /** Default: the native driver of `mode`. */
  driver?: Driver;
  /** Default linux-6.12. */
  era?: Era;
  /** APIC id of each CPU, in Linux's CPU order; distinct. Default: from `topology`, else 0, 1, 2 ... */
  apicIds?: ArrayLike<number>;
  topology?: Topology;
  /** The kernel parameter no_ipi_broadcast=1. */
  noIpiBroadcast?: boolean;
  /** CONFIG_HOTPLUG_CPU of the 4.0 eras; default true. */
  hotplugCpu?: boolean;
  /** `amd` drops the x2APIC fence in linux-6.12 (6.8 on). Default intel. */
  vendor?: 'intel' | 'amd';
  /** Count deliveries by CPU and vector (1 KiB a CPU), for /proc/interrupts tables. Default false. */
  countVectors?: boolean;
}

const TOPOLOGY_KEYS: KeysOf<Topology> = { sockets: true, cores: true, threads: true };
const IOAPIC_KEYS: KeysOf<IoapicConfig> = { pins: true, version: true, id: true };
const MACHINE_KEYS: KeysOf<MachineOptions> = {
  cpus: true,
  mode: true,
  driver: true,
  era: true,
  apicIds: true,
  topology: true,
  model: true,
  start: true,
  isrSetAt: true,
  gp: true,
  busMHz: true,
  x2apic: true,
  physicalBits: true,
  timerMHz: true,
  tscMHz: true,
  ioapics: true,
  noIpiBroadcast: true,
  hotplugCpu: true,
  vendor: true,
  countVectors: true,
};

/**
 * APIC ids in Linux's CPU order: first threads of every core first, socket by socket, then the
 * second threads. Counts that are no power of two leave gaps in the ids.
 * @throws UsageError for counts that no machine has
 */
export function topologyIds(topology: Topology): Uint32Array {
  const { sockets, cores, threads } = checkOptions('topology', topology, TOPOLOGY_KEYS);
  checkInteger('topology.sockets', sockets, 1, L.CPUS_MAX);
  checkInteger('topology.cores', cores, 1, L.CPUS_MAX);
  checkInteger('topology.threads', threads, 1, 16);
  const count = sockets * cores * threads;
  checkInteger('topology (sockets x cores x threads)', count, 1, L.CPUS_MAX);
  const threadBits = Math.ceil(Math.log2(threads));
  const socketShift = threadBits + Math.ceil(Math.log2(cores));
  const ids = new Uint32Array(count);
  let cpu = 0;
  for (let thread = 0; thread < threads; thread++) {
    for (let socket = 0; socket < sockets; socket++) {
      for (let core = 0; core < cores; core++) {
        ids[cpu++] = socket * 2 ** socketShift + core * 2 ** threadBits + thread;
      }
    }
  }
  return ids;
}

function checkedIds(given: ArrayLike<number>): number[] {
  const ids = checkList('apicIds', given, L.CPUS_MAX);
  ids.forEach((id, cpu) => {
    if (!Number.isInteger(id) || id < 0 || id > 0xfffffffe)
      throw usage(`apicIds[${cpu}]`, id, 'integers 0-0xfffffffe (all ones broadcasts)');
  });
  return ids;
}

function resolveIds({ apicIds, topology, cpus }: MachineOptions): number[] {
  if (apicIds !== undefined && topology !== undefined)
    throw usage('topology', 'both topology and apicIds', 'one of them');
  if (cpus !== undefined) checkInteger('cpus', cpus, 1, L.CPUS_MAX);
  const ids =
    apicIds !== undefined
      ? checkedIds(apicIds)
      : topology !== undefined
        ? [...topologyIds(topology)]
        : Array.from({ length: cpus ?? 8 }, (_, i) => i);
  if (cpus !== undefined && cpus !== ids.length) {
    throw usage('cpus', cpus, `${ids.length}, the number of APIC ids`, 'leave cpus out');
  }
  return ids;
}

function checkIds(mode: Mode, ids: readonly number[], idBits: number): void {
  const limit = CPU_LIMIT[mode];
  if (ids.length < 1 || ids.length > limit.max) {
    const next = limit.max < L.CPUS_MAX ? 'use an x2APIC mode' : undefined;
    throw usage('cpus', ids.length, `1-${limit.max} in ${mode} (${limit.why})`, next);
  }
  const highest = ids.reduce((a, b) => Math.max(a, b), 0);
  const broadcast = 2 ** idBits - 1;
  if (mode.startsWith('xapic') && highest >= broadcast) {
    const next = broadcast === 0xff ? 'use an x2APIC mode' : 'P6-family ids have four bits';
    throw usage('apicIds', highest, `0-${broadcast - 1} in ${mode}`, next);
  }
  if (mode === 'x2apic-cluster' && highest > 0xfffff) {
    throw usage(
      'apicIds',
      highest,
      '0-0xfffff in x2apic-cluster (the logical id holds bits 19:4)',
      'use x2apic-physical',
    );
  }
}

function resolveX2apic({ x2apic }: MachineOptions, model: Model): boolean {
  const has = modelWords(model)[C.F_X2APIC] !== 0;
  if (x2apic === undefined) return has;
  if (checkBoolean('x2apic', x2apic) && !has)
    throw usage('x2apic', x2apic, `false with model ${model}`);
  return x2apic;
}

/** QEMU has no address bits above 31 in IA32_APIC_BASE, whatever its CPU has. */
function resolvePhysicalBits(given: number | undefined, model: Model): number {
  const own = modelWords(model)[C.F_BASE_BITS]!;
  if (given === undefined) return own;
  checkInteger('physicalBits', given, 32, 52);
  if (model === 'qemu' && given !== own) throw usage('physicalBits', given, '32 with model qemu');
  return given;
}

function checkClock(what: string, mhz: number): number {
  return Math.round(checkNumber(what, mhz, 0.001, 100_000) * 1000) / 1000;
}

function resolveMode(options: MachineOptions, model: Model, driver: Driver | undefined): Mode {
  const without = !resolveX2apic(options, model);
  const natural = without ? 'xapic-physical' : 'x2apic-cluster';
  const mode = checkName(
    'mode',
    options.mode === undefined ? (driver ? DRIVER_MODES[driver][0] : natural) : options.mode,
    MODES,
  );
  if (mode.startsWith('x2apic') && without) {
    const why = options.x2apic === false ? 'x2apic: false' : `model ${model}, which has no x2APIC`;
    throw usage('mode', mode, `an xAPIC mode with ${why}`);
  }
  return mode;
}

const DEFAULT_IOAPICS: readonly IoapicConfig[] = [{ pins: 24, version: 0x20, id: 0 }];

function resolveIoapics(given: readonly IoapicConfig[] = DEFAULT_IOAPICS): IoapicConfig[] {
  return checkList('ioapics', given, L.IOAPIC_MAX).map((each, n) => {
    const what = `ioapics[${n}]`;
    const { pins, version, id } = checkOptions(what, each, IOAPIC_KEYS);
    checkInteger(`${what}.pins`, pins, 1, L.PINS_MAX);
    checkInteger(`${what}.id`, id, 0, 15);
    if (version !== 0x11 && version !== 0x20) throw usage(`${what}.version`, version, '0x11, 0x20');
    return { pins, version, id };
  });
}

function checkBus(mhz: number): number {
  return Math.round(checkNumber('busMHz', mhz, 0.001, 1000) * 1000) / 1000;
}

/** Fills in defaults and refuses what no machine has. `more`: options that the caller takes itself. */
export function resolveConfig<T extends MachineOptions>(
  options: T,
  more?: Omit<KeysOf<T>, keyof MachineOptions>,
): MachineConfig {
  checkOptions<object>('options', options, { ...MACHINE_KEYS, ...more });
  const { era = 'linux-6.12', model = 'sdm', driver: named, vendor = 'intel' } = options;
  const { start = 'enabled', isrSetAt = 'take', gp = 'throw', busMHz = 16.67 } = options;
  const { timerMHz = 1000, tscMHz = 1000 } = options;
  const { noIpiBroadcast = false, hotplugCpu = true, countVectors = false } = options;
  checkName('era', era, ERAS);
  checkName('model', model, Object.fromEntries(MODEL_NAMES.map((name) => [name, 0])));
  if (named !== undefined) checkName('driver', named, DRIVERS);
  const mode = resolveMode(options, model, named);
  const driver =
    named ?? (mode === 'xapic-flat' && era !== 'linux-6.12' ? 'flat' : DEFAULT_DRIVER[mode]);
  checkDriver(driver, era, mode);
  const apicIds = resolveIds(options);
  checkIds(mode, apicIds, modelWords(model)[C.F_ID_BITS]!);
  return freezeDeep({
    cpus: apicIds.length,
    mode,
    driver,
    era,
    apicIds,
    noIpiBroadcast: checkBoolean('noIpiBroadcast', noIpiBroadcast),
    hotplugCpu: checkBoolean('hotplugCpu', hotplugCpu),
    vendor: checkName('vendor', vendor, { intel: 0, amd: 0 }),
    countVectors: checkBoolean('countVectors', countVectors),
    model,
    start: checkName('start', start, STARTS),
    isrSetAt: checkName('isrSetAt', isrSetAt, { take: 0, dispatch: 0 }),
    gp: checkName('gp', gp, { throw: 0, return: 0 }),
    ioapics: resolveIoapics(options.ioapics),
    busMHz: checkBus(busMHz),
    x2apic: resolveX2apic(options, model),
    physicalBits: resolvePhysicalBits(options.physicalBits, model),
    timerMHz: checkClock('timerMHz', timerMHz),
    tscMHz: checkClock('tscMHz', tscMHz),
  });
}

function checkDriver(driver: Driver, era: Era, mode: Mode): void {
  const why = missingIn(driver, era);
  if (why)
    throw usage('driver', driver, `a driver of ${era}: ${driversOf(era, 1).join(', ')}`, why);
  if (!DRIVER_MODES[driver].includes(mode) && mode !== 'xapic-cluster') {
    throw usage('mode', mode, `${DRIVER_MODES[driver].join(', ')} with driver ${driver}`);
  }
}
