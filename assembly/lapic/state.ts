// What a local APIC's registers say: reads, and the LVT entries as they stand. Nothing here has an effect.

import {
  F_DISABLED_PENDING,
  F_ID_BITS,
  F_LOW_VECTORS,
  LOW_DISPATCHED,
  PENDING_HELD,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { config } from '../memory/records';
import { coldRow, row, tmrOf } from '../memory/rows';

/** Whether accept, dispatch and EOI of this row are the whole story: no level vector, no slow row. */
export function isPlain(classes: u64): bool {
  return classes >> L.CLASSES_SLOW_SHIFT == 0;
}

/**
 * Classes at or below which nothing is dispatched: in service, or TPR's class (never 0). HOLD is the
 * bit above TPR: with it the class reads as 16 or more, and blocks all.
 */
export function blockedClasses(classes: u64): u32 {
  const serving = <u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff;
  const taskClass = <u32>(classes >> (L.CLASSES_TPR_SHIFT + 4)) & 31;
  return serving | ((<u32>1) << taskClass); // bug: tpr-is-ignored
}

// SDM 3A "Task and Processor Priorities": PPR = TPR when its class is the higher or equal one
// (on a tie the sub-class is model-specific; we choose TPR's), else ISRV's class with sub-class 0.
export function ppr(cpu: u32): u32 {
  const classes = row(cpu).classes;
  const tpr = <u32>(classes >> L.CLASSES_TPR_SHIFT) & 0xff;
  const serving = <u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff;
  const servingClass: u32 = serving == 0 ? 0 : 31 - clz<u32>(serving);
  return tpr >> 4 >= servingClass ? tpr : servingClass << 4; // bug: ppr-takes-the-lower-class
}

// Fields of an LVT entry. SDM 3A "Local Vector Table"; the timer's mode has two bits where there is a TSC deadline.
export const LVT_VECTOR: u32 = 0xff;
export const LVT_DELIVERY: u32 = 0x700;
export const LVT_PERIODIC: u32 = 0x20000;
export const LVT_DEADLINE: u32 = 0x40000;
export const LVT_MASKED: u32 = 0x10000;
export const LVT_LEVEL: u32 = 0x8000;
export const LVT_REMOTE_IRR: u32 = 0x4000;
/** Delivery status. */
export const LVT_PENDING: u32 = 0x1000;
export const LVT_ACTIVE_LOW: u32 = 0x2000;

function lvtSlot(cpu: u32, index: u32): usize {
  return changetype<usize>(coldRow(cpu)) + L.C_LVT + ((<usize>index) << 2);
}

export function lvt(cpu: u32, index: u32): u32 {
  return load<u32>(lvtSlot(cpu, index));
}

export function storeLvt(cpu: u32, index: u32, value: u32): void {
  store<u32>(lvtSlot(cpu, index), value);
}

export function lvtMode(entry: u32): u32 {
  return (entry >> 8) & 7;
}

/** Ids in xAPIC mode: 8 bits, 4 on P6. */
export function idMask(): u32 {
  return ((<u32>1) << model(F_ID_BITS)) - 1;
}

export const SVR_ENABLE: u32 = 0x100;
export const SVR_SUPPRESS: u32 = 0x1000;
export const BASE_ENABLE: u64 = 0x800;
export const BASE_X2APIC: u64 = 0x400;
/** AMD extended control: interrupt enable registers in force. */
const EXT_IER: u32 = 1;

export function isHardwareEnabled(cpu: u32): bool {
  return (coldRow(cpu).base & BASE_ENABLE) != 0;
}

export function isX2apicMode(cpu: u32): bool {
  return (coldRow(cpu).base & BASE_X2APIC) != 0;
}

export function isSoftwareEnabled(cpu: u32): bool {
  return (coldRow(cpu).svr & SVR_ENABLE) != 0;
}

export function usesIer(cpu: u32): bool {
  return (coldRow(cpu).extControl & EXT_IER) != 0;
}

export function isEarly(): bool {
  return config.early != 0;
}

// SDM 3A "Local APIC State After It Has Been Software Disabled": pending requests are held.
export function isHeld(cpu: u32): bool {
  if (!isHardwareEnabled(cpu)) return true;
  return !isSoftwareEnabled(cpu) && model(F_DISABLED_PENDING) == <u32>PENDING_HELD; // bug: pending-ones-are-dispatched-while-disabled
}

export function tmrIsLevel(cpu: u32, vector: u32): bool {
  return tmrOf(cpu).has(vector);
}

export function dispatchesLow(): bool {
  return model(F_LOW_VECTORS) == <u32>LOW_DISPATCHED;
}
