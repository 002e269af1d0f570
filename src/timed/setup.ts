// Writes a scenario and its costs into the core's memory.

import { type MachineConfig, type MachineOptions, resolveConfig } from '../core/config.js';
import { usage } from '../core/errors.js';
import { C, T } from '../core/memory.js';
import { type CostSet, type PricedCosts, priceCosts } from './costs.js';
import { lookahead } from './lookahead.js';
import { FAULTS, FUNCS, operationOf, TARGETS } from './names.js';
import { log } from './normal.js';
import {
  cpusOf,
  type Fault,
  type Operation,
  rangeOf,
  type Scenario,
  type Workload,
} from './scenario.js';

const FREE_VECTOR = 0xf2;
const PS = 1000;
const ps = (ns: number) => BigInt(Math.round(ns * PS));

/** The machine of a scenario: what it names, else what its costs are of. */
export function machineOf(
  scenario: Scenario,
  costs: CostSet,
  seedless: MachineOptions = {},
): MachineConfig {
  const { cpus, topology, mode, driver, era, no_ipi_broadcast } = scenario.machine ?? {};
  const options: MachineOptions = { ...seedless, countVectors: true };
  if (cpus !== undefined) options.cpus = cpus;
  if (topology) options.topology = topology;
  if (mode) options.mode = mode;
  if (era) options.era = era;
  if (no_ipi_broadcast) options.noIpiBroadcast = true;
  const named = driver ?? (mode ? undefined : costs.machine.driver);
  if (named) options.driver = named;
  if (costs.machine.vendor) options.vendor = costs.machine.vendor;
  if (costs.machine.model) options.model = costs.machine.model;
  const config = resolveConfig(options);
  if (config.cpus > T.TIMED_CPUS_MAX) {
    throw usage('machine.cpus', config.cpus, `1-${T.TIMED_CPUS_MAX} in timed runs`);
  }
  if (config.isrSetAt !== 'take') throw usage('isrSetAt', config.isrSetAt, 'take in timed runs');
  return config;
}

/** Faults of a CPU, not of its messages: messages themselves, sent before the first event. */
export function happensToCpu({ fault }: Fault): boolean {
  return fault === 'irqs-off' || fault === 'dead';
}

export function checkCpu(cpu: number | undefined, cpus: number, what: string): void {
  if (cpu !== undefined && cpu >= cpus)
    throw usage(`scenario.${what}`, `CPU ${cpu}`, `0-${cpus - 1}`);
}

export class Setup {
  readonly priced: PricedCosts;
  lookahead = 0;
  readonly #view: DataView;
  readonly #base: number;
  readonly #config: MachineConfig;

  constructor(view: DataView, base: number, config: MachineConfig, costs: CostSet) {
    this.#view = view;
    this.#base = base;
    this.#config = config;
    this.priced = priceCosts(costs);
    this.#writeCosts();
  }

  write(scenario: Scenario, seed: bigint, scheduler: number): void {
    const csd = scenario.csd ?? {};
    this.#u64(T.TM_SEED, BigInt.asUintN(64, seed));
    this.#u32(T.TM_SCHEDULER, scheduler);
    this.#u64(
      T.TM_CSD_TIMEOUT,
      ps((csd.timeout_ms ?? (this.#config.era === 'linux-6.12' ? 5000 : 0)) * 1e6),
    );
    this.#u64(T.TM_PANIC, ps((csd.panic_ms ?? 0) * 1e6));
    this.#u64(T.TM_STOP_SENDING, ps(scenario.duration_ns - (scenario.drain_ns ?? 0)));
    this.#u32(T.TM_ONLINE_LOG2, Math.floor(Math.log2(this.#config.cpus)));
    this.#places(scenario);
    this.lookahead = lookahead(scenario, this.#config.model, this.priced.least, this.#distances());
    this.#u64(T.TM_LOOKAHEAD, BigInt(this.lookahead));
    this.#workloads(scenario.workloads);
    const faults = (scenario.faults ?? []).filter((fault) => !happensToCpu(fault));
    for (const [i, fault] of faults.entries()) this.#fault(fault, i);
    this.#u32(T.TM_FAULT_COUNT, faults.length);
  }

  #u32(offset: number, value: number): void {
    this.#view.setUint32(this.#base + offset, value, true);
  }

  #u64(offset: number, value: bigint): void {
    this.#view.setBigUint64(this.#base + offset, value, true);
  }

  #node(cpu: number): number {
    return this.#view.getUint32(this.#base + T.TM_ROWS, true) + cpu * T.NODE_BYTES - this.#base;
  }

  #writeCosts(): void {
    const { constants, tableOf, tables } = this.priced;
    constants.forEach((value, id) => {
      const at = T.TM_COSTS + (id << T.COST_SHIFT);
      this.#u32(at, tableOf[id]!);
      this.#u64(at + 8, BigInt(value));
    });
    const base = this.#view.getUint32(this.#base + T.TM_TABLES, true) - this.#base;
    const put = (table: number, values: bigint[]) =>
      values.forEach((value, i) => {
        this.#u64(base + table * T.TABLE_BYTES + 8 * i, value);
      });
    tables.forEach((values, i) => {
      put(i, values);
    });
    put(T.TABLE_MAX - 1, exponentialGaps());
  }

  /** The distances that two CPUs of the machine have: 0 SMT siblings, 1 one CCD, 2 one socket, 3 two. */
  #distances(): number[] {
    const places = Array.from({ length: this.#config.cpus }, (_, cpu) => {
      const node = this.#base + this.#node(cpu);
      const at = (offset: number) => this.#view.getUint32(node + offset, true);
      return { core: at(T.N_CORE), ccd: at(T.N_CCD), socket: at(T.N_SOCKET) };
    });
    const count = (of: (place: (typeof places)[number]) => number) => new Set(places.map(of)).size;
    const [cores, ccds, sockets] = [
      count(({ core }) => core),
      count(({ ccd }) => ccd),
      count(({ socket }) => socket),
    ];
    return [cores < places.length, ccds < cores, sockets < ccds, sockets > 1].flatMap((has, i) =>
      has ? [i] : [],
    );
  }

  /** Core, CCD and socket of each CPU, from its APIC id. */
  #places(scenario: Scenario): void {
    const { topology, ccd_cores } = scenario.machine ?? {};
    const { sockets, cores } = topology ?? { sockets: 1, cores: this.#config.cpus };
    const perCcd = ccd_cores ?? cores;
    for (let cpu = 0; cpu < this.#config.cpus; cpu++) {
      // As topologyIds() numbers them: first threads of every core first, socket by socket.
      const core = cpu % (sockets * cores);
      const node = this.#node(cpu);
      const socket = Math.floor(core / cores);
      this.#u32(node + T.N_CORE, core);
      this.#u32(node + T.N_SOCKET, socket);
      this.#u32(node + T.N_CCD, socket * cores + Math.floor((core % cores) / perCcd));
    }
  }

  #workloads(workloads: readonly Workload[]): void {
    let next = 0;
    const taken = new Set<number>();
    workloads.forEach((workload, i) => {
      const where = `scenario.workloads.${i}`;
      const operations: (Operation & { weight?: number | undefined })[] = [
        workload,
        ...(workload.mix ?? []),
      ];
      if (next + operations.length > T.WORK_MAX) {
        throw usage(where, 'more operations', `${T.WORK_MAX} in all workloads and mixes`);
      }
      cpusOf(workload.cpus, this.#config.cpus, `${where}.cpus`).forEach((cpu) => {
        if (taken.has(cpu))
          throw usage(`${where}.cpus`, `CPU ${cpu} again`, 'one workload for each CPU');
        taken.add(cpu);
        this.#u32(this.#node(cpu) + T.N_WORK, next + 1);
      });
      for (const [n, operation] of operations.entries()) {
        this.#operation(T.TM_WORK + ((next + n) << T.WORK_SHIFT), operation, workload, where);
      }
      this.#u32(T.TM_WORK + (next << T.WORK_SHIFT) + T.WK_COUNT, operations.length);
      next += operations.length;
    });
    this.#u32(T.TM_WORKLOADS, next);
  }

  #operation(
    at: number,
    op: Operation & { weight?: number | undefined },
    pace: Workload,
    where: string,
  ): void {
    const last = this.#config.cpus - 1;
    const [from, to] = op.among ? rangeOf(op.among, last + 1, `${where}.among`) : [0, last];
    const usual = operationOf(op.do);
    const targets =
      op.targets ??
      (op.target === undefined ? ((usual.targets as keyof typeof TARGETS) ?? 'random') : 'fixed');
    const func = op.func ?? usual.func ?? 'empty';
    if (targets === 'fixed' && (op.target ?? last + 1) > last) {
      throw usage(`${where}.target`, op.target ?? 'nothing', `a CPU, 0-${last}`);
    }
    this.#u32(at + T.WK_OP, usual.op);
    this.#u32(at + T.WK_TARGETS, TARGETS[targets]);
    this.#u32(at + T.WK_TARGET, op.target ?? 0);
    this.#u32(at + T.WK_TARGET_FIRST, from);
    this.#u32(at + T.WK_TARGET_LAST, to);
    this.#u32(at + T.WK_SIZE, op.size ?? 1);
    this.#u32(at + T.WK_FUNC, FUNCS.indexOf(func));
    this.#u32(at + T.WK_HERE, usual.here ?? (targets === 'all' ? 1 : 0));
    this.#u64(
      at + T.WK_COND,
      op.cond === undefined ? 0n : BigInt(Math.max(1, Math.round(op.cond * 2 ** 32))),
    );
    this.#u32(at + T.WK_WAIT, (op.wait ?? usual.wait) ? 1 : 0);
    this.#u32(at + T.WK_VECTOR, op.vector ?? FREE_VECTOR);
    this.#u32(at + T.WK_LOCK, op.lock === undefined ? 0 : op.lock + 1);
    this.#u32(at + T.WK_FUNC_LOCK, op.func_lock === undefined ? 0 : op.func_lock + 1);
    this.#u32(at + T.WK_WEIGHT, op.weight ?? 1);
    this.#u64(at + T.WK_LOOPS, BigInt(pace.loops ?? 0));
    this.#u64(at + T.WK_PERIOD, ps(pace.period_ns ?? 0));
    this.#u64(
      at + T.WK_THINK,
      ps(op.do === 'irqs_off' ? (op.for_ns ?? 1000) : (pace.think_ns ?? 0)),
    );
    this.#u64(at + T.WK_START, ps(pace.start_ns ?? 0));
    this.#u64(at + T.WK_STAGGER, ps(pace.stagger_ns ?? 0));
    this.#u32(at + T.WK_BURST, pace.burst ?? 1);
    this.#u32(at + T.WK_SPREAD, pace.spread === 'exponential' ? 1 : 0);
    this.#u32(at + T.WK_IDLE, pace.idle === 'poll' ? 1 : 0);
    this.#u32(at + T.WK_BUSY, pace.idle === 'busy' ? 1 : 0);
  }

  #fault(fault: Fault, index: number): void {
    if (fault.fault === 'no-copy' && this.#config.driver !== 'x2apic_cluster') {
      throw usage(
        `scenario.faults.${index}`,
        `no-copy with ${this.#config.driver}`,
        'the driver that copies masks, x2apic_cluster',
      );
    }
    for (const cpu of [fault.from, fault.to]) checkCpu(cpu, this.#config.cpus, `faults.${index}`);
    const at = T.TM_FAULTS + (index << T.FAULT_SHIFT);
    const orAny = (value: number | undefined) => (value === undefined ? 0 : value + 1);
    this.#u32(at + T.FT_KIND, FAULTS[fault.fault]);
    this.#u32(at + T.FT_FROM, orAny(fault.from));
    this.#u32(at + T.FT_TO, orAny(fault.to));
    this.#u32(at + T.FT_VECTOR, orAny(fault.vector === 2 ? C.ICR_NMI : fault.vector));
    this.#u32(at + T.FT_NTH, fault.nth ?? 0);
    this.#u32(at + T.FT_COUNT, fault.count ?? 1);
    this.#u64(at + T.FT_CHANCE, BigInt(Math.round((fault.chance ?? 0) * 2 ** 32)));
    this.#u64(at + T.FT_DELAY, ps(fault.delay_ns ?? 1e6));
    this.#u64(at + T.FT_AT, ps(fault.at_ns ?? 0));
  }
}

/** Quantiles of an exponential gap in 1/65536 of its mean, scaled so that their mean is just that. */
function exponentialGaps(): bigint[] {
  const raw = Array.from(
    { length: T.TABLE_STEPS + 1 },
    (_, i) => -log(1 - Math.min(i / T.TABLE_STEPS, 1 - 1 / (8 * T.TABLE_STEPS))),
  );
  let sum = 0;
  for (let i = 0; i < T.TABLE_STEPS; i++) sum += (raw[i]! + raw[i + 1]!) / 2;
  const mean = sum / T.TABLE_STEPS;
  return raw.map((value) => BigInt(Math.round((value / mean) * 65536)));
}
