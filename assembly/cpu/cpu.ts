// A minimal CPU: interrupt flag, halt, interrupt shadow, and the handlers that run. It exists to say
// when an interrupt is taken and whose EOI that was. SDM 3A "Interrupt and Exception Handling".
import { eoi } from '../board/eoi';
import { initReset } from '../board/power';
import { acknowledgePicLine } from '../board/wiring';
import { Lapic } from '../lapic/lapic';
import { clearLatch, latch, setLatch } from '../lapic/outputs';
import { withdrawLazyEoi } from '../lapic/posted';
import { dispatchesLow, isHardwareEnabled, isSoftwareEnabled, ppr } from '../lapic/state';
import {
  F_SPURIOUS,
  HANDLER_EXTINT,
  HANDLER_NMI,
  HANDLER_SMI,
  HANDLER_VECTOR,
  HANDLERS_FULL,
  NONE,
  TAKEN_INIT,
  TAKEN_SIPI,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { outcome } from '../memory/records';
import { coldRow, handlerSlot, row } from '../memory/rows';
import {
  EXTINT,
  INIT,
  NMI,
  newsIfAsserted,
  newsIfTakeable,
  nextKind,
  SIPI,
  SMI,
  VECTOR,
} from './blocking';

const MATCHED: i32 = 1;
export const STRAY: i32 = 2;
const OTHER: i32 = 3;

const HANDLER_KIND_SHIFT: u32 = 8;
const HANDLER_IF: u32 = 0x1000;
const HANDLER_ENDED: u32 = 0x2000;
const HANDLER_NMI_BLOCKED: u32 = 0x4000;

function depth(cpu: u32): u32 {
  return coldRow(cpu).depth;
}

function kindOf(entry: u32): u32 {
  return (entry >> HANDLER_KIND_SHIFT) & 15;
}

/** kind << 8 | vector, as results and handlers have it. */
function taken(kind: u32, vector: u32): i32 {
  return (kind << HANDLER_KIND_SHIFT) | vector;
}

// SDM 3A "Masking Maskable Hardware Interrupts": the gate clears IF, IRET brings it back.
function enter(cpu: u32, kind: u32, vector: u32): i32 {
  const before = latch(cpu);
  let entry = taken(kind, vector);
  if ((before & L.LATCH_IF) != 0) entry |= HANDLER_IF;
  if ((before & L.LATCH_NMI_BLOCKED) != 0) entry |= HANDLER_NMI_BLOCKED;
  const index = depth(cpu);
  assert(index < <u32>L.HANDLERS_MAX, 'more handlers than the stack holds');
  store<u16>(handlerSlot(cpu, index), <u16>entry);
  coldRow(cpu).depth = index + 1;
  clearLatch(cpu, L.LATCH_IF | L.LATCH_HALTED);
  return taken(kind, vector);
}

function takeInit(cpu: u32): i32 {
  initReset(cpu);
  return taken(TAKEN_INIT, 0);
}

// SDM 3A "MP Initialization Protocol Algorithm".
function takeSipi(cpu: u32): i32 {
  clearLatch(cpu, L.LATCH_SIPI | L.LATCH_WAITING | L.LATCH_HALTED | L.LATCH_IF);
  return taken(TAKEN_SIPI, coldRow(cpu).sipi);
}

/** Whether the CPU waits for a SIPI; else one that came is gone as the CPU looks. */
function looksForSipi(cpu: u32): bool {
  if ((latch(cpu) & L.LATCH_WAITING) != 0) return true;
  const afterInit = (latch(cpu) & (L.LATCH_INIT | L.LATCH_SMM)) == L.LATCH_INIT;
  if (!afterInit) clearLatch(cpu, L.LATCH_SIPI);
  return false;
}

/** A SIPI as embedders with a CPU of their own look for it: its vector, or NONE. */
export function hearSipi(cpu: u32): i32 {
  const heard = looksForSipi(cpu) && (latch(cpu) & L.LATCH_SIPI) != 0;
  clearLatch(cpu, L.LATCH_SIPI);
  if (!heard) return NONE;
  clearLatch(cpu, L.LATCH_WAITING);
  newsIfTakeable(cpu);
  return coldRow(cpu).sipi;
}

/** What the CPU takes between two instructions, in the order INIT, SIPI, SMI, NMI, ExtINT, vector. */
export function takeNext(cpu: u32): i32 {
  looksForSipi(cpu);
  const kind = nextKind(cpu);
  if (kind > SIPI && depth(cpu) == L.HANDLERS_MAX) return HANDLERS_FULL;
  if (kind != INIT && (latch(cpu) & L.LATCH_WAITING) == 0) clearLatch(cpu, L.LATCH_SHADOW);
  const code = takeKind(cpu, kind);
  newsIfTakeable(cpu);
  return code;
}

function takeKind(cpu: u32, kind: u32): i32 {
  if (kind == INIT) return takeInit(cpu);
  if (kind == SIPI) return takeSipi(cpu);
  if (kind == SMI) return takeSmi(cpu);
  if (kind == NMI) return takeNmi(cpu);
  if (kind == EXTINT) {
    clearLatch(cpu, L.LATCH_EXTINT);
    return enter(cpu, HANDLER_EXTINT, acknowledgePicLine());
  }
  return kind == VECTOR ? enter(cpu, HANDLER_VECTOR, Lapic.dispatch(cpu)) : NONE;
}

// SDM 3C "NMI Handling While in SMM": blocked at the SMI's entry.
function takeSmi(cpu: u32): i32 {
  clearLatch(cpu, L.LATCH_SMI);
  const code = enter(cpu, HANDLER_SMI, 0);
  setLatch(cpu, L.LATCH_SMM | L.LATCH_NMI_BLOCKED);
  return code;
}

function takeNmi(cpu: u32): i32 {
  const second = (latch(cpu) & L.LATCH_NMI_SECOND) != 0;
  clearLatch(cpu, second ? L.LATCH_NMI_SECOND : L.LATCH_NMI);
  const code = enter(cpu, HANDLER_NMI, 0);
  setLatch(cpu, L.LATCH_NMI_BLOCKED);
  return code;
}

/** Return from the innermost handler: kind << 8 | vector, or NONE. */
export function returnFromHandler(cpu: u32): i32 {
  const count = depth(cpu);
  if (count == 0) return NONE;
  const entry: u32 = load<u16>(handlerSlot(cpu, count - 1));
  coldRow(cpu).depth = count - 1;
  if ((entry & HANDLER_IF) != 0) setLatch(cpu, L.LATCH_IF);
  else clearLatch(cpu, L.LATCH_IF);
  // SDM 3A "Handling Multiple NMIs": any IRET lets NMIs in again. RSM leaves them as the SMI found them.
  clearLatch(cpu, L.LATCH_NMI_BLOCKED);
  if (kindOf(entry) == HANDLER_SMI) {
    clearLatch(cpu, L.LATCH_SMM);
    if ((entry & HANDLER_NMI_BLOCKED) != 0) setLatch(cpu, L.LATCH_NMI_BLOCKED);
  }
  newsIfTakeable(cpu);
  return entry & 0xfff;
}

/**
 * An EOI write, and whose EOI it was: the innermost handler's own, a stray with nothing in service,
 * or another vector's. The vector that it ended is in H_RESULT. An offer to do without it is over then (KVM: with
 * any exit, apic_sync_pv_eoi_from_guest()).
 */
export function eoiWritten(cpu: u32): i32 {
  withdrawLazyEoi(cpu);
  const vector = eoi(cpu);
  newsIfAsserted(cpu);
  outcome.result = vector;
  if (vector == NONE) return STRAY;
  const count = depth(cpu);
  if (count == 0) return MATCHED;
  const slot = handlerSlot(cpu, count - 1);
  const entry: u32 = load<u16>(slot);
  const own = (entry & (HANDLER_ENDED | 0xfff)) == <u32>taken(HANDLER_VECTOR, vector); // bug: a-double-eoi-counts-as-the-handlers-own
  if (own) {
    store<u16>(slot, <u16>(entry | HANDLER_ENDED));
    return MATCHED;
  }
  coldRow(cpu).otherEois++;
  return OTHER;
}

// SDM 3A "Spurious Interrupt": an acknowledge that finds every request masked gets the SVR's vector.
export function isSpurious(cpu: u32): bool {
  if (model(F_SPURIOUS) == 0 || !isHardwareEnabled(cpu) || !isSoftwareEnabled(cpu)) return false;
  const pending = <u32>row(cpu).classes & 0xffff;
  return dispatchesLow() ? pending != 0 && ppr(cpu) != 0 : (pending & 0xfffe) != 0;
}
