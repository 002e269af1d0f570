// The register file of one local APIC: which registers there are in each mode, what reads show, what
// writes do. SDM 3A "Local APIC Register Address Map", "x2APIC Register Address Space".

import {
  F_APR,
  F_DISABLED_MASKS,
  F_ICR_READBACK,
  F_ICR2_BITS,
  F_LINT_LEVEL,
  F_SVR_BITS,
  F_SVR_LOW,
  F_VERSION,
  ICR_BUSY,
  ICR_FIELDS,
  LINT_CLEARS_IRR,
  LVT_CMCI,
  LVT_LINT0,
  LVT_LINT1,
  LVT_TIMER,
  MASKS_FORCED,
  READBACK_RAW,
  READBACK_WRITTEN,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { apicId, coldRow, irrOf, isrOf, row, tmrOf } from '../memory/rows';
import { latchErrors } from './esr';
import { setTpr } from './lapic';
import { pinHigh, serveLevel } from './lint';
import { deliverLocal, hasLvt, lvtBits } from './lvt';
import { refreshAndKick } from './refresh';
import { noteOddness, writeLdr } from './reset';
import {
  idMask,
  isHardwareEnabled,
  isSoftwareEnabled,
  isX2apicMode,
  LVT_MASKED,
  lvt,
  ppr,
  SVR_ENABLE,
  storeLvt,
} from './state';
import {
  currentCount,
  isDeadlineMode,
  timerModeChanged,
  writeDivide,
  writeInitialCount,
} from './timer';

export const REG_ID: u32 = 0x02;
export const REG_VERSION: u32 = 0x03;
export const REG_TPR: u32 = 0x08;
const REG_APR: u32 = 0x09;
const REG_PPR: u32 = 0x0a;
export const REG_EOI: u32 = 0x0b;
export const REG_LDR: u32 = 0x0d;
export const REG_DFR: u32 = 0x0e;
export const REG_SVR: u32 = 0x0f;
const REG_ISR: u32 = 0x10;
const REG_TMR: u32 = 0x18;
const REG_IRR: u32 = 0x20;
export const REG_ESR: u32 = 0x28;
const REG_CMCI: u32 = 0x2f;
export const REG_ICR: u32 = 0x30;
export const REG_ICR_HIGH: u32 = 0x31;
const REG_TIMER: u32 = 0x32;
export const REG_LINT0: u32 = 0x35;
export const REG_LINT1: u32 = 0x36;
const REG_LVT_ERROR: u32 = 0x37;
const REG_INITIAL_COUNT: u32 = 0x38;
export const REG_CURRENT_COUNT: u32 = 0x39;
export const REG_DIVIDE: u32 = 0x3e;
export const REG_SELF_IPI: u32 = 0x3f;

/** LVT entry behind a register, or 7 for none. */
export function lvtIndexOf(reg: u32): u32 {
  if (reg == REG_CMCI) return LVT_CMCI;
  return reg >= REG_TIMER && reg <= REG_LVT_ERROR ? reg - REG_TIMER : 7;
}

function isVectorWord(reg: u32): bool {
  return reg >= REG_ISR && reg < REG_ESR;
}

export function isReadable(reg: u32, x2apic: bool): bool {
  const index = lvtIndexOf(reg);
  if (index != 7) return hasLvt(index);
  if (reg == REG_APR || reg == REG_DFR || reg == REG_ICR_HIGH) return !x2apic;
  return (
    isVectorWord(reg) ||
    reg == REG_ID ||
    reg == REG_VERSION ||
    reg == REG_TPR ||
    reg == REG_PPR ||
    reg == REG_LDR ||
    reg == REG_SVR ||
    reg == REG_ESR ||
    reg == REG_ICR ||
    reg == REG_INITIAL_COUNT ||
    reg == REG_CURRENT_COUNT ||
    reg == REG_DIVIDE
  );
}

export function isWritable(reg: u32, x2apic: bool): bool {
  const index = lvtIndexOf(reg);
  if (index != 7) return hasLvt(index);
  if (reg == REG_ID || reg == REG_LDR || reg == REG_DFR || reg == REG_ICR_HIGH) return !x2apic;
  if (reg == REG_SELF_IPI) return x2apic;
  return (
    reg == REG_TPR ||
    reg == REG_EOI ||
    reg == REG_SVR ||
    reg == REG_ESR ||
    reg == REG_ICR ||
    reg == REG_INITIAL_COUNT ||
    reg == REG_DIVIDE
  );
}

/** A readable register's 32 bits (ICR: the low half). */
export function readRegister(cpu: u32, reg: u32): u32 {
  const cold = coldRow(cpu);
  const index = lvtIndexOf(reg);
  if (index != 7) return lvt(cpu, index);
  if (reg >= REG_IRR && reg < REG_ESR) return irrOf(cpu).half(reg & 7);
  if (reg >= REG_TMR && reg < REG_IRR) return tmrOf(cpu).half(reg & 7);
  if (reg >= REG_ISR && reg < REG_TMR) return isrOf(cpu).half(reg & 7);
  switch (reg) {
    case REG_ID:
      return isX2apicMode(cpu) ? apicId(cpu) : cold.xapicId << 24;
    case REG_VERSION:
      return model(F_VERSION);
    case REG_TPR:
      return <u32>(row(cpu).classes >> L.CLASSES_TPR_SHIFT) & 0xff;
    case REG_APR:
      return apr(cpu);
    case REG_PPR:
      return ppr(cpu);
    case REG_LDR:
      return cold.ldr;
    case REG_DFR:
      return isX2apicMode(cpu) ? 0xffffffff : cold.dfr;
    case REG_SVR:
      return cold.svr;
    case REG_ESR:
      return cold.esr;
    case REG_ICR:
      return cold.icr | ((cold.latch & L.LATCH_BUS) != 0 ? ICR_BUSY : 0);
    case REG_ICR_HIGH:
      return cold.icrHigh;
    case REG_INITIAL_COUNT:
      return cold.initialCount;
    case REG_CURRENT_COUNT:
      return currentCount(cpu);
    case REG_DIVIDE:
      return cold.divide;
    default:
      return 0;
  }
}

function highestClass(classes: u32): u32 {
  return classes == 0 ? 0 : 31 - clz<u32>(classes);
}

// SDM 3A "Arbitration Priority Register": TPR when its class is at least IRRV's and above ISRV's, else
// the larger of (TPR and ISRV) and IRRV, by class.
export function apr(cpu: u32): u32 {
  if (model(F_APR) == 0) return 0;
  const classes = row(cpu).classes;
  const tpr = <u32>(classes >> L.CLASSES_TPR_SHIFT) & 0xff;
  const irrv = highestClass(<u32>classes & 0xffff);
  const isrv = highestClass(<u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff);
  if (tpr >> 4 >= irrv && tpr >> 4 > isrv) return tpr;
  return max((tpr >> 4) & isrv, irrv) << 4;
}

/** Writes a writable register but EOI, ICR and SELF IPI, which do more than the register file can; what the
 * mode refuses has been refused. */
export function writeRegister(cpu: u32, reg: u32, value: u32): void {
  const cold = coldRow(cpu);
  const index = lvtIndexOf(reg);
  if (index != 7) return writeLvt(cpu, index, value);
  switch (reg) {
    case REG_ID:
      cold.xapicId = (value >> 24) & idMask();
      noteOddness(cpu);
      break;
    case REG_TPR:
      setTpr(cpu, value & 0xff);
      break;
    case REG_LDR:
      writeLdr(cpu, value & 0xff000000);
      break;
    case REG_DFR:
      cold.dfr = value | 0x0fffffff;
      noteOddness(cpu);
      break;
    case REG_SVR:
      writeSvr(cpu, value);
      break;
    case REG_ESR:
      latchErrors(cpu);
      break;
    case REG_ICR_HIGH:
      cold.icrHigh = value & model(F_ICR2_BITS);
      break;
    case REG_INITIAL_COUNT:
      writeInitialCount(cpu, value);
      break;
    case REG_DIVIDE:
      writeDivide(cpu, value);
      break;
    default:
      break;
  }
}

/** Bits of the ICR's low half that a read shows. */
export function icrReadback(low: u32): u32 {
  const shows = model(F_ICR_READBACK);
  if (shows == <u32>READBACK_RAW) return low;
  return shows == <u32>READBACK_WRITTEN ? low & ~ICR_BUSY : low & ICR_FIELDS;
}

// SDM 3A "Local APIC State After It Has Been Software Disabled": LVT masks are set and stay set.
function writeLvt(cpu: u32, index: u32, value: u32): void {
  const wasDeadline = isDeadlineMode(cpu);
  const bits = lvtBits(index);
  let entry = (lvt(cpu, index) & ~bits) | (value & bits);
  if (forcesMasks() && !isSoftwareEnabled(cpu)) entry |= LVT_MASKED;
  storeLvt(cpu, index, entry);
  if (index == <u32>LVT_TIMER) timerModeChanged(cpu, wasDeadline);
  if (index != <u32>LVT_LINT0 && index != <u32>LVT_LINT1) return;
  serveLevel(cpu, index);
  lint0Written(cpu, index);
}

/** QEMU apic_check_pic(): a write of the entry looks at the pin anew. */
function lint0Written(cpu: u32, index: u32): void {
  const looks = index == <u32>LVT_LINT0 && model(F_LINT_LEVEL) == <u32>LINT_CLEARS_IRR; // bug: qemu-forgets-lint0
  if (looks && isHardwareEnabled(cpu) && pinHigh(cpu, 0)) deliverLocal(cpu, index);
}

function forcesMasks(): bool {
  return model(F_DISABLED_MASKS) == <u32>MASKS_FORCED;
}

function writeSvr(cpu: u32, value: u32): void {
  coldRow(cpu).svr = (value & model(F_SVR_BITS)) | model(F_SVR_LOW);
  const masks = (value & SVR_ENABLE) == 0 && forcesMasks(); // bug: software-disable-leaves-the-lvt-alone
  if (masks) {
    for (let i: u32 = 0; i <= <u32>LVT_CMCI; i++) storeLvt(cpu, i, lvt(cpu, i) | LVT_MASKED);
  }
  refreshAndKick(cpu);
}
