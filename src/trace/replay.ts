// Every traced send goes through each driver of each era.

import {
  CPU_LIMIT,
  DRIVER_MODES,
  DRIVERS,
  type Driver,
  ERAS,
  type Era,
  type MachineOptions,
  missingIn,
} from '../core/config.js';
import { C } from '../core/memory.js';
import { Machine } from '../machine/machine.js';
import { isSend, ROW } from './events.js';
import { isGenericCall } from './fields.js';
import type { Trace } from './trace.js';
import { Watch } from './watch.js';

export interface DriverResult {
  era: Era;
  driver: Driver;
  icr_writes: number;
  icr2_writes: number;
  fences: number;
  irq_saves: number;
  mask_copies: number;
  mask_words: number;
  idle_polls: number;
  hypercalls: number;
  /** Fixed IPIs that reached a local APIC. */
  ipis: number;
  /** Taken by a handler that the trace shows. */
  delivered: number;
  coalesced: number;
  pending: number;
  /** The trace can't say what became of them: no handler events of that vector, CPU or time. */
  not_observed: number;
}

const CELLS = 16;

interface Lane {
  machine: Machine;
  era: Era;
  driver: Driver;
}

export interface Unexplained {
  vector: number;
  count: number;
  reason: string;
}

/** Why a driver is not in the result. */
export interface LeftOut {
  driver: Driver;
  reason: string;
}

/** Ours: try_to_wake_up() takes microseconds from its first tracepoint to its last. */
const WAKING_NS = 1e6;
/** Rows between two yields of run(). */
const SLICE = 1 << 14;

export class Replay {
  readonly lanes: Lane[] = [];
  readonly leftOut: LeftOut[] = [];
  /** IPIs from row to column, summed over `cell` CPUs each way. */
  readonly matrix: number[][];
  readonly cell: number;
  sends = 0;
  /** Sends that name a CPU which the machine doesn't have. */
  outside = 0;
  /** Reschedule IPIs with a wakeup of a task on their target beside them. */
  wakeups = 0;
  readonly #trace: Trace;
  readonly #watch: Watch;
  readonly #unexplained = new Map<string, Unexplained>();
  readonly #sentBefore: Uint8Array;
  readonly #cpus: number;
  /** Target of each CPU's last reschedule IPI and last sched_waking. */
  readonly #rescheduled = new Map<number, { target: number; time: number }>();
  readonly #waking = new Map<number, { target: number; time: number }>();

  /** @param machine APIC ids and boot options; CPUs come from the trace unless ids are given */
  constructor(trace: Trace, machine: MachineOptions) {
    this.#trace = trace;
    this.#cpus =
      machine.apicIds?.length ??
      (machine.topology
        ? Machine.create({ ...machine, driver: 'x2apic_phys' }).config.cpus
        : trace.cpus);
    this.#watch = new Watch(trace, this.#cpus);
    this.#sentBefore = new Uint8Array(this.#cpus * 256);
    this.cell = Math.ceil(this.#cpus / CELLS);
    const side = Math.ceil(this.#cpus / this.cell);
    this.matrix = Array.from({ length: side }, () => new Array<number>(side).fill(0));
    this.#build(machine);
  }

  /** IPIs sent before the first handler entry: the recorder may not yet have watched handlers. */
  get unwatched(): number {
    return this.#watch.early;
  }

  /** IPIs of which the trace can't say what became. */
  get notObserved(): number {
    return this.#watch.notObserved;
  }

  /** notObserved by its reasons. */
  get unseen(): Readonly<Watch['unseen']> {
    return this.#watch.unseen;
  }

  get cpus(): number {
    return this.#cpus;
  }

  #build(machine: MachineOptions): void {
    const highest = machine.apicIds
      ? Array.from(machine.apicIds).reduce((a, b) => Math.max(a, b), 0)
      : this.#cpus - 1;
    const { cpus: _, ...rest } = machine;
    for (const era of Object.keys(ERAS) as Era[]) {
      for (const driver of Object.keys(DRIVERS) as Driver[]) {
        if (missingIn(driver, era)) continue;
        const limit = CPU_LIMIT[DRIVER_MODES[driver][0]!];
        if (this.#cpus > limit.max || (limit.max <= 255 && highest > 254)) {
          if (!this.leftOut.some((out) => out.driver === driver)) {
            this.leftOut.push({
              driver,
              reason: `${this.#cpus} CPUs, at most ${limit.max} (${limit.why})`,
            });
          }
          continue;
        }
        const ids = machine.apicIds || machine.topology ? {} : { cpus: this.#cpus };
        this.lanes.push({ era, driver, machine: Machine.create({ ...rest, ...ids, era, driver }) });
      }
    }
  }

  /** Replays row by row; yields how much is done, 0 to 1. */
  *run(): Generator<number> {
    const { rows } = this.#trace;
    for (let at = 0; at < rows.length; at++) {
      this.#watch.reach(at);
      this.#row(this.#trace.row(at));
      if (at % SLICE === SLICE - 1) yield at / rows.length;
    }
    this.#forget(this.#watch.end());
  }

  #row(row: number): void {
    const { rows } = this.#trace;
    const what = rows.what(row);
    const cpu = rows.cpu(row);
    if (isSend(what)) {
      const targets = rows.targets(row);
      if (cpu >= this.#cpus || targets.some((target) => target >= this.#cpus)) this.outside++;
      else this.#send(cpu, row, targets);
    } else if (cpu >= this.#cpus) return;
    else if (what === ROW.entry) this.#entry(cpu, rows.a(row), rows.time(row));
    else if (what === ROW.wake) this.#wake(cpu, row);
  }

  // Linux 6.12 include/trace/events/ipi.h: smp_send_reschedule() passes no callback,
  // irq_work_raise() the work's function and its own CPU.
  #vector(from: number, row: number): number {
    const { rows } = this.#trace;
    if (rows.what(row) === ROW.sendMask) return C.VECTOR_CALL_FUNCTION;
    const callback = rows.names.text(rows.b(row));
    if (callback === '') return C.VECTOR_RESCHEDULE;
    return rows.a(row) === from && !isGenericCall(callback)
      ? C.VECTOR_IRQ_WORK
      : C.VECTOR_CALL_FUNCTION_SINGLE;
  }

  #send(from: number, row: number, targets: readonly number[]): void {
    this.sends++;
    const [to = 0] = targets;
    const cells = this.matrix[Math.floor(from / this.cell)]!;
    for (const cpu of targets) cells[Math.floor(cpu / this.cell)]!++;
    const vector = this.#vector(from, row);
    const time = this.#trace.rows.time(row);
    for (const cpu of targets) {
      this.#sentBefore[cpu * 256 + vector] = 1;
      if (this.#watch.sending(cpu, vector, time)) this.#take(cpu, vector);
    }
    for (const { machine } of this.lanes) {
      if (vector === C.VECTOR_CALL_FUNCTION) machine.linux.sendCallFuncIpi(from, [...targets]);
      else if (vector === C.VECTOR_RESCHEDULE) machine.linux.smpSendReschedule(from, to);
      else if (vector === C.VECTOR_IRQ_WORK) machine.linux.irqWorkRaise(from);
      else machine.linux.sendCallFuncSingleIpi(from, to);
    }
    if (vector === C.VECTOR_RESCHEDULE) this.#reschedule(from, to, time);
  }

  #reschedule(from: number, to: number, time: number): void {
    const waking = this.#waking.get(from);
    const woken = waking?.target === to && !(time - waking.time > WAKING_NS);
    if (woken) this.wakeups++;
    this.#waking.delete(from);
    if (woken) this.#rescheduled.delete(from);
    else this.#rescheduled.set(from, { target: to, time });
  }

  // Linux 6.12 try_to_wake_up(): sched_waking before the IPI, sched_wakeup after it.
  #wake(cpu: number, row: number): void {
    const { rows } = this.#trace;
    const [target, time, waking] = [rows.a(row), rows.time(row), rows.b(row) === 1];
    const sent = this.#rescheduled.get(cpu);
    this.#rescheduled.delete(cpu);
    if (waking) this.#waking.set(cpu, { target, time });
    else if (sent?.target === target && !(time - sent.time > WAKING_NS)) this.wakeups++;
    else this.#waking.delete(cpu);
  }

  /** Sends that the trace says no more about leave the IRR. */
  #forget(pending: readonly { cpu: number; vector: number }[]): void {
    for (const { cpu, vector } of pending) this.#take(cpu, vector);
  }

  #take(cpu: number, vector: number): boolean {
    let taken = true;
    for (const { machine } of this.lanes) taken = take(machine, cpu, vector) && taken;
    return taken;
  }

  #entry(cpu: number, handled: number, time: number): void {
    const vector = this.#watch.taking(cpu, handled);
    if (this.#take(cpu, vector)) return;
    this.#watch.unexplained(cpu, vector, time);
    const reason = this.#reason(cpu, vector);
    const key = `${vector} ${reason}`;
    const known = this.#unexplained.get(key);
    if (known) known.count++;
    else this.#unexplained.set(key, { vector, count: 1, reason });
  }

  #reason(cpu: number, vector: number): string {
    const lost = this.#trace.losses.total;
    if (this.#watch.lossy) return `its send may be among the ${lost} lost events`;
    if (this.#trace.untargeted > 0 && vector === C.VECTOR_CALL_FUNCTION)
      return 'its multicast names no receivers';
    if (this.#sentBefore[cpu * 256 + vector] === 0)
      return 'sent before the trace began, by a path without a tracepoint, or stamped later by a CPU whose clock runs ahead';
    if (vector === C.VECTOR_IRQ_WORK)
      return 'irq_work raised without a tracepoint (remote irq_work, or from NMI)';
    return 'no send since the last entry: sent by a path without a tracepoint, or stamped later by a CPU whose clock runs ahead';
  }

  unexplained(): Unexplained[] {
    return [...this.#unexplained.values()].sort((a, b) => b.count - a.count);
  }

  results(): DriverResult[] {
    return this.lanes.map(({ era, driver, machine }) => {
      const costs = machine.senderCosts();
      const counters = machine.counters();
      return {
        era,
        driver,
        icr_writes: costs.icrWrites,
        icr2_writes: costs.icr2Writes,
        fences: costs.fences,
        irq_saves: costs.irqSaves,
        mask_copies: costs.maskCopies,
        mask_words: costs.maskWords,
        idle_polls: costs.idlePolls,
        hypercalls: costs.hypercalls,
        ipis: counters.attempted,
        delivered: counters.delivered - this.notObserved,
        coalesced: counters.coalesced,
        pending: counters.pending,
        not_observed: this.notObserved,
      };
    });
  }
}

/**
 * The CPU takes just this vector, and EOIs first as Linux's handlers do. The trace is right about
 * what was taken: a higher vector pending here was traced as sent, but had not arrived yet.
 */
function take(machine: Machine, cpu: number, vector: number): boolean {
  const lapic = machine.lapic(cpu);
  if (lapic.acknowledgeVector(vector) < 0) return false;
  lapic.eoi();
  return true;
}
