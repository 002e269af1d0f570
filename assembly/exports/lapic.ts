// What the host may call of one local APIC.

import { settled } from '../board/audit';
import { eoiWritten } from '../cpu/cpu';
import { dispatchVector, Lapic, setTpr as writeTpr } from '../lapic/lapic';
import { isHardwareEnabled, ppr as pprOf } from '../lapic/state';
import { cpus } from '../memory/arena';
import { countBits } from '../memory/bits';
import { BAD_ARGUMENT, NONE } from '../memory/codes';
import { outcome } from '../memory/records';
import { irrOf } from '../memory/rows';
import { openRing as openTheRing, takeWakeList as takeAll } from '../record/wake';

// --- local APIC ---

export function accept(cpu: u32, vector: u32, level: u32): i32 {
  if (cpu >= cpus || vector > 255) return BAD_ARGUMENT;
  Lapic.accept(cpu, vector, level != 0);
  return settled(0);
}

export function acknowledge(cpu: u32): i32 {
  return settled(cpu < cpus ? Lapic.dispatch(cpu) : BAD_ARGUMENT);
}

export function acknowledgeVector(cpu: u32, vector: u32): i32 {
  return settled(cpu < cpus && vector < 256 ? dispatchVector(cpu, vector) : BAD_ARGUMENT);
}

export function eoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  if (!isHardwareEnabled(cpu)) return NONE; // the register is out of reach
  eoiWritten(cpu);
  return settled(<i32>outcome.result);
}

export function intr(cpu: u32): i32 {
  return cpu < cpus ? (Lapic.eligible(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

export function ppr(cpu: u32): i32 {
  return cpu < cpus ? pprOf(cpu) : BAD_ARGUMENT;
}

export function setTpr(cpu: u32, tpr: u32): i32 {
  if (cpu >= cpus || tpr > 255) return BAD_ARGUMENT;
  writeTpr(cpu, tpr);
  return settled(0);
}

export function pending(cpu: u32): i32 {
  return cpu < cpus ? countBits(irrOf(cpu)) : BAD_ARGUMENT;
}

/** News goes into the ring from now on, or to the wake list again. */
export function openRing(on: u32): void {
  openTheRing(on != 0);
}

export function takeWakeList(): u32 {
  return takeAll();
}
