// A timed run: a scenario on a machine with a clock, slice by slice, and its result.
import * as C from '../../assembly/codes.js';
import * as L from '../../assembly/layout.js';
import * as T from '../../assembly/layout-timed.js';
import * as X from '../../assembly/timed/codes.js';
import type { MachineConfig } from '../config.js';
import { bootCore } from '../core/boot.js';
import type { CompiledModule, CoreExports } from '../core/wasm.js';
import { type Counters, readSenderCosts, type SenderCosts, sumCounters } from '../counters.js';
import { type CostSet, type Shares, sharesOf } from './costs.js';
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
import type { RecordedLoad } from './recorded.js';
import type { Scenario } from './scenario.js';
import { checkCpu, happensToCpu, machineOf, Setup } from './setup.js';

export interface TimedOptions {
  /** 64-bit seed of every draw; default 1. */
  seed?: number | bigint;
  /** Same result either way; `auto` (default) measures which is faster. */
  scheduler?: 'auto' | 'heap' | 'windows';
  /** Receives what happens, in time order for each CPU; slower. Between `from_ns` and `until_ns`. */
  onEvents?: (events: TimedEvent[]) => void;
  eventsFromNs?: number;
  eventsUntilNs?: number;
  /** Only what concerns this CPU, and the one that waits for it. */
  eventsOf?: { target: number; waiter: number };
  /** A recorded load for workloads that do `recorded`. */
  recorded?: RecordedLoad;
  /** Events between two looks at the host's side; default a million. */
  sliceEvents?: number;
  module?: CompiledModule;
}

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

const LOG_ENTRIES = 65536;
const MESSAGE_ENTRIES = 1024;
/** More messages and faults than this are counted, not kept. */
const MESSAGES_KEPT = 1000;
const SLICE = 1_000_000;
/** Fewer events a node and window than this: the heap is faster. */
const BUSY = 0.12;

export class TimedRun {
  readonly config: MachineConfig;
  readonly #core: CoreExports;
  readonly #base: number;
  readonly #scenario: Scenario;
  readonly #costs: CostSet;
  readonly #options: TimedOptions;
  readonly #until: bigint;
  readonly #messages: TimedEvent[] = [];
  readonly lookaheadPs: number;

  /** @throws UsageError for a machine, workload or cost that cannot be */
  constructor(scenario: Scenario, costs: CostSet, options: TimedOptions = {}) {
    this.config = machineOf(scenario, costs);
    this.#core = bootCore(this.config, options.module);
    this.#scenario = scenario;
    this.#costs = costs;
    this.#options = options;
    this.#until = BigInt(Math.round(scenario.duration_ns * 1000));
    const entries = options.onEvents ? LOG_ENTRIES : MESSAGE_ENTRIES;
    this.#base = this.#core.timedCreate(entries, options.recorded?.bytes(this.config) ?? 0);
    if (this.#base <= 0) {
      throw new RangeError(
        `cpus: got ${this.config.cpus}, allowed what memory holds (12 KiB each in timed runs); use fewer`,
      );
    }
    const setup = new Setup(this.#view(), this.#base, this.config, costs);

    const heap = options.scheduler === 'heap' ? X.SCHEDULER_HEAP : X.SCHEDULER_WINDOWS;
    setup.write(scenario, BigInt(options.seed ?? 1), heap);
    this.lookaheadPs = setup.lookahead;
    options.recorded?.write(this.#view(), this.#base, this.config);
    this.#listen();
    this.#core.timedStart();
    for (const fault of (scenario.faults ?? []).filter(happensToCpu)) {
      checkCpu(fault.to, this.config.cpus, 'faults.to');
      const ps = (ns: number | undefined) => BigInt(Math.round((ns ?? 0) * 1000));
      const length = fault.fault === 'dead' ? 2n ** 64n - 1n : ps(fault.for_ns);
      this.#core.timedIrqsOff(fault.to!, ps(fault.at_ns), length);
    }
  }

  #view(): DataView {
    return new DataView(this.#core.memory.buffer);
  }

  #listen(): void {
    const { onEvents, eventsFromNs, eventsUntilNs, eventsOf } = this.#options;
    const view = this.#view();
    const logging = onEvents ? T.LOGGING_ALL : T.LOGGING_MESSAGES;
    view.setUint32(this.#base + T.TM_LOGGING, logging, true);
    view.setUint32(this.#base + T.TM_LOG_TARGET, eventsOf ? eventsOf.target + 1 : 0, true);
    view.setUint32(this.#base + T.TM_LOG_WAITER, eventsOf ? eventsOf.waiter + 1 : 0, true);
    view.setBigUint64(
      this.#base + T.TM_LOG_FROM,
      BigInt(Math.floor((eventsFromNs ?? 0) * 1000)),
      true,
    );
    const until =
      eventsUntilNs === undefined ? 2n ** 64n - 1n : BigInt(Math.ceil(eventsUntilNs * 1000));
    view.setBigUint64(this.#base + T.TM_LOG_UNTIL, until, true);
  }

  /** Runs to the end; yields the virtual time in ns after each slice. Stop early by leaving the loop. */
  *slices(): Generator<number, void, undefined> {
    while (true) {
      const before = this.#progress();
      const status = this.#core.timedRun(this.#until, this.#options.sliceEvents ?? SLICE);
      this.#drain();
      if (status === X.RUN_NO_MEMORY) {
        throw new RangeError(
          'messages under way: got more than memory holds, allowed what the host gives; lower the rate or the duration',
        );
      }
      if (status === X.RUN_DONE) return;
      this.#chooseScheduler(before);
      yield this.nowNs;
    }
  }

  /** Runs it all and returns the result. */
  run(): TimedResult {
    for (const _ of this.slices());
    return this.result();
  }

  get nowNs(): number {
    return Number(this.#view().getBigUint64(this.#base + T.TM_NOW, true)) / 1000;
  }

  #progress(): { events: number; windows: number } {
    const view = this.#view();
    return {
      events: Number(view.getBigUint64(this.#base + T.TM_EVENTS, true)),
      windows: Number(view.getBigUint64(this.#base + T.TM_WINDOWS, true)),
    };
  }

  /** Sparse windows visit many nodes for few events: then the heap takes over. */
  #chooseScheduler(before: { events: number; windows: number }): void {
    if ((this.#options.scheduler ?? 'auto') !== 'auto') return;
    const now = this.#progress();
    const windows = now.windows - before.windows;
    const load = (now.events - before.events) / (windows * this.config.cpus);
    if (windows > 0 && load < BUSY) {
      this.#view().setUint32(this.#base + T.TM_SCHEDULER, X.SCHEDULER_HEAP, true);
    }
  }

  #drain(): void {
    const view = this.#view();
    const count = view.getUint32(this.#base + T.TM_LOG_COUNT, true);
    const log = view.getUint32(this.#base + T.TM_LOG, true);
    const events: TimedEvent[] = [];
    for (let i = 0; i < count; i++) {
      const at = log + i * T.TLOG_BYTES;
      events.push({
        ps: Number(view.getBigUint64(at + T.TL_TIME, true)),
        cpu: view.getUint32(at + T.TL_CPU, true),
        kind: view.getUint32(at + T.TL_KIND, true),
        a: view.getUint32(at + T.TL_A, true),
        b: view.getUint32(at + T.TL_B, true),
        c: Number(view.getBigUint64(at + T.TL_C, true)),
      });
    }
    view.setUint32(this.#base + T.TM_LOG_COUNT, 0, true);
    if (count === 0) return;
    for (const event of events) {
      const kept = event.kind >= X.LOG_FAULT && event.kind <= X.LOG_PANIC;
      if (kept && this.#messages.length < MESSAGES_KEPT) this.#messages.push(event);
    }
    this.#options.onEvents?.(events);
  }

  result(): TimedResult {
    const view = this.#view();
    const u64 = (at: number) => Number(view.getBigUint64(this.#base + at, true));
    const hex = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
    const hists = view.getUint32(this.#base + T.TM_HISTS, true);
    const names = Object.keys(LATENCIES) as Latency[];
    return {
      scenario: this.#scenario.name,
      costs: this.#costs.name,
      driver: this.config.driver,
      era: this.config.era,
      cpus: this.config.cpus,
      seed: String(this.#options.seed ?? 1),
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
      messages: this.#messages.toSorted((a, b) => a.ps - b.ps || a.cpu - b.cpu),
      locksHeldNs: Array.from({ length: T.LOCKS }, (_, lock) => this.#heldNs(lock)),
      busBusyNs: (u64(T.TM_COUNTS + 8 * X.CT_BUS_CLOCKS) * this.#clockPs()) / 1000,
      inputs: sharesOf(this.#costs),
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
        waits.push({ wait_ns: (end - begin) / 1000, begin_ns: begin / 1000, cpu, target });
        break;
      }
    }
    return waits;
  }
}
