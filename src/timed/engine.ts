// A timed run: a scenario on a machine with a clock, slice by slice, and its result.

import { bootCore } from '../core/boot.js';
import {
  checkFunction,
  checkName,
  checkNumber,
  checkOptions,
  checkWide,
  type KeysOf,
  lockFields,
} from '../core/check.js';
import type { MachineConfig } from '../core/config.js';
import { checkInteger, usage } from '../core/errors.js';
import { T, X } from '../core/memory.js';
import type { CompiledModule, CoreExports } from '../core/wasm.js';
import { checkCosts, sharesOf } from './costs.js';
import { type CpuState, Reader, type TimedEvent, type TimedResult } from './read.js';
import { checkRecorded, RecordedLoad, recordedBytes, writeRecorded } from './recorded.js';
import { checkScenario } from './scenario.js';
import { checkCpu, happensToCpu, machineOf, Setup } from './setup.js';
import type { CostSet, Scenario } from './types.js';

export type { CpuState, CpuTime, SlowWait, TimedEvent, TimedResult } from './read.js';

export interface TimedOptions {
  /** 64-bit seed of every draw, 0 - 2^64-1; default 1. */
  seed?: number | bigint;
  /** Same result either way; `auto` (default) measures which is faster. */
  scheduler?: 'auto' | 'heap' | 'windows';
  /**
   * Receives what happens, in time order for each CPU; slower. Between `eventsFromNs` and
   * `eventsUntilNs`. It must not run this run's slices.
   */
  onEvents?: (events: TimedEvent[]) => void;
  /** Simulated ns; default 0. */
  eventsFromNs?: number;
  /** Simulated ns; default: to the end. */
  eventsUntilNs?: number;
  /** Only what concerns this CPU, and the one that waits for it. */
  eventsOf?: { target: number; waiter: number };
  /** A recorded load for workloads that do `recorded`. */
  recorded?: RecordedLoad;
  /** Events between two looks at the host's side, 1 - 2^31; default a million. */
  sliceEvents?: number;
  /** A compiled core (coreModule()), for sharing one compilation between workers. */
  module?: CompiledModule;
}

const OPTION_KEYS: KeysOf<TimedOptions> = {
  seed: true,
  scheduler: true,
  onEvents: true,
  eventsFromNs: true,
  eventsUntilNs: true,
  eventsOf: true,
  recorded: true,
  sliceEvents: true,
  module: true,
};
const EVENTS_OF_KEYS = { target: true, waiter: true } as const;

/** @throws UsageError for options that no run has */
export function checkTimedOptions(options: TimedOptions): TimedOptions {
  checkOptions('options', options, OPTION_KEYS);
  const { seed, scheduler, onEvents, eventsFromNs, eventsUntilNs, eventsOf } = options;
  if (seed !== undefined) checkWide('seed', seed);
  if (scheduler !== undefined) checkName('scheduler', scheduler, SCHEDULERS);
  if (onEvents !== undefined) checkFunction('onEvents', onEvents);
  if (eventsFromNs !== undefined) checkNumber('eventsFromNs', eventsFromNs, 0, NS_MAX);
  if (eventsUntilNs !== undefined) checkNumber('eventsUntilNs', eventsUntilNs, 0, NS_MAX);
  if (eventsOf !== undefined) checkOptions('eventsOf', eventsOf, EVENTS_OF_KEYS);
  if (options.sliceEvents !== undefined)
    checkInteger('sliceEvents', options.sliceEvents, 1, 2 ** 31);
  const { recorded } = options;
  if (recorded !== undefined && !(recorded instanceof RecordedLoad))
    throw usage('recorded', recorded, 'a RecordedLoad');
  return options;
}

const SCHEDULERS = { auto: 0, heap: 0, windows: 0 };
/** Times in ps stay below 2^64. */
const NS_MAX = 1e16;

interface Progress {
  events: number;
  windows: number;
}

const LOG_ENTRIES = 65536;
const MESSAGE_ENTRIES = 1024;
/** More messages and faults than this are counted, not kept. */
const MESSAGES_KEPT = 1000;
/** Of a slice by default, and at least between two looks at how dense the windows are. */
const SLICE = 1_000_000;
/** Fewer events a node and window than this: the heap is faster. */
const BUSY = 0.12;

/** One run of a scenario with the costs of a machine. The same inputs give the same result, to the last digit. */
export class TimedRun {
  readonly config: MachineConfig;
  readonly #core: CoreExports;
  readonly #base: number;
  readonly #reader: Reader;
  readonly #scenario: Scenario;
  readonly #costs: CostSet;
  readonly #options: TimedOptions;
  readonly #until: bigint;
  readonly #messages: TimedEvent[] = [];
  /** Shortest way of a message between two CPUs, ps: what the windowed scheduler may look ahead. */
  readonly lookaheadPs: number;
  #running = false;

  /**
   * @param given checked as checkScenario() does
   * @param givenCosts checked as checkCosts() does
   * @throws UsageError for a machine, workload, cost or option that cannot be
   * @throws RangeError when the host has no memory for it
   */
  constructor(given: Scenario, givenCosts: CostSet, options: TimedOptions = {}) {
    const scenario = checkScenario(given);
    const costs = checkCosts(givenCosts);
    checkTimedOptions(options);
    this.config = machineOf(scenario, costs);
    this.#core = bootCore(this.config, options.module);
    this.#scenario = scenario;
    this.#costs = costs;
    this.#options = { ...options };
    this.#until = BigInt(Math.round(scenario.duration_ns * 1000));
    const { recorded } = options;
    if (recorded) checkRecorded(recorded, this.config.cpus);
    for (const cpu of Object.values(options.eventsOf ?? {}))
      checkInteger('eventsOf', cpu, 0, this.config.cpus - 1);
    const entries = options.onEvents ? LOG_ENTRIES : MESSAGE_ENTRIES;
    this.#base = this.#core.timedCreate(
      entries,
      recorded ? recordedBytes(recorded, this.config) : 0,
    );
    if (this.#base <= 0) {
      throw new RangeError(
        `cpus: got ${this.config.cpus}, allowed what memory holds (12 KiB each in timed runs); use fewer`,
      );
    }
    this.#reader = new Reader(this.#core, this.#base, this.config);
    const setup = new Setup(this.#view(), this.#base, this.config, costs);

    const heap = options.scheduler === 'heap' ? X.SCHEDULER_HEAP : X.SCHEDULER_WINDOWS;
    setup.write(scenario, BigInt(options.seed ?? 1), heap);
    this.lookaheadPs = setup.lookahead;
    if (recorded) writeRecorded(recorded, this.#view(), this.#base, this.config);
    this.#listen();
    this.#core.timedStart();
    for (const fault of (scenario.faults ?? []).filter(happensToCpu)) {
      checkCpu(fault.to, this.config.cpus, 'faults.to');
      const ps = (ns: number | undefined) => BigInt(Math.round((ns ?? 0) * 1000));
      const length = fault.fault === 'dead' ? 2n ** 64n - 1n : ps(fault.for_ns);
      this.#core.timedIrqsOff(fault.to!, ps(fault.at_ns), length);
    }
    lockFields(this, 'config', 'lookaheadPs');
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

  /**
   * Runs to the end; yields the virtual time in ns after each slice. Stop early by leaving the loop: a later
   * slices() goes on from there. A number given to `next()` is the events of the slices that follow.
   * @throws UsageError inside another slices() or run() of this run, also from onEvents
   */
  *slices(): Generator<number, void, number | undefined> {
    if (this.#running)
      throw usage('slices', 'a run under way', 'calls before or after it', 'end its generator');
    this.#running = true;
    try {
      yield* this.#slices();
    } finally {
      this.#running = false;
    }
  }

  *#slices(): Generator<number, void, number | undefined> {
    let events = this.#options.sliceEvents ?? SLICE;
    let before = this.#progress();
    while (this.#slice(events)) {
      const now = this.#progress();
      if (now.events - before.events >= SLICE) {
        this.#chooseScheduler(before, now);
        before = now;
      }
      const next = yield this.nowNs;
      if (next !== undefined) events = checkInteger('next() of slices', next, 1, 2 ** 31);
    }
  }

  /** False: that was the last. */
  #slice(events: number): boolean {
    const status = this.#core.timedRun(this.#until, events);
    this.#drain();
    if (status === X.RUN_NO_MEMORY) {
      throw new RangeError(
        'messages under way: got more than memory holds, allowed what the host gives; lower the rate or the duration',
      );
    }
    return status !== X.RUN_DONE;
  }

  /** Runs it all and returns the result. */
  run(): TimedResult {
    for (const _ of this.slices());
    return this.result();
  }

  /** Simulated time, ns. */
  get nowNs(): number {
    return Number(this.#view().getBigUint64(this.#base + T.TM_NOW, true)) / 1000;
  }

  #progress(): Progress {
    const view = this.#view();
    return {
      events: Number(view.getBigUint64(this.#base + T.TM_EVENTS, true)),
      windows: Number(view.getBigUint64(this.#base + T.TM_WINDOWS, true)),
    };
  }

  /** Sparse windows visit many nodes for few events: then the heap takes over. */
  #chooseScheduler(before: Progress, now: Progress): void {
    if ((this.#options.scheduler ?? 'auto') !== 'auto') return;
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

  /** What was measured so far. */
  result(): TimedResult {
    return this.#reader.result({
      scenario: this.#scenario.name,
      costs: this.#costs.name,
      seed: String(this.#options.seed ?? 1),
      messages: this.#messages.toSorted((a, b) => a.ps - b.ps || a.cpu - b.cpu),
      inputs: sharesOf(this.#costs),
    });
  }

  /** Operations that were meant to begin by now: those begun, and those that are late. Open loops only. */
  intendedOperations(): number {
    return this.#reader.intendedOperations();
  }

  /** What a CPU is doing now: for explanations. */
  cpuState(cpu: number): CpuState {
    checkInteger('cpu', cpu, 0, this.config.cpus - 1);
    return this.#reader.cpuState(cpu);
  }
}
