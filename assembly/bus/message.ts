// Messages the long way: every delivery mode, every destination, every model. The command is in ICR
// format whoever sends it: vector, delivery mode, destination mode, assert, level, shorthand.

import { collect } from '../lapic/esr';
import { Lapic } from '../lapic/lapic';
import { latchExtint, latchInit, latchNmi, latchSipi, latchSmi } from '../lapic/outputs';
import { isX2apicMode } from '../lapic/special';
import { bump, coldRow, cpus, row } from '../memory/arena';
import {
  DEASSERT_DROPS,
  DELIVERY_EXTINT,
  DELIVERY_FIXED,
  DELIVERY_INIT,
  DELIVERY_LOWEST,
  DELIVERY_NMI,
  DELIVERY_SIPI,
  DELIVERY_SMI,
  ESR_REDIRECTABLE,
  ESR_SEND_ILLEGAL,
  EXTINT_FIXED,
  EXTINT_LEGAL,
  F_EXTINT_IPI,
  F_INIT_DEASSERT,
  F_IPI_TRIGGER,
  F_LEVEL_DEASSERT,
  F_LOWEST_PRIORITY,
  F_MSR_CHECKS,
  F_SEND_ILLEGAL,
  F_SHORTHANDS,
  F_SLOTS,
  F_X2APIC_LOWEST,
  ICR_ALL_EXC,
  ICR_SELF,
  ICR_SHORTHAND,
  INIT_DEASSERT_ARB,
  LOWEST_HASH,
  MSR_KVM,
  NONE,
  SHORTHANDS_ALL,
  SLOTS_NONE,
  TRIGGER_ICR,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { isAddressed, xapicId } from './claims';
import { kvmDistribute } from './kvm';
import { chooseLowest } from './lowest';
import { serialSend } from './serial';

export const ICR_ASSERT: u32 = 0x4000;
export const ICR_LEVEL: u32 = 0x8000;
/** Beyond the ICR's bits: an MSI with the redirection hint. */
export const REDIRECT: u32 = 0x80000000;

export function deliveryOf(low: u32): u32 {
  return (low >> 8) & 7;
}

/** Fixed and lowest priority: the modes that end in IRR. */
export function isVectored(low: u32): bool {
  return (low & 0x600) == 0;
}

export function isLowest(low: u32): bool {
  return deliveryOf(low) == DELIVERY_LOWEST || ((low & REDIRECT) != 0 && isVectored(low));
}

// SDM 3A "Interrupt Command Register (ICR)", valid combinations of its fields.
function isLegalShorthand(low: u32): bool {
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand == 0 || model(F_SHORTHANDS) == <u32>SHORTHANDS_ALL) return true;
  const delivery = deliveryOf(low);
  if (shorthand == ICR_ALL_EXC) return delivery != DELIVERY_EXTINT;
  return delivery == DELIVERY_FIXED;
}

/** An IPI. Errors are the sender's: SDM 3A "Error Handling". */
export function transmit(source: u32, dest: u32, low: u32): void {
  if (!isLegalShorthand(low)) return;
  if (isVectored(low)) {
    const redirectable = deliveryOf(low) == DELIVERY_LOWEST && isX2apicMode(source);
    if (redirectable && model(F_X2APIC_LOWEST) == 0) return collect(source, ESR_REDIRECTABLE);
    if ((low & 0xff) < <u32>L.FIRST_LEGAL_VECTOR && model(F_SEND_ILLEGAL) != 0) {
      collect(source, ESR_SEND_ILLEGAL);
    }
  }
  const internal = (low & ICR_SHORTHAND) == ICR_SELF;
  if (model(F_SLOTS) != <u32>SLOTS_NONE && !internal) serialSend(source, dest, low);
  else distribute(source, dest, low);
}

/** Level with de-assert: nothing to deliver. */
export function isDropped(low: u32): bool {
  const deasserted = (low & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL;
  if (!deasserted) return false;
  if (isVectored(low)) return model(F_LEVEL_DEASSERT) == <u32>DEASSERT_DROPS;
  return deliveryOf(low) == DELIVERY_INIT;
}

/** Hands a message to those it addresses. How many took it, NONE when nobody was addressed. */
export function distribute(source: i32, dest: u32, low: u32): i32 {
  if (isDropped(low)) {
    if (deliveryOf(low) == DELIVERY_INIT) synchroniseArbitration(source, dest, low);
    return 0;
  }
  if (model(F_LOWEST_PRIORITY) == <u32>LOWEST_HASH) return kvmDistribute(source, dest, low);
  if (isLowest(low)) {
    const chosen = chooseLowest(source, dest, low);
    if (chosen != NONE) return give(chosen, source, low) ? 1 : 0;
    return reaches(source, dest, low) ? 0 : unclaimed(low);
  }
  let addressed = false;
  let taken = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!isAddressed(cpu, source, dest, low)) continue;
    addressed = true;
    if (give(cpu, source, low)) taken++;
  }
  return addressed ? taken : unclaimed(low);
}

export function reaches(source: i32, dest: u32, low: u32): bool {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (isAddressed(cpu, source, dest, low)) return true;
  return false;
}

export function unclaimed(low: u32): i32 {
  if ((low & ICR_SHORTHAND) == 0) bump(L.L_UNCLAIMED);
  return NONE;
}

// SDM 3A "Interrupt Command Register (ICR)": INIT level de-assert sets arbitration ids to APIC ids.
function synchroniseArbitration(source: i32, dest: u32, low: u32): void {
  if (model(F_INIT_DEASSERT) != <u32>INIT_DEASSERT_ARB) return;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (isAddressed(cpu, source, dest, low)) store<u32>(coldRow(cpu), xapicId(cpu) & 15, L.C_ARB);
  }
}

function isLevel(source: i32, low: u32): bool {
  if ((low & ICR_LEVEL) == 0) return false;
  return source == NONE || model(F_IPI_TRIGGER) == <u32>TRIGGER_ICR;
}

/** One message at one local APIC. Whether it was taken. */
export function give(cpu: u32, source: i32, low: u32): bool {
  switch (deliveryOf(low)) {
    case DELIVERY_FIXED:
    case DELIVERY_LOWEST:
      return giveVector(cpu, low & 0xff, isLevel(source, low));
    case DELIVERY_SMI:
      latchSmi(cpu);
      return true;
    case DELIVERY_NMI:
      latchNmi(cpu);
      return true;
    case DELIVERY_INIT:
      latchInit(cpu);
      return true;
    case DELIVERY_SIPI:
      latchSipi(cpu, low & 0xff);
      return true;
    case DELIVERY_EXTINT:
      return giveExtint(cpu, source, low);
    default: // 3: reserved; in KVM remote read, which it counts as taken
      return model(F_MSR_CHECKS) == <u32>MSR_KVM;
  }
}

function giveVector(cpu: u32, vector: u32, level: bool): bool {
  const rejected = load<u64>(row(cpu), L.R_REJECTED);
  Lapic.accept(cpu, vector, level);
  return load<u64>(row(cpu), L.R_REJECTED) == rejected;
}

/** From outside ExtINT is legal everywhere but in KVM, whose 8259 has its own way. */
function giveExtint(cpu: u32, source: i32, low: u32): bool {
  const rule = model(F_EXTINT_IPI);
  if (rule == <u32>EXTINT_FIXED) return giveVector(cpu, low & 0xff, isLevel(source, low));
  const outside = source == NONE && model(F_MSR_CHECKS) != <u32>MSR_KVM;
  if (!outside && rule != <u32>EXTINT_LEGAL) return false;
  latchExtint(cpu);
  return true;
}

/** A message from an I/O APIC or device. */
export function external(dest: u32, low: u32): i32 {
  return distribute(NONE, dest, low | ICR_ASSERT);
}
