// The LINT pins: edge and level, remote IRR, and ExtINT as a level. SDM 3A "Local Vector Table".

import {
  DELIVERY_EXTINT,
  DELIVERY_FIXED,
  F_LINT_LEVEL,
  LINT_CLEARS_IRR,
  LINT_REMOTE_IRR,
  LVT_LINT0,
  LVT_LINT1,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { coldRow, row } from '../memory/rows';
import { picOutput } from '../pic/pic';
import { noteReturn, RETURNED_LINT } from '../record/returned';
import { kickCpu } from '../record/wake';
import { deliverLocal } from './lvt';
import { latchNmi } from './outputs';
import { discard } from './row';
import {
  isHardwareEnabled,
  LVT_ACTIVE_LOW,
  LVT_LEVEL,
  LVT_MASKED,
  LVT_REMOTE_IRR,
  lvt,
  lvtMode,
  storeLvt,
} from './state';

function latchBit(pin: u32): u32 {
  return pin == 0 ? L.LATCH_LINT0 : L.LATCH_LINT1;
}

/** The pin's level. The 8259 pair drives LINT0 of CPU 0 together with whoever else does. */
export function pinHigh(cpu: u32, pin: u32): bool {
  if ((coldRow(cpu).latch & latchBit(pin)) != 0) return true;
  return pin == 0 && cpu == 0 && picOutput();
}

function hasRemoteIrr(): bool {
  return model(F_LINT_LEVEL) == <u32>LINT_REMOTE_IRR;
}

/** Active level of an entry's input: polarity is honoured by models that have remote IRR. */
function isActive(entry: u32, high: bool): bool {
  return hasRemoteIrr() && (entry & LVT_ACTIVE_LOW) != 0 ? !high : high;
}

function entryIsLevelFixed(entry: u32): bool {
  return (entry & LVT_LEVEL) != 0 && lvtMode(entry) == DELIVERY_FIXED;
}

/** Drives a pin. */
export function setPin(cpu: u32, pin: u32, high: bool): void {
  const before = pinHigh(cpu, pin);
  const cold = coldRow(cpu);
  const latch = cold.latch;
  const bit = latchBit(pin);
  cold.latch = high ? latch | bit : latch & ~bit;
  pinMoved(cpu, pin, before);
}

/** Acts on a pin whose level was `before`. */
export function pinMoved(cpu: u32, pin: u32, before: bool): void {
  const high = pinHigh(cpu, pin);
  if (high == before) return;
  if (!isHardwareEnabled(cpu)) return disabledPinMoved(cpu, pin, high);
  const index = LVT_LINT0 + pin;
  const entry = lvt(cpu, index);
  if (isActive(entry, high)) rise(cpu, index, entry);
  else fall(cpu, index);
}

// SDM 3A "Enabling or Disabling the Local APIC": the pins of a disabled local APIC are INTR and NMI.
function disabledPinMoved(cpu: u32, pin: u32, high: bool): void {
  if (!high) return;
  if (pin == 1) latchNmi(cpu);
  else kickCpu(cpu);
}

function rise(cpu: u32, index: u32, entry: u32): void {
  if (lvtMode(entry) == DELIVERY_EXTINT) {
    if ((entry & LVT_MASKED) == 0) kickCpu(cpu);
  } else if (entryIsLevelFixed(entry) && hasRemoteIrr()) serveLevel(cpu, index);
  else deliverLocal(cpu, index);
}

/** QEMU apic_deliver_pic_intr(): a level fixed entry takes its request back. */
export function fall(cpu: u32, index: u32): void {
  const entry = lvt(cpu, index);
  if (model(F_LINT_LEVEL) != <u32>LINT_CLEARS_IRR || index != <u32>LVT_LINT0) return;
  if (entryIsLevelFixed(entry)) discard(cpu, entry & 0xff);
}

// SDM 3A "Local Vector Table": remote IRR is set when the local APIC accepts the interrupt, and
// reset by the EOI of its vector.
export function serveLevel(cpu: u32, index: u32): void {
  const entry = lvt(cpu, index);
  const ready = entryIsLevelFixed(entry) && (entry & (LVT_MASKED | LVT_REMOTE_IRR)) == 0;
  if (!ready || !hasRemoteIrr() || !isActive(entry, pinHigh(cpu, index - LVT_LINT0))) return;
  const rejected = row(cpu).rejected;
  deliverLocal(cpu, index);
  const taken = row(cpu).rejected == rejected;
  if (taken) storeLvt(cpu, index, lvt(cpu, index) | LVT_REMOTE_IRR);
}

export function endLintLevel(cpu: u32, vector: u32): void {
  for (let index: u32 = LVT_LINT0; index <= <u32>LVT_LINT1; index++) {
    const entry = lvt(cpu, index);
    if ((entry & LVT_REMOTE_IRR) == 0 || !hasRemoteIrr() || (entry & 0xff) != vector) continue;
    storeLvt(cpu, index, entry & ~LVT_REMOTE_IRR);
    noteReturn(RETURNED_LINT | ((<u64>cpu) << 8) | (index - LVT_LINT0));
    serveLevel(cpu, index);
  }
}

/** Whether the pin asks for an ExtINT. */
export function asksExtint(cpu: u32, index: u32): bool {
  const high = pinHigh(cpu, index - LVT_LINT0);
  if (!isHardwareEnabled(cpu)) return index == <u32>LVT_LINT0 && high;
  const entry = lvt(cpu, index);
  if ((entry & LVT_MASKED) != 0 || lvtMode(entry) != <u32>DELIVERY_EXTINT) return false;
  return isActive(entry, high);
}
