// A minimal CPU: interrupt flag, halt, interrupt shadow, and the handlers that run. It exists to say
// when an interrupt is taken and whose EOI that was. SDM 3A "Interrupt and Exception Handling".
import { eoi } from '../board/eoi';
import { extintAsserted } from '../board/news';
import { initReset } from '../board/power';
import { acknowledgePicLine } from '../board/wiring';
import { Lapic } from '../lapic/lapic';
import { clearLatch, latch, setLatch } from '../lapic/outputs';
import { dispatchesLow, isHardwareEnabled, isSoftwareEnabled, ppr } from '../lapic/state';
import {
  F_SPURIOUS,
  HANDLER_EXTINT,
  HANDLER_NMI,
  HANDLER_SMI,
  HANDLER_VECTOR,
  NONE,
  TAKEN_INIT,
  TAKEN_SIPI,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { outcome } from '../memory/records';
import { coldRow, handlerSlot, row } from '../memory/rows';

const MATCHED: i32 = 1;
export const STRAY: i32 = 2;
const OTHER: i32 = 3;

const HANDLER_KIND_SHIFT: u32 = 8;
const HANDLER_IF: u32 = 0x1000;
const HANDLER_ENDED: u32 = 0x2000;

function depth(cpu: u32): u32 {
  return coldRow(cpu).depth;
}

function kindOf(entry: u32): u32 {
  return (entry >> HANDLER_KIND_SHIFT) & 15;
}

function isRunning(cpu: u32, kind: u32): bool {
  for (let i: u32 = 0; i < depth(cpu); i++) {
    if (kindOf(load<u16>(handlerSlot(cpu, i))) == kind) return true;
  }
  return false;
}

/** kind << 8 | vector, as results and handlers have it. */
function taken(kind: u32, vector: u32): i32 {
  return (kind << HANDLER_KIND_SHIFT) | vector;
}

// SDM 3A "Masking Maskable Hardware Interrupts": the gate clears IF, IRET brings it back.
function enter(cpu: u32, kind: u32, vector: u32): i32 {
  const enabled: u32 = (latch(cpu) & L.LATCH_IF) != 0 ? HANDLER_IF : 0;
  const index = depth(cpu);
  assert(index < <u32>L.HANDLERS_MAX, 'more handlers than the stack holds');
  store<u16>(handlerSlot(cpu, index), <u16>(taken(kind, vector) | enabled));
  coldRow(cpu).depth = index + 1;
  clearLatch(cpu, L.LATCH_IF | L.LATCH_HALTED);
  return taken(kind, vector);
}

// SDM 3A "MP Initialization Protocol Algorithm": waiting for a SIPI, a CPU takes nothing else.
function takeSipi(cpu: u32): i32 {
  if ((latch(cpu) & L.LATCH_SIPI) == 0) return NONE;
  clearLatch(cpu, L.LATCH_SIPI | L.LATCH_WAITING | L.LATCH_HALTED | L.LATCH_IF);
  return taken(TAKEN_SIPI, coldRow(cpu).sipi);
}

/** What the CPU takes between two instructions, in the order INIT, SIPI, SMI, NMI, ExtINT, vector. */
export function takeNext(cpu: u32): i32 {
  if ((latch(cpu) & L.LATCH_INIT) != 0) {
    initReset(cpu);
    return taken(TAKEN_INIT, 0);
  }
  if ((latch(cpu) & L.LATCH_WAITING) != 0) return takeSipi(cpu);
  clearLatch(cpu, L.LATCH_SIPI);
  if ((latch(cpu) & L.LATCH_SHADOW) != 0) {
    clearLatch(cpu, L.LATCH_SHADOW);
    return NONE;
  }
  if (depth(cpu) == L.HANDLERS_MAX) return NONE;
  return takeInterrupt(cpu);
}

function takeInterrupt(cpu: u32): i32 {
  const inSmi = isRunning(cpu, HANDLER_SMI);
  if ((latch(cpu) & L.LATCH_SMI) != 0 && !inSmi) {
    clearLatch(cpu, L.LATCH_SMI);
    return enter(cpu, HANDLER_SMI, 0);
  }
  const nmi = (latch(cpu) & L.LATCH_NMI) != 0 && !inSmi && !isRunning(cpu, HANDLER_NMI); // bug: nmi-nests
  if (nmi) {
    clearLatch(cpu, L.LATCH_NMI);
    return enter(cpu, HANDLER_NMI, 0);
  }
  if ((latch(cpu) & L.LATCH_IF) == 0) return NONE;
  if (extintAsserted(cpu)) {
    clearLatch(cpu, L.LATCH_EXTINT);
    return enter(cpu, HANDLER_EXTINT, acknowledgePicLine());
  }
  const vector = Lapic.dispatch(cpu);
  return vector == NONE ? NONE : enter(cpu, HANDLER_VECTOR, vector);
}

/** Return from the innermost handler: kind << 8 | vector, or NONE. */
export function returnFromHandler(cpu: u32): i32 {
  const count = depth(cpu);
  if (count == 0) return NONE;
  const entry: u32 = load<u16>(handlerSlot(cpu, count - 1));
  coldRow(cpu).depth = count - 1;
  if ((entry & HANDLER_IF) != 0) setLatch(cpu, L.LATCH_IF);
  else clearLatch(cpu, L.LATCH_IF);
  return entry & 0xfff;
}

/**
 * An EOI write, and whose EOI it was: the innermost handler's own, a stray with nothing in service,
 * or another vector's. The vector that it ended is in H_RESULT.
 */
export function eoiWritten(cpu: u32): i32 {
  const vector = eoi(cpu);
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
