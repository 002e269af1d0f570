// Second pass: every traced send goes through each driver of each era.

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
import {
  HANDLER_ENTRY_EVENTS,
  type IpiSend,
  parseHandlerEntry,
  parseSend,
  SEND_EVENTS,
  TraceParser,
} from './parse.js';
import type { Survey } from './survey.js';

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
  delivered: number;
  coalesced: number;
  pending: number;
}

/** IPI vectors whose sends the ipi tracepoints cover. */
const IPI_VECTORS: ReadonlySet<number> = new Set([
  C.VECTOR_RESCHEDULE,
  C.VECTOR_CALL_FUNCTION,
  C.VECTOR_CALL_FUNCTION_SINGLE,
  C.VECTOR_IRQ_WORK,
]);
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

export class Replay {
  readonly lanes: Lane[] = [];
  readonly leftOut: LeftOut[] = [];
  /** IPIs from row to column, summed over `cell` CPUs each way. */
  readonly matrix: number[][];
  readonly cell: number;
  sends = 0;
  /** IPIs sent before the first handler entry: the recorder was not yet watching handlers. */
  unwatched = 0;
  readonly #survey: Survey;
  readonly #parser: TraceParser;
  readonly #unexplained = new Map<string, Unexplained>();
  readonly #sentBefore: Uint8Array;
  readonly #cpus: number;

  /** @param machine APIC ids and boot options; CPUs come from the survey unless ids are given */
  constructor(survey: Survey, machine: MachineOptions) {
    this.#survey = survey;
    this.#parser = new TraceParser(survey.format);
    this.#cpus =
      machine.apicIds?.length ??
      (machine.topology
        ? Machine.create({ ...machine, driver: 'x2apic_phys' }).config.cpus
        : survey.cpus);
    this.#sentBefore = new Uint8Array(this.#cpus * 256);
    this.cell = Math.ceil(this.#cpus / CELLS);
    const side = Math.ceil(this.#cpus / this.cell);
    this.matrix = Array.from({ length: side }, () => new Array<number>(side).fill(0));
    this.#build(machine);
  }

  /** Whether the trace shows handlers at all. */
  get watched(): boolean {
    return this.#survey.vectorsHandled.size > 0;
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

  add(line: string): void {
    if (this.#parser.parse(line) !== 'event') return;
    const { event } = this.#parser;
    if (event.cpu >= this.#cpus) return;
    if (SEND_EVENTS.has(event.name)) {
      const send = parseSend(event, this.#survey.format);
      if (!send?.cpus.every((cpu) => cpu < this.#cpus)) return;
      if (event.timeNs < this.#survey.firstEntryNs) this.unwatched += send.cpus.length;
      this.#send(event.cpu, send);
    } else if (HANDLER_ENTRY_EVENTS.has(event.name)) {
      const vector = parseHandlerEntry(event);
      if (vector !== undefined && IPI_VECTORS.has(vector)) this.#entry(event.cpu, vector);
    }
  }

  // Linux 6.12 include/trace/events/ipi.h: smp_send_reschedule() passes no callback,
  // irq_work_raise() the work's function and its own CPU.
  #send(from: number, send: IpiSend): void {
    this.sends++;
    const generic = send.callback.startsWith('generic_smp_call_function');
    const [to = 0] = send.cpus;
    const row = this.matrix[Math.floor(from / this.cell)]!;
    for (const cpu of send.cpus) row[Math.floor(cpu / this.cell)]!++;
    const vector =
      send.kind === 'mask'
        ? C.VECTOR_CALL_FUNCTION
        : send.callback === ''
          ? C.VECTOR_RESCHEDULE
          : to === from && !generic
            ? C.VECTOR_IRQ_WORK
            : C.VECTOR_CALL_FUNCTION_SINGLE;
    for (const cpu of send.cpus) this.#sentBefore[cpu * 256 + vector] = 1;
    const atOnce = !this.#survey.vectorsHandled.has(vector);
    for (const { machine } of this.lanes) {
      if (vector === C.VECTOR_CALL_FUNCTION) machine.linux.sendCallFuncIpi(from, send.cpus);
      else if (vector === C.VECTOR_RESCHEDULE) machine.linux.smpSendReschedule(from, to);
      else if (vector === C.VECTOR_IRQ_WORK) machine.linux.irqWorkRaise(from);
      else machine.linux.sendCallFuncSingleIpi(from, to);
      if (atOnce) for (const cpu of send.cpus) take(machine, cpu, vector);
    }
  }

  #entry(cpu: number, vector: number): void {
    let explained = true;
    for (const { machine } of this.lanes) explained = take(machine, cpu, vector) && explained;
    if (explained) return;
    const reason = this.#reason(cpu, vector);
    const key = `${vector} ${reason}`;
    const known = this.#unexplained.get(key);
    if (known) known.count++;
    else this.#unexplained.set(key, { vector, count: 1, reason });
  }

  #reason(cpu: number, vector: number): string {
    if (this.#survey.lostEvents > 0)
      return `its send may be among the ${this.#survey.lostEvents} lost events`;
    if (
      !(
        this.#survey.events.counts.has('ipi_send_cpu') ||
        this.#survey.events.counts.has('ipi_send_cpumask')
      )
    ) {
      return 'the ipi_send events were not enabled';
    }
    if (this.#sentBefore[cpu * 256 + vector] === 0)
      return 'sent before the trace began, or by a path without a tracepoint';
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
        delivered: counters.delivered,
        coalesced: counters.coalesced,
        pending: counters.pending,
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
