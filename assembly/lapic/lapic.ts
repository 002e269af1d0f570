// One local APIC: accept, dispatch, EOI. Leaf functions over a row (layout.ts).

import { counts } from '../memory/arena';
import {
  EVENT_ACCEPT,
  EVENT_COALESCE,
  EVENT_DISPATCH,
  EVENT_EOI,
  EVENT_STRAY_EOI,
  NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { classWords, row } from '../memory/rows';
import { ended, leave, NOTHING } from '../record/ended';
import { after, note } from '../record/hash';
import { kick, LISTED } from '../record/wake';
import { acceptSlow } from './accept';
import { countVector, Vector } from './row';
import { eligibleSlow, handOver, handOverNamed, settle } from './slow';
import { assertSound } from './sound';
import { blockedClasses, isPlain } from './state';

/** The three steps of an interrupt. A class only so that asc inlines them where they are used. */
export class Lapic {
  // SDM 3A "Task and Processor Priorities": an interrupt is dispatched only when its class is
  // above the PPR's class. `irr & ~blocked > blocked` compares just the highest bits.
  @inline static eligible(cpu: u32): bool {
    const classes = row(cpu).classes;
    const blocked = blockedClasses(classes);
    if ((<u32>classes & 0xffff & ~blocked) > blocked) return true;
    return !isPlain(classes) && eligibleSlow(cpu);
  }

  // SDM 3A "Interrupt Acceptance for Fixed Interrupts": one IRR bit per vector; a second send
  // to a set bit is merged with it.
  @inline static accept(cpu: u32, vector: u32, level: bool): void {
    const at = row(cpu);
    const classes = at.classes;
    if (level || !isPlain(classes) || vector < <u32>L.FIRST_LEGAL_VECTOR) {
      acceptSlow(cpu, vector, level);
      return;
    }
    at.attempted++;
    const slot = classWords(at, vector >> 4);
    const bit: u32 = 1 << (vector & 15);
    const word: u32 = slot.irr;
    const merges = (word & bit) != 0; // bug: a-second-send-is-not-merged
    if (merges) {
      at.coalesced++;
      note(at, EVENT_COALESCE, vector);
      assertSound(cpu);
      return;
    }
    slot.irr = <u16>(word | bit);
    at.classes = kick(cpu, classes | ((<u64>1) << (vector >> 4)));
    note(at, EVENT_ACCEPT, vector);
    assertSound(cpu);
  }

  // SDM 3A "Interrupt Acceptance for Fixed Interrupts": when the CPU takes the interrupt, the
  // highest IRR bit is cleared and the same ISR bit set, as one step.
  @inline static dispatch(cpu: u32): i32 {
    const at = row(cpu);
    const classes = at.classes;
    const blocked = blockedClasses(classes);
    const requests = <u32>classes & 0xffff & ~blocked;
    if (requests <= blocked) return isPlain(classes) ? NONE : handOver(cpu); // bug: the-same-class-nests
    const top = 31 - clz<u32>(requests);
    const bit = 31 - clz<u32>(classWords(at, top).irr);
    return Vector.take(at, classes, top, bit);
  }

  // SDM 3A "Signaling Interrupt Servicing Completion": EOI clears the highest ISR bit, whichever
  // handler wrote it. With ISR empty the SDM is silent; as every peer does, nothing changes.
  @inline static eoi(cpu: u32): i32 {
    assert(ended == NOTHING);
    const at = row(cpu);
    const classes = at.classes;
    const serving = <u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff;
    if (serving == 0) {
      at.strayEois++;
      note(at, EVENT_STRAY_EOI, 0);
      if (!isPlain(classes)) leave(cpu, NONE);
      return NONE;
    }
    const top = 31 - clz<u32>(serving); // bug: eoi-clears-the-lowest-class
    const slot = classWords(at, top);
    const old: u32 = slot.isr;
    const bit = 31 - clz<u32>(old);
    const word = old ^ (1 << bit);
    slot.isr = <u16>word;
    const emptied: u64 = word == 0 ? (<u64>0x10000) << top : 0;
    at.classes = classes & ~emptied;
    at.eois++;
    const vector = (top << 4) | bit;
    note(at, EVENT_EOI, vector);
    assertSound(cpu);
    if (!isPlain(classes)) leave(cpu, vector);
    return vector;
  }
}

/** AMD's specific EOI: ends the named vector if it is in service. */
export function endVector(cpu: u32, vector: u32): void {
  const at = row(cpu);
  const slot = classWords(at, vector >> 4);
  const word: u32 = slot.isr;
  const bit: u32 = 1 << (vector & 15);
  if ((word & bit) == 0) return;
  slot.isr = <u16>(word ^ bit);
  const classes = at.classes;
  const emptied: u64 = word == bit ? (<u64>0x10000) << (vector >> 4) : 0;
  at.classes = classes & ~emptied;
  at.eois++;
  note(at, EVENT_EOI, vector);
  assertSound(cpu);
  if (!isPlain(classes)) leave(cpu, vector);
}

// Linux's IPI handlers EOI first and run with interrupts off: acknowledge, EOI, next. Each vector
// goes IRR -> ISR -> cleared as dispatch() and eoi() would have it; the class summary, the hash
// and the counters stay in registers in between.
// Linux 6.12 arch/x86/kernel/smp.c sysvec_call_function() and its siblings. False: the row is not plain,
// and nothing was done.
export function runPlainHandlers(cpu: u32): bool {
  const at = row(cpu);
  let classes = at.classes & ~LISTED;
  if (!isPlain(classes)) return false;
  const blocked = blockedClasses(classes);
  let hash = at.hash;
  let handled: u64 = 0;
  let requests = <u32>classes & 0xffff & ~blocked;
  while (requests > blocked) {
    const top = 31 - clz<u32>(requests);
    const slot = classWords(at, top);
    const old: u32 = slot.irr;
    const bit = 31 - clz<u32>(old);
    const word = old ^ (1 << bit);
    slot.irr = <u16>word;
    // Nothing else of this class is in service, or the class would be blocked.
    assert(slot.isr == 0 && requests > blocked);
    if (word == 0) requests ^= 1 << top;
    const vector = (top << 4) | bit;
    hash = after(after(hash, EVENT_DISPATCH, vector), EVENT_EOI, vector);
    if (counts != 0) countVector(at, vector);
    handled++;
  }
  const left = <u64>requests | (classes & blocked);
  at.classes = (classes & ~(<u64>0xffff)) | left;
  at.hash = hash;
  at.delivered += handled;
  at.eois += handled; // bug: a-handler-forgets-a-counter
  assertSound(cpu);
  return true;
}

/**
 * Takes one named vector, whatever else is pending: for replaying a trace whose handler
 * entry says what the CPU took. NONE when it is not pending or blocked by the PPR.
 */
export function dispatchVector(cpu: u32, vector: u32): i32 {
  const at = row(cpu);
  const classes = at.classes;
  if (!isPlain(classes)) return handOverNamed(cpu, vector);
  const top = vector >> 4;
  const word: u32 = classWords(at, top).irr;
  if (((word >> (vector & 15)) & 1) == 0) return NONE;
  if ((<u32>1) << top <= blockedClasses(classes)) return NONE;
  return Vector.take(at, classes, top, vector & 15);
}

/** Writes TPR; a lower TPR may make a pending vector eligible, which puts the CPU on the wake list. */
export function setTpr(cpu: u32, tpr: u32): void {
  const at = row(cpu);
  const classes = at.classes & ~((<u64>0xff) << L.CLASSES_TPR_SHIFT);
  at.classes = classes | ((<u64>tpr) << L.CLASSES_TPR_SHIFT);
  if (!isPlain(classes)) settle(cpu);
  if (Lapic.eligible(cpu)) at.classes = kick(cpu, at.classes);
}
