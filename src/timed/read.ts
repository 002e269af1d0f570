// What a timed run has measured so far, read from the core's memory.

import type { MachineConfig } from '../core/config.js';
import { type Counters, readSenderCosts, type SenderCosts, sumCounters } from '../core/counters.js';
import { C, L, T, X } from '../core/memory.js';
import type { CoreExports } from '../core/wasm.js';
import type { Shares } from './costs.js';
import { Histogram } from './histogram.js';
import {
  CATEGORIES,
  type Category,
  COUNTS,
  FUNCS,
  LATENCIES,
  type Latency,
  type TimedCounts,
} from './names.js';

/** One entry of the log; kinds are LOG_* of assembly/timed/codes.ts. */
export interface TimedEvent {
  ps: number;
  cpu: number;
  kind: number;
  a: number;
  b: number;
  c: number;
}

export interface CpuTime {
  /** Time in each category, ns. */
  time_ns: Record<Category, number>;
  /** Interruptions of user work: count, sum and longest, and who sent the longest. */
  noise: {
    count: number;
    total_ns: number;
    max_ns: number;
    source: number;
    what: number;
    func: string | null;
  };
  /** Interrupts taken, as /proc/interrupts counts them. */
  interrupts: { RES: number; CAL: number; TLB: number; IWI: number };
  /** Operations begun. */
  operations: number;
}

/** A wait of smp_call_function_*(), or one that is still going on. */
export interface SlowWait {
  wait_ns: number;
  begin_ns: number;
  cpu: number;
  target: number;
}

/** What a CPU is doing at the end of a run. */
export interface CpuState {
  interruptsOn: boolean;
  dead: boolean;
  /** Vectors in ISR and IRR, ascending. */
  inService: number[];
  pending: number[];
  /** Something is on its call_single_queue. */
  queued: boolean;
  /** PROC_* and first argument of each frame, the task first. */
  frames: { proc: number; a: number }[];
}

export interface TimedResult {
  scenario: string;
  costs: string;
  driver: string;
  era: string;
  cpus: number;
  seed: string;
  /** The time of the last event. */
  elapsedNs: number;
  counts: TimedCounts;
  counters: Counters;
  sender: SenderCosts;
  latencies: Record<Latency, Histogram>;
  perCpu: CpuTime[];
  /** IPIs from row to column, each cell `cell` CPUs wide and high. */
  matrix: { cell: number; ipis: number[][] };
  slowest: SlowWait[];
  /** CPUs that wait for a lock at the end, for how long, and for whom. */
  stuck: SlowWait[];
  inputs: Shares;
  /** Faults that struck, and what the kernel would print: at most 1000 log entries, by time. */
  messages: TimedEvent[];
  /** How long each lock was held, and the serial bus busy, ns. */
  locksHeldNs: number[];
  busBusyNs: number;
  events: number;
  /** Of the local APICs' events; and of everything with its time. */
  eventHash: string;
  timedHash: string;
}

/** What the run itself knows of its result. */
export type Given = Pick<TimedResult, 'scenario' | 'costs' | 'seed' | 'inputs' | 'messages'>;

export class Reader {
  readonly config: MachineConfig;
  readonly #core: CoreExports;
  readonly #base: number;

  constructor(core: CoreExports, base: number, config: MachineConfig) {
    this.#core = core;
    this.#base = base;
    this.config = config;
  }

  #view(): DataView {
    return new DataView(this.#core.memory.buffer);
  }

  result(given: Given): TimedResult {
    const view = this.#view();
    const u64 = (at: number) => Number(view.getBigUint64(this.#base + at, true));
    const hex = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
    const hists = view.getUint32(this.#base + T.TM_HISTS, true);
    const names = Object.keys(LATENCIES) as Latency[];
    return {
      ...given,
      driver: this.config.driver,
      era: this.config.era,
      cpus: this.config.cpus,
      elapsedNs: u64(T.TM_LAST) / 1000,
      counts: Object.fromEntries(
        COUNTS.map((name, i) => [name, u64(T.TM_COUNTS + 8 * i)]),
      ) as TimedCounts,
      counters: sumCounters(this.#core, 0, this.config.cpus - 1),
      sender: readSenderCosts(view),
      latencies: Object.fromEntries(
        names.map((name, i) => [name, new Histogram(view, hists + i * T.HIST_BYTES)]),
      ) as Record<Latency, Histogram>,
      perCpu: Array.from({ length: this.config.cpus }, (_, cpu) => this.#cpu(cpu)),
      matrix: this.#matrix(),
      slowest: this.#slowest(),
      stuck: this.#stuck(),
      locksHeldNs: Array.from({ length: T.LOCKS }, (_, lock) => this.#heldNs(lock)),
      busBusyNs: (u64(T.TM_COUNTS + 8 * X.CT_BUS_CLOCKS) * this.#clockPs()) / 1000,
      events: u64(T.TM_EVENTS),
      eventHash: hex(this.#core.eventHash()),
      timedHash: hex(this.#core.timedHash()),
    };
  }

  #clockPs(): number {
    const at = this.#base + T.TM_COSTS + (X.COST_BUS_CLOCK << T.COST_SHIFT);
    return Number(this.#view().getBigUint64(at + 8, true));
  }

  #heldNs(lock: number): number {
    const at = this.#core.nodeAddress(this.config.cpus + 1 + lock);
    return Number(this.#view().getBigUint64(at + T.N_TIME, true)) / 1000;
  }

  #cpu(cpu: number): CpuTime {
    const view = this.#view();
    const at = this.#core.nodeAddress(cpu);
    const u64 = (offset: number) => Number(view.getBigUint64(at + offset, true));
    const end = Number(view.getBigUint64(this.#base + T.TM_LAST, true));
    const current = view.getUint32(at + T.N_CATEGORY, true);
    const since = Math.max(0, end - u64(T.N_SINCE));
    const time = Object.fromEntries(
      CATEGORIES.map((name, i) => [
        name,
        (u64(T.N_TIME + 8 * i) + (i === current ? since : 0)) / 1000,
      ]),
    ) as Record<Category, number>;
    return {
      time_ns: time,
      noise: {
        count: u64(T.N_NOISE_COUNT),
        total_ns: u64(T.N_NOISE) / 1000,
        max_ns: u64(T.N_NOISE_MAX) / 1000,
        source: view.getUint32(at + T.N_NOISE_SOURCE, true),
        what: view.getUint32(at + T.N_NOISE_WHAT, true),
        func: FUNCS[view.getUint32(at + T.N_NOISE_FUNC, true) - 1] ?? null,
      },
      interrupts: this.#interrupts(cpu, u64(T.N_FLUSHES)),
      operations: u64(T.N_LOOPS),
    };
  }

  #interrupts(cpu: number, flushes: number): CpuTime['interrupts'] {
    const view = this.#view();
    const at = view.getUint32(L.H_COUNTS, true) + cpu * L.COUNTS_BYTES;
    const of = (vector: number) => view.getUint32(at + 4 * vector, true);
    return {
      RES: of(C.VECTOR_RESCHEDULE),
      CAL: of(C.VECTOR_CALL_FUNCTION) + of(C.VECTOR_CALL_FUNCTION_SINGLE),
      TLB: flushes,
      IWI: of(C.VECTOR_IRQ_WORK),
    };
  }

  /** IPIs by source and target; above 64 CPUs each cell is `cell` CPUs each way. */
  #matrix(): { cell: number; ipis: number[][] } {
    const view = this.#view();
    const at = view.getUint32(this.#base + T.TM_MATRIX, true);
    const shift = view.getUint32(this.#base + T.TM_MATRIX_SHIFT, true);
    const side = ((this.config.cpus - 1) >> shift) + 1;
    const row = (from: number) =>
      Array.from({ length: side }, (_, to) =>
        Number(view.getBigUint64(at + 8 * ((from << T.MATRIX_SHIFT) | to), true)),
      );
    return { cell: 2 ** shift, ipis: Array.from({ length: side }, (_, from) => row(from)) };
  }

  /** Operations that were meant to begin by now: those begun, and those that are late. Open loops only. */
  intendedOperations(): number {
    const view = this.#view();
    const now = view.getBigUint64(this.#base + T.TM_NOW, true);
    let sum = 0;
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      const at = this.#core.nodeAddress(cpu);
      const begun = Number(view.getBigUint64(at + T.N_LOOPS, true));
      const work = view.getUint32(at + T.N_WORK, true);
      if (begun === 0 || work === 0) continue;
      const period = view.getBigUint64(
        this.#base + T.TM_WORK + ((work - 1) << T.WORK_SHIFT) + T.WK_PERIOD,
        true,
      );
      const meant = view.getBigUint64(at + T.N_INTENDED, true);
      const late = period > 0n && now > meant ? Number((now - meant) / period) : 0;
      sum += begun + late;
    }
    return sum;
  }

  /** What a CPU is doing now: for explanations. */
  cpuState(cpu: number): CpuState {
    const view = this.#view();
    const at = this.#core.nodeAddress(cpu);
    const row = view.getUint32(L.H_ROWS, true) + cpu * L.ROW_BYTES;
    const depth = view.getUint32(at + T.N_DEPTH, true);
    const frames = Array.from({ length: depth }, (_, i) => {
      const frame = at + T.N_FRAMES + i * T.FRAME_BYTES;
      return {
        proc: view.getUint32(frame + T.F_PROC, true),
        a: view.getUint32(frame + T.F_A, true),
      };
    });
    const vectors = (offset: number) =>
      Array.from({ length: 256 }, (_, v) => v).filter(
        (v) => (view.getUint16(row + offset + 2 * (v >> 4), true) >> (v & 15)) & 1,
      );
    return {
      interruptsOn: view.getUint32(at + T.N_IF, true) === 1,
      dead: view.getUint32(at + T.N_DEAD, true) === 1,
      inService: vectors(L.R_ISR),
      pending: vectors(L.R_IRR),
      queued: view.getUint32(at + T.N_QUEUE, true) !== 0,
      frames,
    };
  }

  #slowest(): SlowWait[] {
    const view = this.#view();
    const waits: SlowWait[] = [];
    for (let i = 0; i < T.SLOWEST_COUNT; i++) {
      const at = this.#base + T.TM_SLOWEST + i * T.SLOWEST_BYTES;
      const wait = Number(view.getBigUint64(at, true));
      if (wait === 0) continue;
      const begin = Number(view.getBigUint64(at + 8, true));
      const [cpu, target] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)];
      waits.push({ wait_ns: wait / 1000, begin_ns: begin / 1000, cpu, target });
    }
    return waits;
  }

  /** CPUs whose task waits for a csd lock now. */
  #stuck(): SlowWait[] {
    const view = this.#view();
    const end = Number(view.getBigUint64(this.#base + T.TM_NOW, true));
    const waits: SlowWait[] = [];
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      const at = this.#core.nodeAddress(cpu);
      const depth = view.getUint32(at + T.N_DEPTH, true);
      for (let i = 0; i < depth; i++) {
        const frame = at + T.N_FRAMES + i * T.FRAME_BYTES;
        const proc = view.getUint32(frame + T.F_PROC, true);
        const calls = proc === X.PROC_CALL_SINGLE || proc === X.PROC_CALL_MANY;
        if (!calls || view.getUint32(frame + T.F_CATEGORY, true) !== X.CAT_WAIT) continue;
        const begin = Number(view.getBigUint64(frame + T.F_T0, true));
        const target = view.getUint32(at + T.N_WAITS_FOR, true);
        // Between two slices a CPU may be ahead of the time that all have reached.
        const wait = Math.max(0, end - begin);
        waits.push({ wait_ns: wait / 1000, begin_ns: begin / 1000, cpu, target });
        break;
      }
    }
    return waits;
  }
}
