// The long way of accept, dispatch and EOI: level vectors, software disable, illegal vectors, slots,
// AMD's interrupt enable registers, the early ISR bit, tracing. A row takes it while SPECIAL or a TMR
// bit is set; the short way in lapic.ts is the same rule where none of this applies.

import { bump, coldRow, row } from '../memory/arena';
import {
  EFFECT_EOI,
  EFFECT_SET,
  ESR_RECEIVE_ILLEGAL,
  EVENT_ACCEPT,
  EVENT_COALESCE,
  EVENT_REJECT,
  F_DISABLED_NEW,
  F_DISABLED_PENDING,
  F_LOW_VECTORS,
  F_SLOTS,
  LOW_DISPATCHED,
  LOW_ERROR,
  NEW_ACCEPTED,
  NONE,
  PENDING_HELD,
  SLOTS_NONE,
  SLOTS_VECTOR,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { effect } from '../record/effects';
import { note } from '../record/hash';
import { tell, tellCpu, unlist } from '../record/wake';
import { collect } from './esr';
import { blockedClasses, Lapic, ppr } from './lapic';

export const SVR_ENABLE: u32 = 0x100;
export const SVR_SUPPRESS: u32 = 0x1000;
export const BASE_ENABLE: u64 = 0x800;
export const BASE_X2APIC: u64 = 0x400;
/** AMD extended control: interrupt enable registers in force. */
const EXT_IER: u32 = 1;

export function isHardwareEnabled(cpu: u32): bool {
  return (load<u64>(coldRow(cpu), L.C_BASE) & BASE_ENABLE) != 0;
}

export function isX2apicMode(cpu: u32): bool {
  return (load<u64>(coldRow(cpu), L.C_BASE) & BASE_X2APIC) != 0;
}

export function isSoftwareEnabled(cpu: u32): bool {
  return (load<u32>(coldRow(cpu), L.C_SVR) & SVR_ENABLE) != 0;
}

function usesIer(cpu: u32): bool {
  return (load<u32>(coldRow(cpu), L.C_EXT_CONTROL) & EXT_IER) != 0;
}

function isEarly(): bool {
  return load<u32>(L.H_EARLY) != 0;
}

// SDM 3A "Local APIC State After It Has Been Software Disabled": pending requests are held.
function isHeld(cpu: u32): bool {
  if (!isHardwareEnabled(cpu)) return true;
  return !isSoftwareEnabled(cpu) && model(F_DISABLED_PENDING) == <u32>PENDING_HELD; // bug: pending-ones-are-dispatched-while-disabled
}

/** Computes HOLD and SPECIAL of a row anew; call after whatever they depend on has changed. */
export function refresh(cpu: u32): void {
  const at = row(cpu);
  const hold = isHeld(cpu) || isEarly() || usesIer(cpu);
  const special =
    hold ||
    dispatchesLow() ||
    !isSoftwareEnabled(cpu) ||
    load<u32>(L.H_TRACE) != 0 ||
    model(F_SLOTS) != <u32>SLOTS_NONE;
  const HOLD = (<u64>1) << L.CLASSES_HOLD_SHIFT;
  const SPECIAL = (<u64>1) << L.CLASSES_SPECIAL_SHIFT;
  let classes = load<u64>(at, L.R_CLASSES) & ~(HOLD | SPECIAL);
  if (hold) classes |= HOLD;
  if (special) classes |= SPECIAL;
  store<u64>(at, classes, L.R_CLASSES);
}

/** The same, and what follows from it: early dispatch, the wake list. */
export function refreshAndKick(cpu: u32): void {
  refresh(cpu);
  settle(cpu);
  if (Lapic.eligible(cpu)) tellCpu(cpu);
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

/** Accepts on any row. An illegal vector is refused, and collected as an error where it is looked at. */
export function acceptSlow(cpu: u32, vector: u32, level: bool): void {
  const illegal = vector < <u32>L.FIRST_LEGAL_VECTOR && model(F_LOW_VECTORS) == <u32>LOW_ERROR; // bug: vector-15-is-accepted
  if (!illegal) return acceptLegal(cpu, vector, level);
  if (!isHardwareEnabled(cpu)) return;
  bump(row(cpu) + L.R_ATTEMPTED);
  reject(cpu, vector);
  if (!refusesNew(cpu)) collect(cpu, ESR_RECEIVE_ILLEGAL);
}

// SDM 3A "Local APIC State After It Has Been Software Disabled": new requests are refused.
function refusesNew(cpu: u32): bool {
  return !isSoftwareEnabled(cpu) && model(F_DISABLED_NEW) != <u32>NEW_ACCEPTED; // bug: a-disabled-apic-takes-new-interrupts
}

/** Accepts a vector that is legal, or that the model lets through. */
export function acceptLegal(cpu: u32, vector: u32, level: bool): void {
  const at = row(cpu);
  if (!isHardwareEnabled(cpu)) return;
  bump(at + L.R_ATTEMPTED);
  if (refusesNew(cpu)) return reject(cpu, vector);
  if (!hasSlot(cpu, vector)) return reject(cpu, vector);
  setTrigger(cpu, vector, level);
  const slot = at + ((<usize>vector >> 4) << 1);
  const bit: u32 = 1 << (vector & 15);
  const word: u32 = load<u16>(slot, L.R_IRR);
  const was = (word & bit) != 0;
  effect(EFFECT_SET, cpu, vector, (level ? 1 : 0) | (was ? 2 : 0));
  if (was) {
    bump(at + L.R_COALESCED);
    return note(at, EVENT_COALESCE, vector);
  }
  store<u16>(slot, <u16>(word | bit), L.R_IRR);
  store<u64>(at, tell(cpu, load<u64>(at, L.R_CLASSES) | ((<u64>1) << (vector >> 4))), L.R_CLASSES);
  note(at, EVENT_ACCEPT, vector);
  settle(cpu);
}

// SDM 3A "Interrupt Acceptance for Fixed Interrupts": TMR takes the trigger mode at each acceptance.
function setTrigger(cpu: u32, vector: u32, level: bool): void {
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

export function isLevel(cpu: u32, vector: u32): bool {
  const word: u32 = load<u16>(coldRow(cpu) + ((<usize>vector >> 4) << 1), L.C_TMR);
  return ((word >> (vector & 15)) & 1) != 0;
}

/** Highest requested vector that the PPR lets through, IER considered; NONE, or when held. */
function nextVector(cpu: u32): i32 {
  if (isHeld(cpu)) return NONE;
  const at = row(cpu);
  const HOLD = (<u64>1) << L.CLASSES_HOLD_SHIFT;
  const classes = load<u64>(at, L.R_CLASSES) & ~HOLD;
  const blocked = blockedClasses(classes);
  let requests = <u32>classes & 0xffff & ~blocked;
  while (requests > blocked) {
    const top = 31 - clz<u32>(requests);
    const word: u32 = load<u16>(at + ((<usize>top) << 1), L.R_IRR) & enabledWord(cpu, top);
    if (word != 0) return (top << 4) | (31 - clz<u32>(word));
    requests ^= 1 << top;
  }
  return lowVector(cpu);
}

/** QEMU apic_irq_pending(): while the PPR is 0, even vectors 1-15 go out. */
function lowVector(cpu: u32): i32 {
  const word: u32 = load<u16>(row(cpu), L.R_IRR) & 0xfffe;
  if (word == 0 || !dispatchesLow() || ppr(cpu) != 0) return NONE;
  return 31 - clz<u32>(word);
}

export function dispatchesLow(): bool {
  return model(F_LOW_VECTORS) == <u32>LOW_DISPATCHED;
}

// AMD APM 2 "Interrupt Enable Registers": a vector whose bit is 0 is not dispatched.
function enabledWord(cpu: u32, top: u32): u32 {
  if (!usesIer(cpu)) return 0xffff;
  return load<u16>(coldRow(cpu) + ((<usize>top) << 1), L.C_IER);
}

function takeVector(cpu: u32, vector: i32): i32 {
  const at = row(cpu);
  return Lapic.take(at, load<u64>(at, L.R_CLASSES), vector >> 4, vector & 15);
}

/** With the early ISR bit: hands the next vector to the CPU's latch when that is empty. */
export function settle(cpu: u32): void {
  if (!isEarly()) return;
  const cold = coldRow(cpu);
  const latch = load<u32>(cold, L.C_LATCH);
  if ((latch & L.LATCH_DISPATCHED) != 0) return;
  const vector = nextVector(cpu);
  if (vector == NONE) return;
  store<u32>(cold, takeVector(cpu, vector), L.C_DISPATCHED);
  store<u32>(cold, latch | L.LATCH_DISPATCHED, L.C_LATCH);
}

export function eligibleSlow(cpu: u32): bool {
  if (isEarly()) return (load<u32>(coldRow(cpu), L.C_LATCH) & L.LATCH_DISPATCHED) != 0;
  return nextVector(cpu) != NONE;
}

/** What the CPU takes when the short way has nothing for it. */
export function handOver(cpu: u32): i32 {
  if (!isEarly()) {
    const vector = nextVector(cpu);
    return vector == NONE ? NONE : takeVector(cpu, vector);
  }
  const cold = coldRow(cpu);
  const latch = load<u32>(cold, L.C_LATCH);
  if ((latch & L.LATCH_DISPATCHED) == 0) return NONE;
  store<u32>(cold, latch & ~L.LATCH_DISPATCHED, L.C_LATCH);
  const vector = load<u32>(cold, L.C_DISPATCHED);
  settle(cpu);
  return vector;
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
