// One row changes: a vector goes from IRR to ISR, is rejected, discarded, or gets its trigger mode.

import { counts } from '../memory/arena';
import { EVENT_DISPATCH, EVENT_REJECT, F_SLOTS, SLOTS_NONE, SLOTS_VECTOR } from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { Row } from '../memory/records';
import { classWords, coldRow, cpuOfRow, row, tmrOf } from '../memory/rows';
import { note } from '../record/hash';
import { assertSound } from './sound';
import { isSoftwareEnabled } from './state';

/** One vector on its way. A class only so that asc inlines it where it is used. */
export class Vector {
  /** IRR -> ISR of vector `top << 4 | bit`. */
  @inline static take(at: Row, classes: u64, top: u32, bit: u32): i32 {
    // Classes in service strictly rise.
    assert((<u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xfffe) < (<u32>1) << top);
    const slot = classWords(at, top);
    const word = <u32>slot.irr & ~((<u32>1) << bit);
    slot.irr = <u16>word;
    const serving: u32 = slot.isr;
    slot.isr = <u16>(serving | (1 << bit));
    const emptied: u64 = word == 0 ? (<u64>1) << top : 0;
    at.classes = (classes & ~emptied) | ((<u64>0x10000) << top);
    at.delivered++;
    const vector = (top << 4) | bit;
    note(at, EVENT_DISPATCH, vector);
    if (counts != 0) countVector(at, vector);
    if (!ASC_NO_ASSERT) assertSound(cpuOfRow(at));
    return vector;
  }
}

export function countVector(at: Row, vector: u32): void {
  const slot = counts + ((<usize>cpuOfRow(at)) << L.COUNTS_SHIFT) + ((<usize>vector) << 2);
  store<u32>(slot, load<u32>(slot) + 1);
}

export function reject(cpu: u32, vector: u32): void {
  row(cpu).rejected++;
  note(row(cpu), EVENT_REJECT, vector);
}

// SDM 3A "Interrupt Acceptance for Fixed Interrupts": P6 family and Pentium processors hold two
// interrupts per priority class (2009 edition) or per vector (2016 edition), and reject others.
export function hasSlot(cpu: u32, vector: u32): bool {
  const slots = model(F_SLOTS);
  if (slots == <u32>SLOTS_NONE) return true;
  const slot = classWords(row(cpu), vector >> 4);
  const requests: u32 = slot.irr;
  const pending = ((requests >> (vector & 15)) & 1) != 0;
  if (slots == <u32>SLOTS_VECTOR) return !pending;
  const serving: u32 = slot.isr;
  return pending || popcnt<u32>(requests) + popcnt<u32>(serving) < 2; // bug: three-interrupts-fit-a-class
}

/** Whether a fixed interrupt is turned away by slots (and by nothing else before). */
export function wouldReject(cpu: u32, vector: u32): bool {
  return vector >= <u32>L.FIRST_LEGAL_VECTOR && isSoftwareEnabled(cpu) && !hasSlot(cpu, vector);
}

// SDM 3A "Interrupt Acceptance for Fixed Interrupts": TMR takes the trigger mode at each acceptance.
export function setTrigger(cpu: u32, vector: u32, level: bool): void {
  const tmr = tmrOf(cpu);
  const bit: u32 = 1 << (vector & 15);
  const old = tmr.word(vector >> 4);
  const word: u32 = level ? old | bit : old & ~bit; // bug: tmr-stays-set-on-an-edge
  if (word == old) return;
  tmr.setWord(vector >> 4, word);
  const field = (<u64>1) << (L.CLASSES_TMR_SHIFT + (vector >> 4));
  const classes = row(cpu).classes;
  row(cpu).classes = word != 0 ? classes | field : classes & ~field;
}

/** Clears a pending vector that nobody will take. */
export function discard(cpu: u32, vector: u32): void {
  const at = row(cpu);
  const slot = classWords(at, vector >> 4);
  const word: u32 = slot.irr;
  const bit: u32 = 1 << (vector & 15);
  if ((word & bit) == 0) return;
  slot.irr = <u16>(word ^ bit);
  if (word == bit) at.classes &= ~((<u64>1) << (vector >> 4));
  coldRow(cpu).discarded++;
  assertSound(cpu);
}
