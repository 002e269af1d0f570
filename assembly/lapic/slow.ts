// Accept and dispatch of any row, however it is set up: level vectors, software disable, slots, AMD's
// interrupt enable registers, the early ISR bit, tracing. A row comes here while its SLOW or a TMR bit is
// set; the fast path in lapic.ts is the same rule where none of this applies.

import {
  EFFECT_SET,
  EVENT_ACCEPT,
  EVENT_COALESCE,
  F_DISABLED_NEW,
  NEW_ACCEPTED,
  NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { classWords, coldRow, ierOf, irrOf, row } from '../memory/rows';
import { effect } from '../record/effects';
import { note } from '../record/hash';
import { kick, kickCpu } from '../record/wake';
import { hasSlot, reject, setTrigger, Vector } from './row';
import { assertSound } from './sound';
import {
  blockedClasses,
  dispatchesLow,
  isEarly,
  isHardwareEnabled,
  isHeld,
  isSoftwareEnabled,
  ppr,
  usesIer,
} from './state';

// SDM 3A "Local APIC State After It Has Been Software Disabled": new requests are refused.
export function refusesNew(cpu: u32): bool {
  return !isSoftwareEnabled(cpu) && model(F_DISABLED_NEW) != <u32>NEW_ACCEPTED; // bug: a-disabled-apic-takes-new-interrupts
}

/** Accepts a vector that is legal, or that the model lets through. */
export function acceptLegal(cpu: u32, vector: u32, level: bool): void {
  const at = row(cpu);
  at.attempted++;
  if (!isHardwareEnabled(cpu) || refusesNew(cpu)) return reject(cpu, vector);
  if (!hasSlot(cpu, vector)) return reject(cpu, vector);
  setTrigger(cpu, vector, level);
  const slot = classWords(at, vector >> 4);
  const bit: u32 = 1 << (vector & 15);
  const word: u32 = slot.irr;
  const was = (word & bit) != 0;
  effect(EFFECT_SET, cpu, vector, (level ? 1 : 0) | (was ? 2 : 0));
  if (was) {
    at.coalesced++;
    note(at, EVENT_COALESCE, vector);
    return assertSound(cpu);
  }
  slot.irr = <u16>(word | bit);
  at.classes = kick(cpu, at.classes | ((<u64>1) << (vector >> 4)));
  note(at, EVENT_ACCEPT, vector);
  assertSound(cpu);
  settle(cpu);
}

/** Highest requested vector that the PPR lets through, IER considered; NONE, or when held. */
function nextVector(cpu: u32): i32 {
  if (isHeld(cpu)) return NONE;
  const at = row(cpu);
  const HOLD = (<u64>1) << L.CLASSES_HOLD_SHIFT;
  const classes = at.classes & ~HOLD;
  const blocked = blockedClasses(classes);
  let requests = <u32>classes & 0xffff & ~blocked;
  while (requests > blocked) {
    const top = 31 - clz<u32>(requests);
    const word: u32 = classWords(at, top).irr & enabledWord(cpu, top);
    if (word != 0) return (top << 4) | (31 - clz<u32>(word));
    requests ^= 1 << top;
  }
  return lowVector(cpu);
}

/** QEMU apic_irq_pending(): while the PPR is 0, even vectors 1-15 go out. */
function lowVector(cpu: u32): i32 {
  const word: u32 = irrOf(cpu).word(0) & 0xfffe;
  if (word == 0 || !dispatchesLow() || ppr(cpu) != 0) return NONE;
  return 31 - clz<u32>(word);
}

// AMD APM 2 "Interrupt Enable Registers": a vector whose bit is 0 is not dispatched.
function enabledWord(cpu: u32, top: u32): u32 {
  if (!usesIer(cpu)) return 0xffff;
  return ierOf(cpu).word(top);
}

function takeVector(cpu: u32, vector: i32): i32 {
  const at = row(cpu);
  return Vector.take(at, at.classes, vector >> 4, vector & 15);
}

/** With the early ISR bit: hands the next vector to the CPU's latch when that is empty, which is news. */
export function settle(cpu: u32): void {
  if (!isEarly()) return;
  const cold = coldRow(cpu);
  const latch = cold.latch;
  if ((latch & L.LATCH_DISPATCHED) != 0) return;
  const vector = nextVector(cpu);
  if (vector == NONE) return;
  cold.dispatched = takeVector(cpu, vector);
  cold.latch = latch | L.LATCH_DISPATCHED;
  kickCpu(cpu);
}

export function eligibleSlow(cpu: u32): bool {
  if (isEarly()) return (coldRow(cpu).latch & L.LATCH_DISPATCHED) != 0;
  return nextVector(cpu) != NONE;
}

/** What the CPU takes when the fast path has nothing for it. */
export function handOver(cpu: u32): i32 {
  if (!isEarly()) {
    const vector = nextVector(cpu);
    return vector == NONE ? NONE : takeVector(cpu, vector);
  }
  const cold = coldRow(cpu);
  const latch = cold.latch;
  if ((latch & L.LATCH_DISPATCHED) == 0) return NONE;
  cold.latch = latch & ~L.LATCH_DISPATCHED;
  const vector = cold.dispatched;
  settle(cpu);
  return vector;
}

/** A named vector, when the PPR and the interrupt enable registers let it through; or NONE. */
export function handOverNamed(cpu: u32, vector: u32): i32 {
  if (isEarly()) {
    const cold = coldRow(cpu);
    const due = (cold.latch & L.LATCH_DISPATCHED) != 0 && cold.dispatched == vector;
    return due ? handOver(cpu) : NONE;
  }
  const top = vector >> 4;
  const word: u32 = classWords(row(cpu), top).irr & enabledWord(cpu, top);
  if (isHeld(cpu) || ((word >> (vector & 15)) & 1) == 0) return NONE;
  const passes = top == 0 ? vector != 0 && dispatchesLow() && ppr(cpu) == 0 : top > ppr(cpu) >> 4;
  return passes ? takeVector(cpu, vector) : NONE;
}
