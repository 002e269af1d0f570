// One message at one local APIC; or in the outbox, while that is open.

import { Lapic } from '../lapic/lapic';
import { latchExtint, latchInit, latchNmi, latchSipi, latchSmi } from '../lapic/outputs';
import { isHardwareEnabled } from '../lapic/state';
import {
  DELIVERY_EXTINT,
  DELIVERY_FIXED,
  DELIVERY_INIT,
  DELIVERY_LOWEST,
  DELIVERY_NMI,
  DELIVERY_SIPI,
  DELIVERY_SMI,
  EXTINT_FIXED,
  EXTINT_LEGAL,
  F_EXTINT_IPI,
  F_EXTINT_OUTSIDE,
  F_IPI_TRIGGER,
  F_REMOTE_READ,
  ICR_DELIVERY,
  ICR_LEVEL,
  ICR_NMI,
  ICR_SHORTHAND,
  ICR_VECTOR,
  NONE,
  TRIGGER_ICR,
} from '../memory/codes';
import { model } from '../memory/model';
import { ledger } from '../memory/records';
import { row } from '../memory/rows';
import { deliveryOf } from './command';
import { append, isOpen } from './outbox';

/** Hands a fixed or NMI message to one local APIC. IPIs are edge (Pentium 4 on). */
export function deliver(cpu: u32, low: u32): void {
  if (isOpen) return append(cpu, low);
  if ((low & ICR_DELIVERY) != ICR_NMI) Lapic.accept(cpu, low & ICR_VECTOR, false);
  else if (isHardwareEnabled(cpu)) latchNmi(cpu);
}

export function unclaimed(low: u32): i32 {
  if ((low & ICR_SHORTHAND) == 0) ledger.unclaimed++;
  return NONE;
}

function commandIsLevel(source: i32, low: u32): bool {
  if ((low & ICR_LEVEL) == 0) return false;
  return source == NONE || model(F_IPI_TRIGGER) == <u32>TRIGGER_ICR;
}

/** One message at one local APIC. Whether it was taken. */
export function acceptMessage(cpu: u32, source: i32, low: u32): bool {
  switch (deliveryOf(low)) {
    case DELIVERY_FIXED:
    case DELIVERY_LOWEST:
      return acceptVector(cpu, low & 0xff, commandIsLevel(source, low));
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
      return acceptExtint(cpu, source, low);
    default: // 3: reserved; in KVM remote read, which it counts as taken
      return model(F_REMOTE_READ) != 0;
  }
}

function acceptVector(cpu: u32, vector: u32, level: bool): bool {
  const rejected = row(cpu).rejected;
  Lapic.accept(cpu, vector, level);
  return row(cpu).rejected == rejected;
}

/** From outside ExtINT is legal everywhere but in KVM, whose 8259 has its own way. */
function acceptExtint(cpu: u32, source: i32, low: u32): bool {
  const rule = model(F_EXTINT_IPI);
  if (rule == <u32>EXTINT_FIXED) return acceptVector(cpu, low & 0xff, commandIsLevel(source, low));
  const outside = source == NONE && model(F_EXTINT_OUTSIDE) != 0;
  if (!outside && rule != <u32>EXTINT_LEGAL) return false;
  latchExtint(cpu);
  return true;
}
