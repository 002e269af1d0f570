// A local APIC as an embedder uses it: registers, pins, messages' arrival, and what it presents to its CPU.

import { checkBoolean, checkName, checkWide, lockFields } from '../core/check.js';
import type { Counters } from '../core/counters.js';
import { checkInteger } from '../core/errors.js';
import { L } from '../core/memory.js';
import type { CoreExports } from '../core/wasm.js';
import { RegisterAccess } from './hardware/access.js';
import { exportPage, importPage } from './hardware/page.js';
import { LapicState } from './lapic-state.js';

/** Local Vector Table entries, in the core's order. */
export const LVT_ENTRIES = ['timer', 'thermal', 'perf', 'lint0', 'lint1', 'error', 'cmci'] as const;
const LVT_NAMES = Object.fromEntries(LVT_ENTRIES.map((name) => [name, 0])) as Record<LvtEntry, 0>;
export type LvtEntry = (typeof LVT_ENTRIES)[number];

const TRIGGERS = { edge: 0, level: 1 } as const;

/** Levels and latches toward the CPU. */
export interface Outputs {
  intr: boolean;
  nmi: boolean;
  smi: boolean;
  init: boolean;
  /** Start-up vector of a pending SIPI, -1 for none. */
  sipi: number;
  extint: boolean;
}

/** What the machine lends to its local APICs. */
interface Host {
  counters(cpu: number): Counters;
  done(): void;
  gp: 'throw' | 'return';
}

/** One local APIC of a machine. Vectors are 0-255, priority classes 0-15. */
export class LocalApic {
  readonly cpu: number;
  readonly #core: CoreExports;
  readonly #host: Host;
  readonly #access: RegisterAccess;
  readonly #state: LapicState;

  /** Made by Machine.lapic(). */
  constructor(core: CoreExports, cpu: number, host: Host) {
    this.#core = core;
    this.cpu = cpu;
    this.#host = host;
    this.#access = new RegisterAccess(core, cpu, host.gp);
    this.#state = new LapicState(core, cpu);
    lockFields(this, 'cpu');
  }

  /**
   * A read of the xAPIC page. SDM 3A "Local APIC Register Address Map".
   * @param offset byte offset 0-0xfff; only aligned 32-bit reads see a register, others 0; in KVM's models
   *   also one or two of its bytes
   * @returns all ones while the page is closed (x2APIC mode, or disabled)
   */
  readMMIO(offset: number, size: 1 | 2 | 4 = 4): number {
    const value = this.#access.readMMIO(offset, size);
    this.#host.done();
    return value;
  }

  /** A write to the xAPIC page; only aligned 32-bit writes do something. */
  writeMMIO(offset: number, value: number, size: 1 | 2 | 4 = 4): void {
    this.#access.writeMMIO(offset, value, size);
    this.#host.done();
  }

  /**
   * RDMSR: 0x1b IA32_APIC_BASE, 0x6e0 IA32_TSC_DEADLINE, 0x800-0x83f in x2APIC mode.
   * @throws GeneralProtection, or returns undefined in machines made with gp: 'return'
   */
  readMSR(msr: number): bigint | undefined {
    const value = this.#access.readMSR(msr);
    this.#host.done();
    return value;
  }

  /**
   * WRMSR. SDM 3A "x2APIC Register Address Space", "Reserved Bit Checking".
   * @returns true, or false for #GP in machines made with gp: 'return'
   * @throws GeneralProtection; nothing has changed then
   */
  writeMSR(msr: number, value: bigint | number): boolean {
    const done = this.#access.writeMSR(msr, value);
    this.#host.done();
    return done;
  }

  /** CR8: the TPR's class, 0-15. */
  readCR8(): number {
    return this.#access.readCR8();
  }

  /** Writes CR8; above 15 raises #GP as writeMSR() does. */
  writeCR8(value: bigint | number): boolean {
    const done = this.#access.writeCR8(value);
    this.#host.done();
    return done;
  }

  /** IA32_APIC_BASE: bits 8 BSP, 10 x2APIC mode, 11 enable, and the page's address. */
  get apicBase(): bigint {
    return this.#state.base;
  }

  /** Sets IA32_APIC_BASE as a hypervisor's user space does: between any valid modes. False: invalid. */
  setApicBase(value: bigint): boolean {
    const done = this.#core.setBase(this.cpu, checkWide('value', value)) === 0;
    this.#host.done();
    return done;
  }

  /**
   * Posts an interrupt to the posted-interrupt descriptor. SDM 3C "Posted-Interrupt Processing".
   * @returns whether a notification is due (none was outstanding); syncPosted() is its effect. A vector that is
   *   posted already is merged with it, and counted so; the others are counted when they leave the descriptor
   */
  post(vector: number): boolean {
    checkInteger('vector', vector, 0, 255);
    return this.#core.postInterrupt(this.cpu, vector) === 1;
  }

  /**
   * Every posted request becomes an IRR bit; a disabled local APIC rejects it, and counts that. How many there
   * were. A reset before that discards them, and counts it.
   */
  syncPosted(): number {
    const count = this.#core.syncPosted(this.cpu);
    this.#host.done();
    return count;
  }

  /**
   * A hypervisor offers its guest to end the handler without an EOI write (Linux's PV EOI). False when
   * something is pending, nothing is in service, or what is in service is level-triggered.
   */
  offerLazyEoi(): boolean {
    return this.#core.offerLazyEoi(this.cpu) === 1;
  }

  /** Takes the offer back, before something else is injected. */
  withdrawLazyEoi(): void {
    this.#core.withdrawLazyEoi(this.cpu);
  }

  /** The guest uses the offer: EOI without a register write. False: there is none, write EOI. */
  useLazyEoi(): boolean {
    const used = this.#core.useLazyEoi(this.cpu) === 1;
    this.#host.done();
    return used;
  }

  /** Drives pin LINT0 or LINT1. */
  setLINT(pin: 0 | 1, high: boolean): void {
    checkInteger('pin', pin, 0, 1);
    this.#core.setLint(this.cpu, pin, checkBoolean('high', high) ? 1 : 0);
    this.#host.done();
  }

  /**
   * An event of a Local Vector Table entry, as its source raises it. For `lint0`, `high` = false is the
   * pin's fall. SDM 3A "Local Vector Table".
   */
  localEvent(entry: LvtEntry, high = true): void {
    checkName('entry', entry, LVT_NAMES);
    checkBoolean('high', high);
    if (high) this.#core.localEvent(this.cpu, LVT_ENTRIES.indexOf(entry));
    else if (entry === 'lint0') this.#core.lintFalls(this.cpu);
    this.#host.done();
  }

  /** An acknowledge cycle: a vector (IRR -> ISR), the spurious vector when all are masked, or none. */
  inta(): { kind: 'none' | 'vector' | 'spurious'; vector: number } {
    const code = this.#core.inta(this.cpu);
    this.#host.done();
    if (code < 0) return { kind: 'none', vector: -1 };
    return { kind: code > 0xff ? 'spurious' : 'vector', vector: code & 0xff };
  }

  /** INIT acts: registers to their reset values, id and mode kept; CPUs but 0 wait for a SIPI. */
  initReset(): void {
    this.#core.initReset(this.cpu);
    this.#host.done();
  }

  /** The CPU looks for a SIPI: its vector when one was pending and waited for, else -1 and it is gone. */
  takeSIPI(): number {
    const vector = this.#core.hearSipi(this.cpu);
    this.#host.done();
    return vector;
  }

  /** Power-on reset of this local APIC and its CPU; counters go on. */
  powerOn(): void {
    this.#core.powerOn(this.cpu);
    this.#host.done();
  }

  /** What the local APIC presents to its CPU now: the levels of its pins. Would it be taken? cpu.canTake. */
  get outputs(): Outputs {
    const { latch, sipi } = this.#state;
    return {
      intr: this.intr,
      nmi: (latch & L.LATCH_NMI) !== 0,
      smi: (latch & L.LATCH_SMI) !== 0,
      init: (latch & L.LATCH_INIT) !== 0,
      sipi: latch & L.LATCH_SIPI ? sipi : -1,
      extint: this.#core.extint(this.cpu) === 1,
    };
  }

  /**
   * A register as the present mode shows it, without an access's side effects.
   * @param register xAPIC offset >> 4 = x2APIC MSR - 0x800, 0-0x3f
   */
  peek(register: number): number {
    return this.#core.peek(this.cpu, checkInteger('register', register, 0, 63)) >>> 0;
  }

  /** IA32_TSC_DEADLINE: the armed time, or 0. */
  get deadline(): bigint {
    return this.#state.deadline;
  }

  /** State in the 1024-byte layout of KVM_GET_LAPIC. */
  exportPage(): Uint8Array {
    return exportPage(this.#core, this.cpu);
  }

  /** Takes over a page of KVM_GET_LAPIC. Mode and base are IA32_APIC_BASE's: set them before. */
  importPage(page: Uint8Array): void {
    importPage(this.#core, this.cpu, page);
    this.#host.done();
  }

  /**
   * A fixed interrupt arrives: sets IRR, or is merged when the bit is set already. Vectors below
   * 16 are rejected and counted. SDM 3A "Interrupt Acceptance for Fixed Interrupts".
   * @param vector 0-255
   * @param trigger `level` also sets the TMR bit
   */
  accept(vector: number, trigger: 'edge' | 'level' = 'edge'): void {
    checkInteger('vector', vector, 0, 255);
    checkName('trigger', trigger, TRIGGERS);
    this.#core.accept(this.cpu, vector, TRIGGERS[trigger]);
    this.#host.done();
  }

  /** Whether a vector is pending whose class beats the PPR: outputs.intr, alone. IF is the CPU's: cpu.canTake. */
  get intr(): boolean {
    return this.#core.intr(this.cpu) === 1;
  }

  /** The CPU takes the highest pending vector whose class beats the PPR: IRR -> ISR. -1 when there is none. */
  acknowledge(): number {
    const vector = this.#core.acknowledge(this.cpu);
    this.#host.done();
    return vector;
  }

  /**
   * Takes one named vector, leaving higher ones pending, as a recorded handler entry says the CPU
   * did. -1 when it is not pending or the PPR blocks it.
   */
  acknowledgeVector(vector: number): number {
    checkInteger('vector', vector, 0, 255);
    const taken = this.#core.acknowledgeVector(this.cpu, vector);
    this.#host.done();
    return taken;
  }

  /** Writes EOI: clears and returns the highest vector in service; -1 for a stray EOI, which is counted, and
   * while IA32_APIC_BASE disables the local APIC. */
  eoi(): number {
    const vector = this.#core.eoi(this.cpu);
    this.#host.done();
    return vector;
  }

  /** Task priority, 0-255. */
  get tpr(): number {
    return this.#state.tpr;
  }

  set tpr(value: number) {
    checkInteger('tpr', value, 0, 255);
    this.#core.setTpr(this.cpu, value);
    this.#host.done();
  }

  /** Processor priority, 0-255. On a tie of TPR's and ISR's class: TPR (model-specific). */
  get ppr(): number {
    return this.#core.ppr(this.cpu);
  }

  /** Vectors requested (IRR), ascending. */
  get irr(): number[] {
    return this.#state.irr;
  }

  /** Vectors in service (ISR), ascending. */
  get isr(): number[] {
    return this.#state.isr;
  }

  /** Vectors whose last acceptance was level-triggered (TMR), ascending. */
  get tmr(): number[] {
    return this.#state.tmr;
  }

  get counters(): Counters {
    return this.#host.counters(this.cpu);
  }
}
