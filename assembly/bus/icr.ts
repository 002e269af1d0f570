// The Interrupt Command Register: what one write of it does.
// SDM 3A "Interrupt Command Register (ICR)", "ICR Operation in x2APIC Mode".

import { collect } from '../lapic/esr';
import { icrReadback } from '../lapic/registers';
import { isX2apicMode } from '../lapic/state';
import { cpus } from '../memory/arena';
import {
  DELIVERY_EXTINT,
  DELIVERY_FIXED,
  DELIVERY_LOWEST,
  ESR_REDIRECTABLE,
  ESR_SEND_ILLEGAL,
  F_SEND_ILLEGAL,
  F_SHORTHANDS,
  F_SLOTS,
  F_X2APIC_LOWEST,
  ICR_ALL_EXC,
  ICR_ALL_INC,
  ICR_FIELDS,
  ICR_LOGICAL,
  ICR_SELF,
  ICR_SHORTHAND,
  NONE,
  SHORTHANDS_ALL,
  SLOTS_NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { coldRow, decodesSlowly } from '../memory/rows';
import { deliveryOf, isVectored } from './command';
import { deliver } from './deliver';
import { deliverAll, deliverLogical, deliverPhysical } from './destination';
import { matchesDestination } from './match';
import { distribute } from './message';
import { append, isOpen } from './outbox';
import { serialSend } from './serial';

/** Delivery mode and class of the vector; fixed with a class from 1 on is 0x10-0xf0 in these bits. */
const MODE_AND_CLASS: u32 = 0x7f0;
const FIRST_CLASS: u32 = 0x10;
const CLASSES: u32 = 0xe0;

/**
 * Sends a command. `dest`: 32 bits in x2APIC mode, 8 in xAPIC mode. A fixed interrupt with a legal
 * vector on a machine whose local APICs are all as usual takes the fast decode.
 */
export function sendIcr(source: u32, dest: u32, low: u32): void {
  if (decodesSlowly() || (low & MODE_AND_CLASS) - FIRST_CLASS > CLASSES) {
    if (isOpen) appendAddressed(source, dest, low);
    else transmit(source, dest, low);
    return;
  }
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand == 0) {
    if ((low & ICR_LOGICAL) != 0) deliverLogical(dest, low);
    else deliverPhysical(dest, low);
  } else if (shorthand == ICR_SELF) deliver(source, low);
  else if (shorthand == ICR_ALL_INC) deliverAll(low, NONE);
  else if (shorthand == ICR_ALL_EXC) deliverAll(low, source); // bug: all-but-self-reaches-self
}

/** Every local APIC that the command addresses gets it later. */
function appendAddressed(source: u32, dest: u32, low: u32): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (matchesDestination(cpu, source, dest, low)) append(cpu, low);
  }
}

/** A write of the register itself; `high` is ICR2, or the upper half of the x2APIC MSR. */
export function writeIcrRegister(cpu: u32, high: u32, low: u32): void {
  const cold = coldRow(cpu);
  if ((cold.latch & L.LATCH_BUS) != 0) return;
  cold.icr = icrReadback(low);
  const x2apic = isX2apicMode(cpu);
  if (x2apic) cold.icrHigh = high;
  sendIcr(cpu, x2apic ? high : high >> 24, low & <u32>ICR_FIELDS);
}

// SDM 3A "SELF IPI Register": an edge-triggered fixed interrupt to this very CPU.
export function selfIpiWritten(cpu: u32, vector: u32): void {
  sendIcr(cpu, 0, ICR_SELF | vector);
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
