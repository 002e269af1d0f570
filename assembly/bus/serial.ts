// The serial APIC bus of Pentium and P6-family processors: one message at a time, rejection and retry,
// arbitration with rotating priority. SDM 3A "APIC Bus Arbitration Mechanism and Protocol",
// "APIC Bus Message Passing Mechanism and Protocol". Other models send without a bus.

import { ioapicAt, ioapicCount, pendingPin, retryPin } from '../ioapic/ioapic';
import { collect } from '../lapic/esr';
import { reject, wouldReject } from '../lapic/special';
import { bump, bumpBy, coldRow, cpus, row } from '../memory/arena';
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
import { isAddressed } from './claims';
import { chooseLowest, focusOf } from './lowest';
import { deliveryOf, distribute, isDropped, isVectored } from './message';

const EOI_CLOCKS: u64 = 14;
const SHORT_CLOCKS: u64 = 21;
const UNFOCUSED_CLOCKS: u64 = 34;
const HIGHEST_ARB: u32 = 15;

export function hasSerialBus(): bool {
  return model(F_SLOTS) != <u32>SLOTS_NONE;
}

function count(clocks: u64): void {
  bump(L.H_BUS_MESSAGES);
  bumpBy(L.H_BUS_CLOCKS, clocks);
}

/** Clocks of a message: lowest priority without a focus processor arbitrates for the target, too. */
function clocksOf(source: i32, dest: u32, low: u32): u64 {
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
    if (!isAddressed(cpu, source, dest, low) || !wouldReject(cpu, vector)) continue;
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
    if (!isAddressed(cpu, source, dest, low) || !wouldReject(cpu, low & 0xff)) continue;
    rejected = true;
    turnAway(cpu, low & 0xff);
  }
  return rejected;
}

function turnAway(cpu: u32, vector: u32): void {
  bump(row(cpu) + L.R_ATTEMPTED);
  reject(cpu, vector);
  store<u32>(coldRow(cpu), 1, L.C_TURNED_AWAY);
}

/** What a transmission comes to when somebody had no room; else what distribute() says. */
export const REJECTED: i32 = -2;

function attempt(source: i32, dest: u32, low: u32): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) store<u32>(coldRow(cpu), 0, L.C_TURNED_AWAY);
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
    if (isAddressed(cpu, source, dest, low)) collect(cpu, ESR_RECEIVE_ACCEPT);
  }
  if (source != NONE) collect(source, ESR_SEND_ACCEPT);
}

/** An IPI. A rejected one stays with its sender: delivery status "send pending". */
export function serialSend(source: u32, dest: u32, low: u32): void {
  if (attempt(source, dest, low) != REJECTED) return rotate(cpuArb(source));
  const cold = coldRow(source);
  store<u32>(cold, dest, L.C_BUS_DEST);
  store<u32>(cold, low, L.C_BUS_LOW);
  store<u32>(cold, load<u32>(cold, L.C_LATCH) | L.LATCH_BUS, L.C_LATCH);
  store<u32>(L.H_BUS_WAITING, load<u32>(L.H_BUS_WAITING) + 1);
}

/** A message of I/O APIC `n`: REJECTED, or what distribute() says. */
export function ioapicSend(n: u32, dest: u32, low: u32): i32 {
  if (!hasSerialBus()) return distribute(NONE, dest, low);
  const result = attempt(NONE, dest, low);
  if (result != REJECTED) rotate(ioapicAt(n) + L.IO_ARB_ID);
  return result;
}

/** The EOI message of a level vector, where there is a bus to carry it. */
export function serialEoi(cpu: u32): void {
  if (!hasSerialBus()) return;
  count(EOI_CLOCKS);
  rotate(cpuArb(cpu));
}

function cpuArb(cpu: u32): usize {
  return coldRow(cpu) + L.C_ARB;
}

// After a successful message the winner's priority becomes 0 and all others rise by one; one that
// had 15 and did not send takes the winner's, plus one.
function rotate(winner: usize): void {
  const old = load<u32>(winner);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) age(cpuArb(cpu), winner, old);
  for (let n: u32 = 0; n < ioapicCount(); n++) age(ioapicAt(n) + L.IO_ARB_ID, winner, old);
  store<u32>(winner, 0);
}

function age(agent: usize, winner: usize, old: u32): void {
  if (agent == winner) return;
  const own = load<u32>(agent);
  store<u32>(agent, own == HIGHEST_ARB ? (old + 1) & 15 : (own + 1) & 15); // bug: arbitration-does-not-rotate-past-15
}

/** Sender with the highest arbitration priority: a CPU, cpus + I/O APIC, or NONE. */
function winner(): i32 {
  let best: i32 = NONE;
  let priority: i32 = -1;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if ((load<u32>(coldRow(cpu), L.C_LATCH) & L.LATCH_BUS) == 0) continue;
    const own = <i32>load<u32>(cpuArb(cpu));
    if (own <= priority) continue;
    best = cpu;
    priority = own;
  }
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (pendingPin(n) == NONE) continue;
    const own = <i32>load<u32>(ioapicAt(n), L.IO_ARB_ID);
    if (own <= priority) continue;
    best = cpus + n;
    priority = own;
  }
  return best;
}

function nextClocks(sender: u32): u64 {
  if (sender >= cpus) return SHORT_CLOCKS;
  const cold = coldRow(sender);
  return clocksOf(sender, load<u32>(cold, L.C_BUS_DEST), load<u32>(cold, L.C_BUS_LOW));
}

/** Whether it went through. */
function retryCpu(cpu: u32): bool {
  const cold = coldRow(cpu);
  const result = attempt(cpu, load<u32>(cold, L.C_BUS_DEST), load<u32>(cold, L.C_BUS_LOW));
  if (result == REJECTED) return false;
  store<u32>(cold, load<u32>(cold, L.C_LATCH) & ~L.LATCH_BUS, L.C_LATCH);
  store<u32>(L.H_BUS_WAITING, load<u32>(L.H_BUS_WAITING) - 1);
  rotate(cpuArb(cpu));
  return true;
}

/** Repeats of a rejected message change nothing but these counters: no one else wins the bus. */
function repeatRejection(clocks: u64, cost: u64): void {
  const times = clocks / cost;
  bumpBy(L.H_BUS_RETRIES, times);
  bumpBy(L.H_BUS_MESSAGES, times);
  bumpBy(L.H_BUS_CLOCKS, times * cost);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (load<u32>(coldRow(cpu), L.C_TURNED_AWAY) == 0) continue;
    bumpBy(row(cpu) + L.R_ATTEMPTED, times);
    bumpBy(row(cpu) + L.R_REJECTED, times);
  }
}

/** Lets the bus retry for `clocks` of its clock. */
export function runBus(clocks: u64): void {
  if (!hasSerialBus()) return;
  while (true) {
    const sender = winner();
    if (sender == NONE) return;
    const cost = nextClocks(sender);
    if (cost > clocks) return;
    clocks -= cost;
    bump(L.H_BUS_RETRIES);
    const done = <u32>sender < cpus ? retryCpu(sender) : retryPin(sender - cpus);
    if (!done) return repeatRejection(clocks, cost);
  }
}
