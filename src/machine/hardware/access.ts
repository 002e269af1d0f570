// Register accesses of software: values, and #GP as an error or as a result.

import { checkRegister, checkWide } from '../../core/check.js';
import { checkInteger, usage } from '../../core/errors.js';
import { C, L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** RDMSR, WRMSR or MOV CR8 that the processor refuses with #GP(0). Nothing has changed. */
export class GeneralProtection extends Error {
  override name = 'GeneralProtection';
}

/** EOI: reads 0 while the page is open, and raises no error. */
const PAGE_PROBE = 0x0b;
const MSR_MAX = 0xffffffff;

/** The registers of one local APIC as software reaches them. */
export class RegisterAccess {
  readonly #core: CoreExports;
  readonly #cpu: number;
  readonly #throws: boolean;

  constructor(core: CoreExports, cpu: number, gp: 'throw' | 'return') {
    this.#core = core;
    this.#cpu = cpu;
    this.#throws = gp === 'throw';
  }

  #refuse(what: string): undefined {
    if (this.#throws) throw new GeneralProtection(`CPU ${this.#cpu}: ${what} raises #GP(0)`);
    return undefined;
  }

  readMMIO(offset: number, size: number): number {
    checkAccess(offset, size);
    if (size === 4 && offset % 16 === 0) return this.#core.readPage(this.#cpu, offset >> 4) >>> 0;
    const ones = 2 ** (8 * size) - 1;
    if (this.#core.readPage(this.#cpu, PAGE_PROBE) >>> 0 === 0xffffffff) return ones;
    const inside = offset % 16;
    if (inside + size > 4 || !this.#readsBytes()) return 0;
    return ((this.#core.readPage(this.#cpu, offset >> 4) >>> (8 * inside)) & ones) >>> 0;
  }

  #readsBytes(): boolean {
    const view = new DataView(this.#core.memory.buffer);
    return view.getUint32(L.H_MODEL + 4 * C.F_NARROW_READS, true) !== 0;
  }

  writeMMIO(offset: number, value: number, size: number): void {
    checkAccess(offset, size);
    const bits = checkRegister('value', value, (8 * size) as 8 | 16 | 32);
    if (size === 4 && offset % 16 === 0) this.#core.writePage(this.#cpu, offset >> 4, bits);
  }

  readMSR(msr: number): bigint | undefined {
    checkInteger('msr', msr, 0, MSR_MAX);
    const status = this.#core.readMsr(this.#cpu, msr);
    if (status !== 0) return this.#refuse(`RDMSR 0x${msr.toString(16)}`);
    return new DataView(this.#core.memory.buffer).getBigUint64(L.H_RESULT, true);
  }

  writeMSR(msr: number, value: bigint | number): boolean {
    checkInteger('msr', msr, 0, MSR_MAX);
    const wide = checkWide('value', value);
    if (this.#core.writeMsr(this.#cpu, msr, wide) === 0) return true;
    this.#refuse(`WRMSR 0x${msr.toString(16)} of 0x${wide.toString(16)}`);
    return false;
  }

  readCR8(): number {
    return this.#core.peek(this.#cpu, 8) >> 4;
  }

  writeCR8(value: bigint | number): boolean {
    const wide = checkWide('value', value);
    if (wide <= 15n) {
      this.#core.setTpr(this.#cpu, Number(wide) << 4);
      return true;
    }
    this.#refuse(`MOV to CR8 of 0x${wide.toString(16)}`);
    return false;
  }
}

function checkAccess(offset: number, size: number): void {
  checkInteger('offset', offset, 0, 0xfff);
  if (size !== 1 && size !== 2 && size !== 4) throw usage('size', size, '1, 2, 4');
}
