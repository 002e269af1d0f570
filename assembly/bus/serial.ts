// The serial APIC bus of Pentium and P6-family processors: one message at a time, rejection and retry,
// arbitration with rotating priority. SDM 3A "APIC Bus Arbitration Mechanism and Protocol",
// "APIC Bus Message Passing Mechanism and Protocol". Other models send without a bus.

import { collect } from '../lapic/esr';
import { reject, wouldReject } from '../lapic/row';
import { cpus } from '../memory/arena';
import {
  DELIVERY_LOWEST,
  ESR_RECEIVE_ACCEPT,
  ESR_SEND_ACCEPT,
  F_SLOTS,
  NONE,
  SLOTS_NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { Arbiter, devices } from '../memory/records';
import { arbiterOf, coldRow, ioapicArbiter, ioapicCount, row } from '../memory/rows';
import { deliveryOf, isDropped, isVectored } from './command';
import { chooseLowest, focusOf } from './lowest';
import { matchesDestination } from './match';
import { distribute } from './message';

const EOI_CLOCKS: u64 = 14;
export const SHORT_CLOCKS: u64 = 21;
const UNFOCUSED_CLOCKS: u64 = 34;
const HIGHEST_ARB: u32 = 15;

export function hasSerialBus(): bool {
  return model(F_SLOTS) != <u32>SLOTS_NONE;
}

function count(clocks: u64): void {
  devices.busMessages++;
  devices.busClocks += clocks;
}

/** Clocks of a message: lowest priority without a focus processor arbitrates for the target, too. */
export function clocksOf(source: i32, dest: u32, low: u32): u64 {
  if (deliveryOf(low) != DELIVERY_LOWEST) return SHORT_CLOCKS;
  return focusOf(source, dest, low) == NONE ? UNFOCUSED_CLOCKS : SHORT_CLOCKS;
}

/** Whether somebody has no room; those count the rejection. */
function isRejected(source: i32, dest: u32, low: u32): bool {
  if (!isVectored(low)) return false;
  const vector = low & 0xff;
  if (deliveryOf(low) == DELIVERY_LOWEST) return isLowestRejected(source, dest, low);
  let rejected = false;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesDestination(cpu, source, dest, low) || !wouldReject(cpu, vector)) continue;
    rejected = true;
    turnAway(cpu, vector);
  }
  return rejected;
}

function isLowestRejected(source: i32, dest: u32, low: u32): bool {
  const chosen = chooseLowest(source, dest, low);
  if (chosen != NONE && !wouldReject(chosen, low & 0xff)) return false;
  let rejected = false;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesDestination(cpu, source, dest, low) || !wouldReject(cpu, low & 0xff)) continue;
    rejected = true;
    turnAway(cpu, low & 0xff);
  }
  return rejected;
}

function turnAway(cpu: u32, vector: u32): void {
  row(cpu).attempted++;
  reject(cpu, vector);
  coldRow(cpu).turnedAway = 1;
}

/** What a transmission comes to when somebody had no room; else what distribute() says. */
export const REJECTED: i32 = -2;

export function attempt(source: i32, dest: u32, low: u32): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) coldRow(cpu).turnedAway = 0;
  count(clocksOf(source, dest, low));
  if (isRejected(source, dest, low)) return REJECTED;
  const taken = distribute(source, dest, low);
  if (taken <= 0 && isAcceptable(low)) noteAcceptErrors(source, dest, low);
  return taken;
}

/** A message that somebody should have taken. */
function isAcceptable(low: u32): bool {
  return isVectored(low) && (low & 0xff) >= <u32>L.FIRST_LEGAL_VECTOR && !isDropped(low);
}

// SDM 3A "Error Handling", P6 family and Pentium: a message that nobody accepted is an error at its
// sender and at those that received it.
function noteAcceptErrors(source: i32, dest: u32, low: u32): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (matchesDestination(cpu, source, dest, low)) collect(cpu, ESR_RECEIVE_ACCEPT);
  }
  if (source != NONE) collect(source, ESR_SEND_ACCEPT);
}

/** An IPI. A rejected one stays with its sender: delivery status "send pending". */
export function serialSend(source: u32, dest: u32, low: u32): void {
  if (attempt(source, dest, low) != REJECTED) return rotate(arbiterOf(source));
  const cold = coldRow(source);
  cold.busDest = dest;
  cold.busLow = low;
  cold.latch |= L.LATCH_BUS;
  devices.busWaiting += 1;
}

/** A message of I/O APIC `n`: REJECTED, or what distribute() says. */
export function ioapicSend(n: u32, dest: u32, low: u32): i32 {
  if (!hasSerialBus()) return distribute(NONE, dest, low);
  const result = attempt(NONE, dest, low);
  if (result != REJECTED) rotate(ioapicArbiter(n));
  return result;
}

/** The EOI message of a level vector, where there is a bus to carry it. */
export function serialEoi(cpu: u32): void {
  if (!hasSerialBus()) return;
  count(EOI_CLOCKS);
  rotate(arbiterOf(cpu));
}

// After a successful message the winner's priority becomes 0 and all others rise by one; one that
// had 15 and did not send takes the winner's, plus one.
export function rotate(winner: Arbiter): void {
  const old = winner.id;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) age(arbiterOf(cpu), winner, old);
  for (let n: u32 = 0; n < ioapicCount(); n++) age(ioapicArbiter(n), winner, old);
  winner.id = 0;
}

function age(agent: Arbiter, winner: Arbiter, old: u32): void {
  if (agent == winner) return;
  const own = agent.id;
  agent.id = own == HIGHEST_ARB ? (old + 1) & 15 : (own + 1) & 15; // bug: arbitration-does-not-rotate-past-15
}
