// Messages the slow way: every delivery mode, every destination, every model. The command is in ICR
// format whoever sends it: vector, delivery mode, destination mode, assert, level, shorthand.

import { cpus } from '../memory/arena';
import {
  DELIVERY_INIT,
  F_INIT_DEASSERT,
  F_LOWEST_PRIORITY,
  ICR_ASSERT,
  INIT_DEASSERT_ARB,
  LOWEST_HASH,
  NONE,
} from '../memory/codes';
import { model } from '../memory/model';
import { coldRow } from '../memory/rows';
import { deliveryOf, isDropped, isLowest } from './command';
import { acceptMessage, unclaimed } from './deliver';
import { kvmDistribute } from './kvm';
import { chooseLowest } from './lowest';
import { matchesDestination, xapicId } from './match';

/** Hands a message to those it addresses. How many took it, NONE when nobody was addressed. */
export function distribute(source: i32, dest: u32, low: u32): i32 {
  if (isDropped(low)) {
    if (deliveryOf(low) == DELIVERY_INIT) synchroniseArbitration(source, dest, low);
    return 0;
  }
  if (model(F_LOWEST_PRIORITY) == <u32>LOWEST_HASH) return kvmDistribute(source, dest, low);
  if (isLowest(low)) {
    const chosen = chooseLowest(source, dest, low);
    if (chosen != NONE) return acceptMessage(chosen, source, low) ? 1 : 0;
    return reaches(source, dest, low) ? 0 : unclaimed(low);
  }
  let addressed = false;
  let taken = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesDestination(cpu, source, dest, low)) continue;
    addressed = true;
    if (acceptMessage(cpu, source, low)) taken++;
  }
  return addressed ? taken : unclaimed(low);
}

export function reaches(source: i32, dest: u32, low: u32): bool {
  for (let cpu: u32 = 0; cpu < cpus; cpu++)
    if (matchesDestination(cpu, source, dest, low)) return true;
  return false;
}

// SDM 3A "Interrupt Command Register (ICR)": INIT level de-assert sets arbitration ids to APIC ids.
function synchroniseArbitration(source: i32, dest: u32, low: u32): void {
  if (model(F_INIT_DEASSERT) != <u32>INIT_DEASSERT_ARB) return;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (matchesDestination(cpu, source, dest, low)) coldRow(cpu).arb = xapicId(cpu) & 15;
  }
}

/** A message from an I/O APIC or device. */
export function external(dest: u32, low: u32): i32 {
  return distribute(NONE, dest, low | ICR_ASSERT);
}
