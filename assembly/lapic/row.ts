// One row changes: a vector goes from IRR to ISR, is rejected, discarded, or gets its trigger mode.

import { bump, coldRow, counts, row, rows } from '../memory/arena';
import { EVENT_DISPATCH, EVENT_REJECT, F_SLOTS, SLOTS_NONE, SLOTS_VECTOR } from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { note } from '../record/hash';
import { isSoftwareEnabled } from './state';

/** One vector on its way. A class only so that asc inlines it where it is used. */
export class Vector {
  /** IRR -> ISR of vector `top << 4 | bit`. */
  @inline static take(at: usize, classes: u64, top: u32, bit: u32): i32 {
    // Classes in service strictly rise.
    assert((<u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xfffe) < (<u32>1) << top);
    const slot = at + ((<usize>top) << 1);
    const word: u32 = load<u16>(slot, L.R_IRR) & ~(1 << bit);
    store<u16>(slot, <u16>word, L.R_IRR);
    const serving: u32 = load<u16>(slot, L.R_ISR);
    store<u16>(slot, <u16>(serving | (1 << bit)), L.R_ISR);
    const emptied: u64 = word == 0 ? (<u64>1) << top : 0;
    store<u64>(at, (classes & ~emptied) | ((<u64>0x10000) << top), L.R_CLASSES);
    bump(at + L.R_DELIVERED);
    const vector = (top << 4) | bit;
    note(at, EVENT_DISPATCH, vector);
    if (counts != 0) countVector(at, vector);
    return vector;
  }
}

export function countVector(at: usize, vector: u32): void {
  const slot = counts + ((at - rows) << (L.COUNTS_SHIFT - L.ROW_SHIFT)) + ((<usize>vector) << 2);
  store<u32>(slot, load<u32>(slot) + 1);
}

export function reject(cpu: u32, vector: u32): void {
  bump(row(cpu) + L.R_REJECTED);
  note(row(cpu), EVENT_REJECT, vector);
}

// SDM 3A "Interrupt Acceptance for Fixed Interrupts": P6 family and Pentium processors hold two
// interrupts per priority class (2009 edition) or per vector (2016 edition), and reject others.
export function hasSlot(cpu: u32, vector: u32): bool {
  const slots = model(F_SLOTS);
  if (slots == <u32>SLOTS_NONE) return true;
  const slot = row(cpu) + ((<usize>vector >> 4) << 1);
  const requests: u32 = load<u16>(slot, L.R_IRR);
  const pending = ((requests >> (vector & 15)) & 1) != 0;
  if (slots == <u32>SLOTS_VECTOR) return !pending;
  const serving: u32 = load<u16>(slot, L.R_ISR);
  return pending || popcnt<u32>(requests) + popcnt<u32>(serving) < 2; // bug: three-interrupts-fit-a-class
}

/** Whether a fixed interrupt is turned away by slots (and by nothing else before). */
export function wouldReject(cpu: u32, vector: u32): bool {
  return vector >= <u32>L.FIRST_LEGAL_VECTOR && isSoftwareEnabled(cpu) && !hasSlot(cpu, vector);
}

// SDM 3A "Interrupt Acceptance for Fixed Interrupts": TMR takes the trigger mode at each acceptance.
export function setTrigger(cpu: u32, vector: u32, level: bool): void {
  const slot = coldRow(cpu) + ((<usize>vector >> 4) << 1);
  const bit: u32 = 1 << (vector & 15);
  const old: u32 = load<u16>(slot, L.C_TMR);
  const word: u32 = level ? old | bit : old & ~bit; // bug: tmr-stays-set-on-an-edge
  if (word == old) return;
  store<u16>(slot, <u16>word, L.C_TMR);
  const field = (<u64>1) << (L.CLASSES_TMR_SHIFT + (vector >> 4));
  const classes = load<u64>(row(cpu), L.R_CLASSES);
  store<u64>(row(cpu), word != 0 ? classes | field : classes & ~field, L.R_CLASSES);
}

/** Clears a pending vector that nobody will take. */
export function discard(cpu: u32, vector: u32): void {
  const at = row(cpu);
  const slot = at + ((<usize>vector >> 4) << 1);
  const word: u32 = load<u16>(slot, L.R_IRR);
  const bit: u32 = 1 << (vector & 15);
  if ((word & bit) == 0) return;
  store<u16>(slot, <u16>(word ^ bit), L.R_IRR);
  if (word == bit) {
    store<u64>(at, load<u64>(at, L.R_CLASSES) & ~((<u64>1) << (vector >> 4)), L.R_CLASSES);
  }
  bump(coldRow(cpu) + L.C_DISCARDED);
}
