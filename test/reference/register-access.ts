// The xAPIC page and the x2APIC MSRs: which registers there are, and what each refuses.
// SDM "Local APIC Register Address Map", "x2APIC Register Address Space", "Reserved Bit Checking".
import type { LvtName } from '../hardware/operations.js';
import type { LapicModel } from './lapic-model.js';

const LVT_AT: Record<number, LvtName> = {
  47: 'cmci',
  50: 'timer',
  51: 'thermal',
  52: 'perf',
  53: 'lint0',
  54: 'lint1',
  55: 'error',
};
const XAPIC_ONLY = new Set([0x09, 0x0e, 0x31]);
const READABLE = new Set([
  0x02, 0x03, 0x08, 0x09, 0x0a, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31, 0x38, 0x39, 0x3e,
]);
const WRITABLE = new Set([0x02, 0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31, 0x38, 0x3e]);
const XAPIC_WRITABLE_ONLY = new Set([0x02, 0x0d, 0x0e, 0x31]);
const isSet = (reg: number): boolean => reg >= 0x10 && reg <= 0x27;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Registers that QEMU's switch knows. */
const QEMU = new Set([
  0x02,
  0x03,
  ...range(0x08, 0x0b),
  ...range(0x0d, 0x28),
  ...range(0x30, 0x39),
  0x3e,
]);

export interface Sender {
  /** A command of the ICR: destination and low half. */
  send(apic: LapicModel, dest: number, low: number): void;
}

export class RegisterAccess {
  readonly #apic: LapicModel;
  readonly #sender: Sender;

  constructor(apic: LapicModel, sender: Sender) {
    this.#apic = apic;
    this.#sender = sender;
  }

  #isReadable(reg: number): boolean {
    const lvt = LVT_AT[reg];
    if (lvt) return this.#apic.hasLvt(lvt);
    if (this.#apic.x2apic && XAPIC_ONLY.has(reg)) return false;
    return isSet(reg) || READABLE.has(reg);
  }

  #isWritable(reg: number): boolean {
    const lvt = LVT_AT[reg];
    if (lvt) return this.#apic.hasLvt(lvt);
    if (reg === 0x3f) return this.#apic.x2apic;
    if (this.#apic.x2apic && XAPIC_WRITABLE_ONLY.has(reg)) return false;
    return WRITABLE.has(reg);
  }

  #word(set: Set<number>, n: number): number {
    let word = 0;
    for (const v of set) if (v >> 5 === n) word += 2 ** (v & 31);
    return word;
  }

  /** The 32-bit value of a readable register. */
  #value(reg: number): number {
    const apic = this.#apic;
    const state = () => apic.state();
    const lvt = LVT_AT[reg];
    if (lvt) return apic.lvt[lvt];
    if (reg >= 0x20 && reg < 0x28) return this.#word(apic.irr, reg & 7);
    if (reg >= 0x18 && reg < 0x20) return this.#word(apic.tmr, reg & 7);
    if (reg >= 0x10 && reg < 0x18) return this.#word(apic.isr, reg & 7);
    const named: Record<number, () => number> = {
      2: () => state().id,
      3: () => state().version,
      8: () => apic.tpr,
      9: () => apic.apr,
      10: () => apic.ppr,
      13: () => apic.ldr,
      14: () => apic.dfr,
      15: () => apic.svr,
      40: () => apic.esr,
      48: () => state().icr_low,
      49: () => apic.icrHigh,
      56: () => apic.initialCount,
      57: () => apic.currentCount,
      62: () => apic.divideRegister,
    };
    return named[reg]?.() ?? 0;
  }

  readPage(offset: number, size: number): number {
    const apic = this.#apic;
    if (!apic.enabled || apic.x2apic) {
      apic.world.cover('MMIO: closed page reads all ones');
      return 2 ** (8 * size) - 1;
    }
    const reg = offset >> 4;
    if (size !== 4 || offset % 16 !== 0) {
      apic.world.cover('MMIO: only aligned 32-bit accesses');
      // KVM kvm_lapic_reg_read(): any bytes of the register's four.
      const [inside, bytes] = [offset % 16, apic.isKvm && this.#isReadable(reg)];
      if (!bytes || inside + size > 4) return 0;
      return (this.#value(reg) >>> (8 * inside)) & (2 ** (8 * size) - 1);
    }
    if (this.#isReadable(reg)) return this.#value(reg);
    const known = apic.isQemu ? QEMU.has(reg) : this.#isWritable(reg);
    if (!known) apic.collect(0x80);
    return 0;
  }

  writePage(offset: number, value: number, size: number): void {
    const apic = this.#apic;
    if (!apic.enabled || apic.x2apic || size !== 4 || offset % 16 !== 0) return;
    const reg = offset >> 4;
    if (this.#isWritable(reg)) return this.#write(reg, value, apic.icrHigh);
    const known = apic.isQemu ? QEMU.has(reg) || reg === 0x3f : this.#isReadable(reg);
    if (!known) apic.collect(0x80);
  }

  #write(reg: number, value: number, high: number): void {
    const apic = this.#apic;
    const lvt = LVT_AT[reg];
    if (lvt) return apic.writeLvt(lvt, value);
    const named: Record<number, () => unknown> = {
      2: () => (apic.xapicId = (value >>> 24) & apic.idMask),
      8: () => (apic.tpr = value & 0xff),
      11: () => apic.eoi(),
      13: () => (apic.ldr = (value & 0xff000000) >>> 0),
      14: () => (apic.dfr = (value | 0x0fffffff) >>> 0),
      15: () => apic.writeSvr(value),
      40: () => apic.latchErrors(),
      48: () => this.#command(value, high),
      49: () => (apic.icrHigh = apic.isQemu ? value : (value & 0xff000000) >>> 0),
      56: () => apic.writeInitialCount(value),
      62: () => apic.writeDivide(value),
    };
    named[reg]?.();
  }

  /** A write of ICR: what a read shows of it, and the message. */
  #command(low: number, high: number): void {
    const apic = this.#apic;
    if (apic.busPending) {
      apic.world.cover('P6: ICR write while send pending is ignored');
      return;
    }
    const shown = apic.isQemu ? low : apic.isKvm ? low & ~0x1000 : low & 0xccfff;
    apic.icrLow = shown >>> 0;
    if (apic.x2apic) apic.icrHigh = high;
    this.#sender.send(apic, apic.x2apic ? high : high >>> 24, low & 0xccfff);
  }

  /** undefined is #GP. */
  readMsr(msr: number): bigint | undefined {
    const apic = this.#apic;
    if (msr === 0x1b) return apic.base;
    if (msr === 0x6e0) {
      if (apic.flags.timer_deadline !== 'yes') return undefined;
      return apic.enabled ? apic.deadline : 0n; // KVM kvm_get_lapic_tscdeadline_msr()
    }
    if (msr < 0x800 || msr >= 0x840 || !apic.x2apic)
      return this.#refuse('MSR: absent, or not in x2APIC mode');
    const reg = msr - 0x800;
    if (apic.isQemu) {
      if (reg === 0x0e) return undefined;
      if (QEMU.has(reg)) return BigInt(this.#value(reg));
      apic.collect(0x80);
      return undefined;
    }
    if (!this.#isReadable(reg)) return this.#refuse('MSR: no such register to read');
    const high = reg === 0x30 ? BigInt(apic.icrHigh) << 32n : 0n;
    return high | BigInt(this.#value(reg));
  }

  #refuse(rule: string): undefined {
    this.#apic.world.cover(rule);
    return undefined;
  }

  /** false is #GP. */
  writeMsr(msr: number, value: bigint): boolean {
    const apic = this.#apic;
    if (msr === 0x1b) return apic.writeBase(value);
    if (msr === 0x6e0) {
      if (apic.flags.timer_deadline !== 'yes') return false;
      apic.writeDeadline(value);
      return true;
    }
    if (msr < 0x800 || msr >= 0x840 || !apic.x2apic) return false;
    const reg = msr - 0x800;
    if (!this.#isWritable(reg)) {
      this.#refuse('MSR: no such register to write');
      if (!apic.isQemu || [0x02, 0x0d, 0x0e, 0x31].includes(reg)) return false;
      if (QEMU.has(reg)) return true;
      apic.collect(0x80);
      return false;
    }
    if (this.#reserved(reg, value)) {
      this.#refuse('MSR: reserved bit');
      return false;
    }
    const low = Number(value & 0xffffffffn);
    if (reg === 0x3f) this.#sender.send(apic, 0, 0x40000 | (low & 0xff));
    else this.#write(reg, low, Number(value >> 32n));
    return true;
  }

  #reserved(reg: number, value: bigint): boolean {
    const apic = this.#apic;
    if (apic.isQemu) return false;
    if (reg === 0x30) {
      const busy = apic.flags.msr_checks === 'amd' ? 0x1000n : 0n;
      return (value & (0xfff32000n | busy)) !== 0n;
    }
    if (value >> 32n) return true;
    if (reg === 0x28) return value !== 0n;
    if (reg === 0x3f) return value > 0xffn;
    if (apic.isKvm) return false;
    const lvt = LVT_AT[reg];
    const legal: Record<number, number> = {
      8: 0xff,
      11: 0,
      15: apic.flags.svr_bits as number,
      62: 0xb,
    };
    const bits = BigInt(lvt ? apic.lvtBits(lvt) : (legal[reg] ?? 0xffffffff));
    return (value & ~bits) !== 0n;
  }
}
