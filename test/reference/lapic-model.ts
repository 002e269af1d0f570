// A local APIC with its registers and a minimal CPU, as the SDM describes them: sets of vectors, one
// field per register. Nothing here comes from the core; peers' rules come from their own sources.
import { MODEL_FLAGS, type Model } from '../../src/core/models.js';
import { type ApicState, LVT_NAMES, type LvtName } from '../hardware/operations.js';

export type Flags = Record<string, string | number>;

export function flagsOf(model: Model): Flags {
  return Object.fromEntries(MODEL_FLAGS.map((flag) => [flag.name, flag.models[model]]));
}

/** What a local APIC needs of its machine. */
export interface World {
  flags: Flags;
  early: boolean;
  now(): bigint;
  cover(rule: string): void;
  /** The level of the 8259 pair's output. */
  picOutput(): boolean;
  acknowledgePic(): number;
  /** ExtINT that reaches this CPU through pin 0 of the first I/O APIC. */
  virtualWire(apic: LapicModel): boolean;
  eoiBroadcast(apic: LapicModel, vector: number): void;
}

export interface Handler {
  kind: 'vector' | 'extint' | 'nmi' | 'smi';
  vector: number;
  interruptFlag: boolean;
  ended: boolean;
  /** Whether NMIs were blocked when it began: RSM restores that. */
  nmiBlocked: boolean;
}

const MASKED = 0x10000;
const REMOTE_IRR = 0x4000;
export const highest = (set: Set<number>): number => (set.size ? Math.max(...set) : -1);
const sorted = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
const DIVIDERS = [2, 4, 8, 16, 32, 64, 128, 1];

export class LapicModel {
  readonly index: number;
  readonly initialId: number;
  readonly world: World;
  base = 0n;
  xapicId = 0;
  ldr = 0;
  dfr = 0xffffffff;
  svr = 0xff;
  tpr = 0;
  esr = 0;
  errors = 0;
  icrLow = 0;
  icrHigh = 0;
  /** KVM keeps ICR2 and the upper half of the MSR apart. */
  icrHighOther = 0;
  lvt = {} as Record<LvtName, number>;
  initialCount = 0;
  divideRegister = 0;
  deadline = 0n;
  /** When the timer fires, 0 while it is stopped. */
  expiry = 0n;
  irr = new Set<number>();
  isr = new Set<number>();
  tmr = new Set<number>();
  arb = 0;
  /** NMIs that wait. */
  nmis = 0;
  nmiBlocked = false;
  smi = false;
  init = false;
  sipi = -1;
  extintLatch = false;
  pins: [boolean, boolean] = [false, false];
  waiting = false;
  halted = false;
  interruptFlag = false;
  shadow = false;
  handlers: Handler[] = [];
  /** With the early ISR bit: what has been dispatched and not taken. */
  dispatched = -1;
  busPending: { dest: number; low: number } | undefined;
  readonly counters = {
    attempted: 0,
    delivered: 0,
    coalesced: 0,
    rejected: 0,
    discarded: 0,
    eois: 0,
    stray_eois: 0,
    other_eois: 0,
    nmis: 0,
  };

  constructor(index: number, initialId: number, world: World) {
    this.index = index;
    this.initialId = initialId;
    this.world = world;
  }

  get flags(): Flags {
    return this.world.flags;
  }

  get enabled(): boolean {
    return (this.base & 0x800n) !== 0n;
  }

  get x2apic(): boolean {
    return (this.base & 0x400n) !== 0n;
  }

  get softwareEnabled(): boolean {
    return (this.svr & 0x100) !== 0;
  }

  get idMask(): number {
    return 2 ** (this.flags.id_bits as number) - 1;
  }

  get isKvm(): boolean {
    return this.flags.msr_checks === 'kvm';
  }

  get isQemu(): boolean {
    return this.flags.msr_checks === 'qemu';
  }

  // --- reset and modes. SDM "Local APIC State After Power-Up or Reset", "x2APIC State Transitions" ---

  powerOn(): void {
    this.world.cover('reset: power-on');
    this.base = this.index === 0 ? 0xfee00900n : 0xfee00800n;
    this.xapicId = this.initialId & this.idMask;
    this.arb = this.initialId & 15;
    this.resetRegisters();
    this.pins = [false, false];
    this.sipi = -1;
    this.resetCpu();
  }

  initReset(): void {
    this.world.cover('reset: INIT keeps id, base and mode');
    this.resetRegisters();
    this.resetCpu();
  }

  resetCpu(): void {
    this.nmis = 0;
    this.nmiBlocked = false;
    this.smi = this.init = this.extintLatch = false;
    this.waiting = (this.base & 0x100n) === 0n;
    this.interruptFlag = this.halted = this.shadow = false;
    this.handlers = [];
    this.dispatched = -1;
  }

  resetRegisters(): void {
    this.counters.discarded += this.irr.size;
    this.irr.clear();
    this.isr.clear();
    this.tmr.clear();
    this.tpr = this.esr = this.errors = this.icrLow = this.icrHigh = this.icrHighOther = 0;
    this.dfr = 0xffffffff;
    this.svr = 0xff | (this.flags.svr_low as number);
    for (const name of LVT_NAMES) this.lvt[name] = MASKED;
    if (this.index === 0) this.lvt.lint0 = this.flags.reset_lint0 as number;
    this.initialCount = this.divideRegister = 0;
    this.stopTimer();
    if (!this.x2apic) this.ldr = 0;
    this.busPending = undefined;
  }

  get derivedLdr(): number {
    return (((this.initialId >>> 4) & 0xffff) * 0x10000 + 2 ** (this.initialId & 15)) >>> 0;
  }

  /** WRMSR of IA32_APIC_BASE; false is #GP. */
  writeBase(written: bigint): boolean {
    const value = written;
    // QEMU MSR_IA32_APICBASE_RESERVED: all but bits 8, 10, 11 and 31:12.
    const legal = this.isQemu ? 0xfffffd00n : 0xffffffd00n;
    if (value & ~legal) return this.#refuse('mode switch: reserved bit');
    if (this.isQemu) {
      // cpu_set_apic_base(): before anything else is looked at.
      this.world.cover('QEMU: a write of IA32_APIC_BASE brings the id back');
      this.xapicId = this.initialId & this.idMask;
    }
    const [enable, extended] = [(value & 0x800n) !== 0n, (value & 0x400n) !== 0n];
    if (extended && (!enable || this.flags.x2apic === 'no'))
      return this.#refuse('mode switch: invalid');
    if (this.x2apic && enable && !extended) return this.#refuse('mode switch: x2APIC to xAPIC');
    if (!this.enabled && extended) return this.#refuse('mode switch: disabled to x2APIC');
    const was = { enabled: this.enabled, x2apic: this.x2apic };
    // KVM __kvm_apic_set_base() takes the value as it is.
    this.base = this.isKvm ? value : (value & ~0x100n) | (this.base & 0x100n);
    if (!was.enabled && enable) this.#reenable();
    if (was.enabled && !enable) this.#disable();
    if (extended !== was.x2apic && this.isKvm)
      [this.icrHigh, this.icrHighOther] = [this.icrHighOther, this.icrHigh];
    if (extended && !was.x2apic) {
      this.world.cover('mode switch: xAPIC to x2APIC');
      this.ldr = this.derivedLdr;
      if (this.flags.hw_disable === 'resets') this.icrHigh = 0;
    }
    if (was.x2apic && !extended && !this.isKvm) this.ldr = 0;
    return true;
  }

  #refuse(rule: string): false {
    this.world.cover(rule);
    return false;
  }

  #reenable(): void {
    this.world.cover(`hardware disable: ${this.flags.hw_disable}`);
    if (!this.isQemu) this.xapicId = this.initialId & this.idMask;
    if (this.flags.hw_disable === 'resets') this.resetRegisters();
  }

  // KVM's hrtimer and QEMU's timer don't know of it.
  #disable(): void {
    if (this.flags.hw_disable === 'resets') this.stopTimer();
    if (this.isQemu) this.svr &= ~0x100;
  }

  // --- priorities. SDM "Task and Processor Priorities" ---

  get ppr(): number {
    const serving = Math.max(0, highest(this.isr));
    return this.tpr >> 4 >= serving >> 4 ? this.tpr : serving & 0xf0;
  }

  get apr(): number {
    if (this.flags.apr === 'zero') return 0;
    const task = this.tpr >> 4;
    const request = Math.max(0, highest(this.irr)) >> 4;
    const serving = Math.max(0, highest(this.isr)) >> 4;
    return task >= request && task > serving ? this.tpr : Math.max(task & serving, request) << 4;
  }

  get held(): boolean {
    return !this.enabled || (!this.softwareEnabled && this.flags.disabled_pending === 'hold');
  }

  /** The vector that would be dispatched now, -1 for none. */
  get eligible(): number {
    if (this.held) return -1;
    const top = highest(this.irr);
    if (top >> 4 > this.ppr >> 4) return top;
    const low = this.flags.low_vectors === 'dispatched' && this.ppr === 0;
    return low && top > 0 && top < 16 ? top : -1;
  }

  get intr(): boolean {
    return this.world.early ? this.dispatched >= 0 : this.eligible >= 0;
  }

  // --- accept, dispatch, EOI. SDM "Interrupt Acceptance for Fixed Interrupts" ---

  hasSlot(vector: number): boolean {
    if (this.flags.slots === 'vector') return !this.irr.has(vector);
    if (this.flags.slots !== 'class' || this.irr.has(vector)) return true;
    const same = (v: number) => v >> 4 === vector >> 4;
    return [...this.irr].filter(same).length + [...this.isr].filter(same).length < 2;
  }

  wouldReject(vector: number): boolean {
    return vector >= 16 && this.softwareEnabled && !this.hasSlot(vector);
  }

  /** Whether it was taken. */
  accept(vector: number, level: boolean): boolean {
    this.counters.attempted++;
    if (!this.enabled) {
      this.counters.rejected++;
      return false;
    }
    if (!this.softwareEnabled && this.flags.disabled_new === 'refuse')
      return this.#reject('accept: refused while software-disabled');
    if (vector < 16 && this.flags.low_vectors === 'error') {
      this.#reject('accept: illegal vector received');
      this.collect(0x40);
      return false;
    }
    if (!this.hasSlot(vector)) return this.#reject('P6: no free slot');
    this.world.cover(level ? 'accept: level sets TMR' : 'accept: edge clears TMR');
    if (level) this.tmr.add(vector);
    else this.tmr.delete(vector);
    if (this.irr.has(vector)) {
      this.world.cover('accept: merged with a pending one');
      this.counters.coalesced++;
    } else this.irr.add(vector);
    this.settle();
    return true;
  }

  #reject(rule: string): boolean {
    this.world.cover(rule);
    this.counters.rejected++;
    return false;
  }

  dispatch(): number {
    const vector = this.eligible;
    if (vector < 0) return -1;
    this.irr.delete(vector);
    this.isr.add(vector);
    this.counters.delivered++;
    return vector;
  }

  /** With the early ISR bit: after every acceptance, and at the end of every operation. */
  settle(): void {
    if (!this.world.early || this.dispatched >= 0) return;
    this.dispatched = this.dispatch();
    if (this.dispatched >= 0) this.world.cover('ISR bit set at dispatch');
  }

  takeVector(): number {
    if (!this.world.early) return this.dispatch();
    const vector = this.dispatched;
    this.dispatched = -1;
    return vector;
  }

  acknowledge(): string {
    const vector = this.takeVector();
    if (vector >= 0) return `vector ${vector}`;
    if (this.flags.spurious === 'never' || !this.enabled || !this.softwareEnabled) return 'none';
    const low = this.flags.low_vectors === 'dispatched';
    const masked = low ? this.irr.size > 0 && this.ppr !== 0 : [...this.irr].some((v) => v >= 16);
    if (!masked) return 'none';
    this.world.cover('acknowledge: spurious vector');
    return `spurious ${this.svr & 0xff}`;
  }

  // SDM "Signaling Interrupt Servicing Completion"
  eoi(): string {
    const vector = highest(this.isr);
    if (vector < 0) {
      this.world.cover('EOI: nothing in service');
      this.counters.stray_eois++;
      return 'stray';
    }
    this.isr.delete(vector);
    this.counters.eois++;
    if (this.tmr.has(vector)) {
      const honoured = this.flags.eoi_suppression === 'honoured';
      if ((this.svr & 0x1000) === 0 || !honoured) this.world.eoiBroadcast(this, vector);
      else this.world.cover('EOI: broadcast suppressed');
      this.#endLint(vector);
    }
    const own = this.handlers.at(-1);
    if (!own) return `matched ${vector}`;
    if (own.kind === 'vector' && own.vector === vector && !own.ended) {
      own.ended = true;
      this.world.cover("EOI: the handler's own");
      return `matched ${vector}`;
    }
    this.world.cover("EOI: another handler's");
    this.counters.other_eois++;
    return `other ${vector}`;
  }

  // --- ESR. SDM "Error Handling" ---

  collect(bit: number): void {
    if (this.flags.esr === 'raw' && bit === 0x80) this.esr |= bit;
    if (this.flags.esr !== 'latch' || this.errors & bit) return;
    this.world.cover(`ESR: bit ${Math.log2(bit)} collected`);
    this.errors |= bit;
    const entry = this.lvt.error;
    if (entry & MASKED) return;
    this.world.cover('ESR: error interrupt');
    const vector = entry & 0xff;
    if (vector >= 16) this.accept(vector, false);
    else {
      this.world.cover("ESR: the error interrupt's own illegal vector");
      this.counters.attempted++;
      this.counters.rejected++;
      this.errors |= 0x40;
    }
  }

  latchErrors(): void {
    if (this.flags.esr !== 'latch') return;
    this.world.cover('ESR: write latches');
    this.esr = this.errors;
    this.errors = 0;
  }

  // --- outputs ---

  raiseNmi(): void {
    this.counters.nmis++;
    // KVM process_nmi(): two may wait while none is blocked, else one.
    const limit = this.nmiBlocked ? 1 : (this.flags.nmi_limit as number);
    this.nmis = Math.min(this.nmis + 1, limit);
    if (this.nmis === 2) this.world.cover('NMI: two wait');
  }

  raiseInit(): void {
    if (this.flags.sipi === 'cleared-by-init') this.sipi = -1;
    this.init = true;
  }

  // SDM "MP Initialization Protocol Algorithm"
  raiseSipi(vector: number): void {
    const afterInit = this.init && !this.inSmm;
    if (this.flags.sipi === 'if-waiting' && !this.waiting && !afterInit) {
      this.world.cover('SIPI: dropped, not waiting');
      return;
    }
    this.world.cover('SIPI: pending');
    this.sipi = vector;
  }

  // --- Local Vector Table. SDM "Local Vector Table" ---

  hasLvt(name: LvtName): boolean {
    const last = ((this.flags.version as number) >> 16) & 0xff;
    return name === 'cmci' ? last >= 6 : name === 'thermal' ? last >= 5 : true;
  }

  lvtBits(name: LvtName): number {
    if (this.flags.lvt_bits === 'raw') return 0xffffffff;
    // KVM LVT_MASK and LINT_MASK.
    const [status, remote] = this.isKvm ? [0x1000, 0x4000] : [0, 0];
    if (name === 'timer') return (this.flags.timer_deadline === 'yes' ? 0x700ff : 0x300ff) | status;
    if (name === 'error') return 0x100ff | status;
    return (name.startsWith('lint') ? 0x1a7ff | remote : 0x107ff) | status;
  }

  writeLvt(name: LvtName, value: number): void {
    const wasDeadline = this.inDeadlineMode;
    const bits = this.lvtBits(name);
    let entry = ((this.lvt[name] & ~bits) | (value & bits)) >>> 0;
    if (this.flags.disabled_masks === 'force' && !this.softwareEnabled) {
      this.world.cover('LVT: mask forced while software-disabled');
      entry = (entry | MASKED) >>> 0;
    }
    this.lvt[name] = entry;
    if (name === 'timer' && wasDeadline !== this.inDeadlineMode) {
      this.world.cover('timer: to or from deadline mode disarms');
      this.stopTimer();
      this.initialCount = 0;
    }
    if (name === 'lint0' || name === 'lint1') this.serveLint(name);
    // QEMU apic_check_pic()
    if (name === 'lint0' && this.isQemu && this.enabled && this.pinHigh(0)) {
      this.world.cover('QEMU: a write of LINT0 looks at its pin');
      this.local(name);
    }
  }

  writeSvr(value: number): void {
    this.svr = (value & (this.flags.svr_bits as number)) | (this.flags.svr_low as number);
    if (value & 0x100 || this.flags.disabled_masks !== 'force') return;
    this.world.cover('SVR: software disable masks the LVT');
    for (const name of LVT_NAMES) this.lvt[name] = (this.lvt[name] | MASKED) >>> 0;
  }

  local(name: LvtName): void {
    const entry = this.lvt[name];
    if (!this.hasLvt(name) || !this.enabled || entry & MASKED) return;
    if (name === 'perf' && this.flags.perf_masks === 'yes') {
      this.world.cover('LVT: performance counter masks itself');
      this.lvt.perf = (entry | MASKED) >>> 0;
    }
    const pin = name === 'lint0' || name === 'lint1';
    const mode = (entry >> 8) & 7;
    const known = [0, 2, 4, 5, 7].includes(mode);
    this.world.cover(known ? `LVT: delivery mode ${mode}` : 'LVT: reserved delivery mode');
    if (mode === 0) this.accept(entry & 0xff, pin && (entry & 0x8000) !== 0);
    else if (mode === 2) this.smi = true;
    else if (mode === 4) this.raiseNmi();
    else if (mode === 5) this.raiseInit();
    else if (mode === 7 && !pin) this.extintLatch = true;
  }

  get remoteIrr(): boolean {
    return this.flags.lint_level === 'remote-irr';
  }

  pinHigh(pin: 0 | 1): boolean {
    return this.pins[pin] || (pin === 0 && this.index === 0 && this.world.picOutput());
  }

  #active(entry: number, high: boolean): boolean {
    return this.remoteIrr && entry & 0x2000 ? !high : high;
  }

  /** A pin's level changed to what it is now. */
  pinMoved(pin: 0 | 1): void {
    const high = this.pinHigh(pin);
    if (!this.enabled) {
      if (high && pin === 1) {
        this.world.cover('LINT1 of a disabled APIC is NMI');
        this.raiseNmi();
      }
      return;
    }
    const name = pin === 0 ? 'lint0' : 'lint1';
    const entry = this.lvt[name];
    const levelFixed = (entry & 0x8000) !== 0 && (entry & 0x700) === 0;
    if (!this.#active(entry, high)) {
      if (
        this.flags.lint_level === 'clears-irr' &&
        pin === 0 &&
        levelFixed &&
        this.irr.delete(entry & 0xff)
      ) {
        this.world.cover('LINT0: fall clears IRR');
        this.counters.discarded++;
      }
      return;
    }
    if ((entry & 0x700) === 0x700) return;
    if (levelFixed && this.remoteIrr) this.serveLint(name);
    else this.local(name);
  }

  serveLint(name: 'lint0' | 'lint1'): void {
    const entry = this.lvt[name];
    const levelFixed = (entry & 0x8000) !== 0 && (entry & 0x700) === 0;
    if (!this.remoteIrr || !levelFixed || entry & (MASKED | REMOTE_IRR) || !this.enabled) return;
    if (!this.#active(entry, this.pinHigh(name === 'lint0' ? 0 : 1))) return;
    const rejected = this.counters.rejected;
    this.local(name);
    if (this.counters.rejected !== rejected) return;
    this.world.cover('LINT: remote IRR set');
    this.lvt[name] = (this.lvt[name] | REMOTE_IRR) >>> 0;
  }

  #endLint(vector: number): void {
    if (!this.remoteIrr) return;
    for (const name of ['lint0', 'lint1'] as const) {
      if (!(this.lvt[name] & REMOTE_IRR) || (this.lvt[name] & 0xff) !== vector) continue;
      this.world.cover('LINT: EOI clears remote IRR');
      this.lvt[name] = (this.lvt[name] & ~REMOTE_IRR) >>> 0;
      this.serveLint(name);
    }
  }

  get extint(): boolean {
    if (this.extintLatch) return true;
    for (const [pin, name] of [
      [0, 'lint0'],
      [1, 'lint1'],
    ] as const) {
      const high = this.pinHigh(pin);
      if (!this.enabled) {
        if (pin === 0 && high) return true;
        continue;
      }
      const entry = this.lvt[name];
      if (!(entry & MASKED) && (entry & 0x700) === 0x700 && this.#active(entry, high)) return true;
    }
    return this.world.picOutput() && this.world.virtualWire(this);
  }

  // --- timer. SDM "APIC Timer" ---

  get timerMode(): number {
    const mode = (this.lvt.timer >> 17) & 3;
    return mode === 2 && this.flags.lvt_bits === 'raw' ? 0 : mode;
  }

  get inDeadlineMode(): boolean {
    return this.flags.timer_deadline === 'yes' && this.timerMode === 2;
  }

  get divider(): bigint {
    const value = this.divideRegister;
    return BigInt(DIVIDERS[(value & 3) | ((value >> 1) & 4)]!);
  }

  stopTimer(): void {
    this.expiry = 0n;
    this.deadline = 0n;
  }

  get currentCount(): number {
    if (this.expiry === 0n || this.inDeadlineMode) return 0;
    return Number((this.expiry - this.world.now() + this.divider - 1n) / this.divider) >>> 0;
  }

  #count(ticks: number): void {
    this.expiry = ticks === 0 ? 0n : this.world.now() + BigInt(ticks) * this.divider;
  }

  writeInitialCount(value: number): void {
    if (this.inDeadlineMode) {
      this.world.cover('timer: initial count ignored in deadline mode');
      return;
    }
    this.initialCount = value;
    this.#count(value);
  }

  writeDivide(value: number): void {
    const left = this.currentCount;
    const counting = this.expiry !== 0n && !this.inDeadlineMode;
    this.divideRegister = value & 0xb;
    if (!counting) return;
    this.world.cover('timer: divide changes while counting');
    this.#count(left);
  }

  writeDeadline(tsc: bigint): void {
    if (!this.inDeadlineMode || !this.enabled) return;
    this.deadline = tsc;
    this.expiry = tsc;
    if (tsc !== 0n && tsc <= this.world.now()) this.fire();
  }

  fire(): void {
    const mode = this.timerMode;
    const period = BigInt(this.initialCount) * this.divider;
    this.world.cover(`timer: fires in mode ${mode}`);
    if (mode === 1 && period > 0n) this.expiry += period;
    else this.stopTimer();
    if (mode !== 3) this.local('timer');
  }

  // --- the CPU ---

  #enter(kind: Handler['kind'], vector: number): string {
    const { interruptFlag, nmiBlocked } = this;
    this.handlers.push({ kind, vector, interruptFlag, ended: false, nmiBlocked });
    this.interruptFlag = this.halted = false;
    return kind === 'nmi' || kind === 'smi' ? kind : `${kind} ${vector}`;
  }

  get inSmm(): boolean {
    return this.handlers.some((handler) => handler.kind === 'smi');
  }

  /** Whether a kind of interrupt waits that nothing blocks. SDM "Interrupt and Exception Handling". */
  canTake(kind: 'init' | 'sipi' | 'smi' | 'nmi' | 'extint' | 'vector'): boolean {
    if (kind === 'init') return this.init && !this.inSmm;
    if (kind === 'sipi') return this.waiting && this.sipi >= 0;
    if (this.waiting || this.shadow) return false;
    if (kind === 'smi') return this.smi && !this.inSmm;
    if (kind === 'nmi') return this.nmis > 0 && !this.nmiBlocked;
    if (!this.interruptFlag) return false;
    return kind === 'extint' ? this.extint : this.intr;
  }

  get canTakeSomething(): boolean {
    const kinds = ['init', 'sipi', 'smi', 'nmi', 'extint', 'vector'] as const;
    return kinds.some((kind) => this.canTake(kind));
  }

  take(): string {
    if (this.init && this.inSmm) this.world.cover('CPU: INIT waits for RSM');
    if (this.canTake('init')) {
      this.initReset();
      return 'init';
    }
    if (this.waiting) {
      if (this.sipi < 0) return 'none';
      this.world.cover('SIPI: taken');
      const vector = this.sipi;
      this.sipi = -1;
      this.waiting = this.halted = this.interruptFlag = false;
      return `sipi ${vector}`;
    }
    this.sipi = -1;
    if (this.shadow) {
      this.world.cover('CPU: interrupt shadow');
      this.shadow = false;
      return 'none';
    }
    if (this.canTake('smi')) {
      this.smi = false;
      this.world.cover('CPU: SMI');
      const taken = this.#enter('smi', 0);
      this.nmiBlocked = true;
      return taken;
    }
    if (this.canTake('nmi')) {
      this.nmis--;
      this.world.cover('CPU: NMI');
      const taken = this.#enter('nmi', 0);
      this.nmiBlocked = true;
      return taken;
    }
    if (this.canTake('extint')) {
      this.world.cover('CPU: ExtINT before vectors');
      this.extintLatch = false;
      return this.#enter('extint', this.world.acknowledgePic());
    }
    return this.canTake('vector') ? this.#enter('vector', this.takeVector()) : 'none';
  }

  // SDM "Handling Multiple NMIs": any IRET unblocks NMIs. SDM "NMI Handling While in SMM": RSM restores.
  iret(): string {
    const handler = this.handlers.pop();
    if (!handler) return 'none';
    this.interruptFlag = handler.interruptFlag;
    if (handler.kind === 'smi') this.nmiBlocked = handler.nmiBlocked;
    else {
      const nested = this.nmiBlocked && handler.kind !== 'nmi';
      if (nested) this.world.cover('CPU: IRET of a nested handler unblocks NMIs');
      this.nmiBlocked = false;
    }
    const bare = handler.kind === 'nmi' || handler.kind === 'smi';
    return bare ? handler.kind : `${handler.kind} ${handler.vector}`;
  }

  state(): ApicState {
    return {
      base: this.base.toString(16),
      id: this.x2apic ? this.initialId : (this.xapicId << 24) >>> 0,
      version: this.flags.version as number,
      tpr: this.tpr,
      ppr: this.ppr,
      apr: this.apr,
      ldr: this.ldr,
      dfr: this.x2apic ? 0xffffffff : this.dfr,
      svr: this.svr,
      esr: this.esr,
      icr_low: (this.icrLow | (this.busPending ? 0x1000 : 0)) >>> 0,
      icr_high: this.icrHigh,
      lvt: { ...this.lvt },
      initial_count: this.initialCount,
      current_count: this.currentCount,
      divide: this.divideRegister,
      deadline: this.deadline.toString(16),
      irr: sorted(this.irr),
      isr: sorted(this.isr),
      tmr: sorted(this.tmr),
      nmi: this.nmis > 0,
      smi: this.smi,
      init: this.init,
      sipi: this.sipi,
      extint: this.extint,
      intr: this.intr,
      waiting: this.waiting,
      halted: this.halted,
      interrupt_flag: this.interruptFlag,
      shadow: this.shadow,
      handlers: this.handlers.map(({ kind, vector }) =>
        kind === 'nmi' || kind === 'smi' ? kind : `${kind} ${vector}`,
      ),
      counters: { ...this.counters },
    };
  }
}
